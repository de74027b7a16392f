// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::{Router, extract::State, routing::post};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, oneshot};
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

#[derive(Clone, Default)]
struct Service {
    tracker: TaskTracker,
    done: Arc<Mutex<Vec<&'static str>>>,
}

/// Buys a label, and stores it a second later.
async fn buy(service: Service) {
    service.done.lock().await.push("bought");
    sleep(Duration::from_secs(1)).await;
    service.done.lock().await.push("stored");
}

// ANCHOR: broken
async fn label(State(service): State<Service>) -> StatusCode {
    buy(service).await;
    StatusCode::CREATED
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn label_task(State(service): State<Service>) -> StatusCode {
    match service.tracker.spawn(buy(service.clone())).await {
        Ok(()) => StatusCode::CREATED,
        Err(_panic) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let service = Service::default();
    let app = Router::new()
        .route("/broken", post(label))
        .route("/fixed", post(label_task))
        .with_state(service.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (closing_tx, closing_rx) = oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        _ = closing_rx.await;
    });
    let server = tokio::spawn(async move { server.await });
    let client = Client::builder().no_proxy().build()?;

    for (case, expected) in
        [("broken", vec!["bought"]), ("fixed", vec!["bought", "stored"])]
    {
        let request = client.post(format!("{url}/{case}")).send();
        let limit = Duration::from_millis(100);
        assert!(timeout(limit, request).await.is_err(), "the client leaves");
        sleep(Duration::from_secs(2)).await;
        let done = std::mem::take(&mut *service.done.lock().await);
        println!("{case}: {done:?}");
        assert_eq!(done, expected);
    }
    let created = client.post(format!("{url}/fixed")).send().await?.status();
    assert_eq!(created, StatusCode::CREATED);
    drop(client);
    drop(closing_tx);
    server.await??;
    service.tracker.close();
    service.tracker.wait().await;
    Ok(())
}
// ANCHOR_END: all
