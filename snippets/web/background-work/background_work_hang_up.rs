// ANCHOR: all
use std::sync::Arc;

use axum::{Router, extract::State, routing::post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

#[derive(Clone)]
struct Studio {
    work: TaskTracker,
    paper: Arc<Semaphore>,
    log: watch::Sender<Vec<&'static str>>,
}

impl Studio {
    fn note(&self, what: &'static str) {
        self.log.send_modify(|log| log.push(what));
    }

    async fn noted(&self, what: &'static str) {
        let mut log = self.log.subscribe();
        log.wait_for(|log| log.contains(&what)).await.expect("kept by self");
    }
}

struct Handler(Studio);

impl Drop for Handler {
    fn drop(&mut self) {
        self.0.note("handler gone");
    }
}

async fn print(studio: Studio) {
    studio.note("paid");
    studio.paper.acquire().await.expect("never closed").forget();
    studio.note("printed");
}

// ANCHOR: broken
// Broken: the handler's future does the work, and ends with its customer.
async fn in_the_handler(State(studio): State<Studio>) {
    let _handler = Handler(studio.clone());
    print(studio).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a task does the work, the handler only waits for it.
async fn in_a_task(State(studio): State<Studio>) {
    let _handler = Handler(studio.clone());
    let printing = studio.work.spawn(print(studio.clone()));
    printing.await.expect("no panic");
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let gone = "handler gone";
    for (handler, expected) in [
        (post(in_the_handler), vec!["paid", gone]),
        (post(in_a_task), vec!["paid", gone, "printed"]),
    ] {
        let studio = Studio {
            work: TaskTracker::new(),
            paper: Arc::new(Semaphore::new(0)),
            log: watch::Sender::default(),
        };
        let app = Router::new().route("/", handler).with_state(studio.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });

        let customer = tokio::spawn(reqwest::Client::new().post(url).send());
        studio.noted("paid").await;
        customer.abort(); // hangs up
        studio.noted(gone).await;
        studio.paper.add_permits(1);
        studio.work.close();
        studio.work.wait().await;
        println!("{:?}", *studio.log.borrow());
        assert_eq!(*studio.log.borrow(), expected);
    }
    Ok(())
}
// ANCHOR_END: all
