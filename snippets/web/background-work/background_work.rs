// ANCHOR: all
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::get};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::yield_now;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

// ANCHOR: accept
// ANCHOR: work
#[derive(Clone)]
struct Studio {
    work: TaskTracker,
    paper: Arc<Semaphore>,
    printed: watch::Sender<HashSet<u64>>,
}
// ANCHOR_END: work

// ANCHOR: upload
async fn upload(studio: State<Studio>, Path(id): Path<u64>) -> StatusCode {
    studio.work.spawn(print(studio.0.clone(), id));
    StatusCode::ACCEPTED
}
// ANCHOR_END: upload

// ANCHOR: print
async fn print(studio: Studio, id: u64) {
    let sheet = studio.paper.acquire().await.expect("never closed");
    sheet.forget(); // it is used up
    studio.printed.send_modify(|printed| _ = printed.insert(id));
}
// ANCHOR_END: print
// ANCHOR_END: accept

/// Answers when the photo is printed.
async fn collect(studio: State<Studio>, Path(id): Path<u64>) -> String {
    let mut printed = studio.printed.subscribe();
    let photo = printed.wait_for(|printed| printed.contains(&id)).await;
    photo.map(|_| format!("photo {id}")).expect("`studio` is a sender")
}

// ANCHOR: run
/// Serves until `closing`. Ends when all that was accepted is done.
async fn run(
    listener: TcpListener,
    studio: Studio,
    closing: CancellationToken,
) -> io::Result<()> {
    let work = studio.work.clone();
    // ANCHOR: app
    let photos = get(collect).post(upload);
    let app = Router::new().route("/photos/{id}", photos).with_state(studio);
    // ANCHOR_END: app
    axum::serve(listener, app)
        .with_graceful_shutdown(closing.cancelled_owned())
        .await?;
    // ANCHOR: wait
    work.close(); // from now on `wait` may end
    work.wait().await;
    // ANCHOR_END: wait
    Ok(())
}
// ANCHOR_END: run

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let studio = Studio {
        work: TaskTracker::new(),
        paper: Arc::new(Semaphore::new(0)),
        printed: watch::Sender::default(),
    };
    let closing = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(run(listener, studio.clone(), closing.clone()));

    let client = reqwest::Client::new();
    for id in [7, 8] {
        let photo = format!("http://{address}/photos/{id}");
        let answer = client.post(photo).send().await?;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }
    println!("accepted 2, printed {}", studio.printed.borrow().len());
    let photo = format!("http://{address}/photos/7");
    let customer = tokio::spawn(client.get(photo).send());
    while studio.printed.receiver_count() == 0 {
        yield_now().await; // the customer is on the way
    }

    closing.cancel();
    while TcpStream::connect(address).await.is_ok() {}
    println!("closing: nobody gets in");
    assert!(!customer.is_finished() && !server.is_finished());

    studio.paper.add_permits(1);
    println!("the customer leaves with {}", customer.await??.text().await?);
    assert!(!server.is_finished(), "photo 8 is not printed");

    studio.paper.add_permits(1);
    server.await??;
    println!("closed: printed {}", studio.printed.borrow().len());
    assert_eq!(*studio.printed.borrow(), HashSet::from([7, 8]));
    Ok(())
}
// ANCHOR_END: all
