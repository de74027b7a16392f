// ANCHOR: all
use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};

use async_stream::stream;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::{Router, body::Body, response::Response, routing::get};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Clone)]
struct Office {
    ink: Arc<Semaphore>,
    sealed: Arc<Mutex<Vec<u32>>>,
    work: TaskTracker,
}

impl Office {
    async fn seal(&self, deed: u32) -> Result<String, Infallible> {
        self.ink.acquire().await.expect("never closed").forget();
        self.sealed.lock().expect("never poisoned").push(deed);
        Ok(format!("{deed} is sealed\n"))
    }
}

// ANCHOR: broken
// Broken: what makes the body works after the shielded handler.
async fn in_the_body(State(office): State<Office>) -> Body {
    Body::from_stream(stream! {
        for deed in 1..=3 {
            yield office.seal(deed).await;
        }
    })
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a task works, and the body tells of it.
async fn in_a_task(State(office): State<Office>) -> Body {
    let (tell, told) = mpsc::unbounded_channel();
    let tracker = office.work.clone();
    tracker.spawn(async move {
        for deed in 1..=3 {
            _ = tell.send(office.seal(deed).await); // or nobody listens
        }
    });
    Body::from_stream(UnboundedReceiverStream::new(told))
}
// ANCHOR_END: fixed

async fn shield(office: State<Office>, call: Request, next: Next) -> Response {
    let task = office.work.spawn(next.run(call));
    task.await.unwrap_or_else(|end| resume_unwind(end.into_panic()))
}

async fn hang_up_after_the_first(path: &str) -> anyhow::Result<Vec<u32>> {
    let office = Office {
        ink: Arc::new(Semaphore::new(1)),
        sealed: Arc::default(),
        work: TaskTracker::new(),
    };
    let app = Router::new()
        .route("/in_the_body", get(in_the_body))
        .route("/in_a_task", get(in_a_task))
        .layer(from_fn_with_state(office.clone(), shield))
        .with_state(office.clone());
    let (tcp, end) =
        (TcpListener::bind("127.0.0.1:0").await?, CancellationToken::new());
    let url = format!("http://{}/{path}", tcp.local_addr()?);
    let server = axum::serve(tcp, app)
        .with_graceful_shutdown(end.clone().cancelled_owned());
    let server = tokio::spawn(async { server.await });

    let mut answer = reqwest::get(url).await?;
    assert_eq!(answer.chunk().await?.as_deref(), Some(&b"1 is sealed\n"[..]));
    drop(answer);
    end.cancel();
    server.await??; // the connection has ended

    office.ink.add_permits(2);
    office.work.close();
    office.work.wait().await;
    let sealed = office.sealed.lock().expect("never poisoned").clone();
    println!("{path}: {sealed:?}");
    Ok(sealed)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    assert_eq!(hang_up_after_the_first("in_the_body").await?, [1]);
    assert_eq!(hang_up_after_the_first("in_a_task").await?, [1, 2, 3]);
    Ok(())
}
// ANCHOR_END: all
