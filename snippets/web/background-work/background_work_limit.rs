// ANCHOR: all
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, http::StatusCode, routing::get, serve};
use tokio::net::TcpListener;
use tokio::time::{Duration, Instant, sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Clone, Default)]
struct Studio {
    work: TaskTracker,
    closing: CancellationToken,
    stop: CancellationToken,
    unprinted: Arc<Mutex<Vec<u64>>>,
}

// ANCHOR: accept
async fn upload(State(s): State<Studio>, Path(id): Path<u64>) -> StatusCode {
    s.work.clone().spawn(async move {
        if s.stop.run_until_cancelled(print(id)).await.is_none() {
            s.unprinted.lock().expect("never poisoned").push(id);
        }
    });
    StatusCode::ACCEPTED
}

async fn cut(s: State<Studio>, request: Request, next: Next) -> Response {
    let answer = s.stop.run_until_cancelled(next.run(request)).await;
    answer.unwrap_or(StatusCode::SERVICE_UNAVAILABLE.into_response())
}
// ANCHOR_END: accept

async fn print(id: u64) {
    if id == 8 {
        pending().await // the printer jams
    }
}

async fn collect(s: State<Studio>) {
    let _counted = s.work.token();
    pending().await
}

// ANCHOR: run
async fn run(tcp: TcpListener, app: Router, s: Studio) -> io::Result<()> {
    let closing = s.closing.clone().cancelled_owned();
    let finish = async {
        serve(tcp, app).with_graceful_shutdown(closing).await?;
        s.work.close();
        s.work.wait().await;
        Ok(())
    };
    let overdue = async {
        s.closing.cancelled().await;
        sleep(Duration::from_secs(30)).await;
        s.stop.cancel(); // and now `finish` ends
        pending().await
    };
    tokio::select! { done = finish => done, never = overdue => never }
}
// ANCHOR_END: run

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let studio = Studio::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .route("/{id}", get(collect).post(upload))
        .layer(from_fn_with_state(studio.clone(), cut))
        .with_state(studio.clone());
    let server = tokio::spawn(run(listener, app, studio.clone()));

    let client = reqwest::Client::new();
    let photo = |id| format!("http://{address}/{id}");
    for id in [7, 8] {
        client.post(photo(id)).send().await?.error_for_status()?;
    }
    let customer = tokio::spawn(client.get(photo(7)).send());
    while studio.work.len() < 2 {
        tokio::task::yield_now().await; // the customer is on the way
    }

    let start = Instant::now();
    studio.closing.cancel();
    server.await??;
    let waited = start.elapsed(); // of the paused clock: it jumps
    let told = customer.await??.status();
    let unprinted = studio.unprinted.lock().expect("never poisoned");
    println!("{waited:?}: told {told}, left for tomorrow {unprinted:?}");
    assert_eq!(waited, Duration::from_secs(30));
    assert_eq!((told.as_u16(), &unprinted[..]), (503, &[8][..]));
    Ok(())
}
// ANCHOR_END: all
