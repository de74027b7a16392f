// ANCHOR: all
use std::panic::resume_unwind;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::{Router, response::Response, routing::post};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

#[derive(Clone)]
struct Registry {
    book: watch::Sender<Vec<&'static str>>,
    seal: Arc<Semaphore>,
    work: TaskTracker,
}

impl Registry {
    fn write(&self, entry: &'static str) {
        self.book.send_modify(|book| book.push(entry));
    }

    async fn written(&self, entry: &'static str) {
        let mut book = self.book.subscribe();
        book.wait_for(|book| book.contains(&entry)).await.expect("ours");
    }
}

// ANCHOR: sell
async fn sell(State(registry): State<Registry>) {
    registry.write("sold");
    registry.seal.acquire().await.expect("never closed").forget();
    registry.write("bought");
}
// ANCHOR_END: sell

// ANCHOR: shield
/// Each request is a task, which goes on when its client has gone.
async fn shield(
    State(registry): State<Registry>,
    request: Request,
    next: Next,
) -> Response {
    let task = registry.work.spawn(next.run(request));
    task.await.unwrap_or_else(|end| resume_unwind(end.into_panic()))
}
// ANCHOR_END: shield

struct Gone(Registry);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.write("client gone");
    }
}

async fn notice(r: State<Registry>, request: Request, next: Next) -> Response {
    let _gone = Gone(r.0);
    next.run(request).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    for shielded in [false, true] {
        let registry = Registry {
            book: watch::Sender::default(),
            seal: Arc::new(Semaphore::new(0)),
            work: TaskTracker::new(),
        };
        let mut app = Router::new().route("/", post(sell));
        if shielded {
            let layer = from_fn_with_state(registry.clone(), shield);
            app = app.layer(layer);
        }
        app = app.layer(from_fn_with_state(registry.clone(), notice));
        let app = app.with_state(registry.clone());
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", tcp.local_addr()?);
        let server = tokio::spawn(async { axum::serve(tcp, app).await });

        let client = tokio::spawn(reqwest::Client::new().post(url).send());
        registry.written("sold").await;
        client.abort();
        registry.written("client gone").await;
        // ANCHOR: wait
        registry.seal.add_permits(1);
        registry.work.close();
        registry.work.wait().await;
        // ANCHOR_END: wait
        server.abort();

        let book = registry.book.borrow().clone();
        println!("shielded: {shielded}, the book: {book:?}");
        let bought = book.contains(&"bought");
        assert_eq!(bought, shielded);
    }
    Ok(())
}
// ANCHOR_END: all
