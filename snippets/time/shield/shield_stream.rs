// ANCHOR: all
use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_stream::stream;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::{Router, response::Response, routing::get};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Clone)]
struct Printer {
    labels: Vec<u32>,
    paper: Arc<Semaphore>,
    printed: Arc<Mutex<Vec<u32>>>,
    tracker: TaskTracker,
}

impl Printer {
    async fn print(&self, label: u32) -> Result<String, Infallible> {
        self.paper.acquire().await.expect("never closed").forget();
        self.printed.lock().expect("no panic").push(label);
        Ok(format!("label {label} is printed\n"))
    }
}

// ANCHOR: broken
async fn in_the_body(State(printer): State<Printer>) -> Body {
    Body::from_stream(stream! {
        for &label in &printer.labels {
            yield printer.print(label).await;
        }
    })
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn in_a_task(State(printer): State<Printer>) -> Body {
    let labels = printer.labels.clone();
    let (lines_tx, lines_rx) = mpsc::channel(labels.len().max(1));
    let tracker = printer.tracker.clone();
    tracker.spawn(async move {
        for label in labels {
            let line = printer.print(label).await;
            // It never waits. An error: the client has left.
            _ = lines_tx.send(line).await;
        }
    });
    Body::from_stream(ReceiverStream::new(lines_rx))
}
// ANCHOR_END: fixed

/// A shield around each handler.
async fn shield(
    State(printer): State<Printer>,
    request: Request,
    next: Next,
) -> Response {
    let task = printer.tracker.spawn(next.run(request));
    task.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// A printer with paper for so many labels.
fn printer(labels: &[u32], paper: usize) -> Printer {
    Printer {
        labels: labels.to_vec(),
        paper: Arc::new(Semaphore::new(paper)),
        printed: Arc::default(),
        tracker: TaskTracker::new(),
    }
}

/// The client leaves when it has the first line. Which labels are printed?
async fn printed(path: &str) -> anyhow::Result<Vec<u32>> {
    let printer = printer(&[1, 2, 3], 1);
    let app = Router::new()
        .route("/in_the_body", get(in_the_body))
        .route("/in_a_task", get(in_a_task))
        .layer(from_fn_with_state(printer.clone(), shield))
        .with_state(printer.clone());
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/{path}", tcp.local_addr()?);
    let token = CancellationToken::new();
    let server = axum::serve(tcp, app)
        .with_graceful_shutdown(token.clone().cancelled_owned());
    let server = tokio::spawn(async { server.await });

    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut response = client.get(url).send().await?;
    let line = response.chunk().await?;
    assert_eq!(line.as_deref(), Some(&b"label 1 is printed\n"[..]));
    drop((response, client));
    token.cancel();
    server.await??; // the connection has ended

    printer.paper.add_permits(2);
    printer.tracker.close();
    printer.tracker.wait().await;
    let printed = printer.printed.lock().expect("no panic").clone();
    println!("{path}: {printed:?}");
    Ok(printed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    assert_eq!(printed("in_the_body").await?, [1]);
    assert_eq!(printed("in_a_task").await?, [1, 2, 3]);

    // A client that stays and reads nothing.
    let printer = printer(&[1, 2, 3], 3);
    let body = in_a_task(State(printer.clone())).await;
    printer.tracker.close();
    let limit = Duration::from_secs(10);
    timeout(limit, printer.tracker.wait()).await.expect("it waits");
    let printed = printer.printed.lock().expect("no panic").clone();
    println!("a client that does not read: {printed:?}");
    assert_eq!(printed, [1, 2, 3]);
    drop(body);

    // No label: a channel must have at least one place.
    let body = in_a_task(State(self::printer(&[], 0))).await;
    assert!(to_bytes(body, 1).await?.is_empty());
    Ok(())
}
// ANCHOR_END: all
