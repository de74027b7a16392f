// ANCHOR: all
use std::collections::{HashSet, VecDeque};
use std::future::{IntoFuture, pending};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, body::Body, routing::post};
use futures::{StreamExt, stream};
use reqwest::{Client, Error, Result};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, yield_now};
use tokio::time::Instant;
use uuid::Uuid;

/// As the client above.
async fn buy(
    client: &Client,
    carrier: &str,
    key: Uuid,
    parcel: u32,
) -> Result<Value> {
    let attempt = async || {
        let request = client.post(format!("{carrier}/labels"));
        let request = request.header("Idempotency-Key", key.to_string());
        let request = request.json(&json!({ "parcel": parcel }));
        let response = request.timeout(Duration::from_secs(3)).send().await?;
        response.error_for_status()?.json().await
    };
    match attempt().await {
        Err(error) if may_succeed_later(&error) => attempt().await,
        result => result,
    }
}

fn may_succeed_later(error: &Error) -> bool {
    match error.status() {
        Some(status) => matches!(status.as_u16(), 500 | 502..=504),
        None => !error.is_builder(),
    }
}

// ANCHOR: server
#[derive(Debug, Clone, Copy)]
enum Fault {
    Status(StatusCode),
    Cut,
    Silent,
}

/// Buys a label for each key. The first requests have faults.
#[derive(Default)]
struct Carrier {
    faults: VecDeque<Fault>,
    requests: usize,
    labels: Vec<HeaderValue>,
}

async fn label(
    State(carrier): State<Arc<Mutex<Carrier>>>,
    headers: HeaderMap,
) -> Response {
    let (number, fault) = {
        let key = &headers["idempotency-key"]; // panics without the lock
        let mut carrier = carrier.lock().expect("no panic");
        carrier.requests += 1;
        if !carrier.labels.contains(key) {
            carrier.labels.push(key.clone());
        }
        let number = carrier.labels.iter().position(|known| known == key);
        (number, carrier.faults.pop_front())
    };
    match fault {
        None => Json(json!({ "number": number })).into_response(),
        Some(Fault::Status(status)) => status.into_response(),
        Some(Fault::Silent) => pending().await,
        Some(Fault::Cut) => {
            let part = stream::iter([Ok("{ \"number\": ")]);
            let cut = stream::once(async {
                yield_now().await; // the part is on its way
                Err("connection reset")
            });
            Body::from_stream(part.chain(cut)).into_response()
        }
    }
}
// ANCHOR_END: server

/// Starts a carrier with faults. What it has done, and where it is.
async fn carrier(faults: &[Fault]) -> (Arc<Mutex<Carrier>>, String) {
    let faults = faults.iter().copied().collect();
    let carrier =
        Arc::new(Mutex::new(Carrier { faults, ..Carrier::default() }));
    let app = Router::new().route("/labels", post(label));
    let app = app.with_state(carrier.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(axum::serve(listener, app).into_future());
    (carrier, url)
}

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

/// A purchase with a new key.
async fn purchase(carrier: &str) -> Result<Value> {
    buy(&client(), carrier, Uuid::new_v4(), 7).await
}

// ANCHOR: tests
#[tokio::test(start_paused = true)]
async fn a_retry_buys_no_second_label() {
    let down = Fault::Status(StatusCode::BAD_GATEWAY);
    for (fault, seconds) in [(down, 0), (Fault::Cut, 0), (Fault::Silent, 3)] {
        let start = Instant::now();
        let (carrier, url) = carrier(&[fault]).await;
        let label = purchase(&url).await.expect("a label");
        assert_eq!(label, json!({ "number": 0 }), "{fault:?}");
        let carrier = carrier.lock().expect("no panic");
        assert_eq!((carrier.requests, carrier.labels.len()), (2, 1));
        assert_eq!(start.elapsed().as_secs(), seconds, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_purchases_for_one_parcel_are_two_labels() {
    let (carrier, url) = carrier(&[]).await;
    let (one, other) = tokio::join!(purchase(&url), purchase(&url));
    assert_ne!(one.expect("a label"), other.expect("a label"));
    assert_eq!(carrier.lock().expect("no panic").labels.len(), 2);
}
// ANCHOR_END: tests

#[tokio::test(start_paused = true)]
async fn it_gives_up_after_two_requests() {
    let start = Instant::now();
    let (carrier, url) = carrier(&[Fault::Silent, Fault::Silent]).await;
    let error = purchase(&url).await.expect_err("a timeout");
    assert!(error.is_timeout());
    assert_eq!(start.elapsed().as_secs(), 6);
    assert_eq!(carrier.lock().expect("no panic").requests, 2);

    let (carrier, url) = self::carrier(&[Fault::Cut, Fault::Cut]).await;
    let error = purchase(&url).await.expect_err("half a body");
    assert!(error.is_decode());
    assert_eq!(carrier.lock().expect("no panic").requests, 2);
}

/// With a running clock. After an error a customer sends the same key again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_customers_buy_a_hundred_labels() {
    let down = Fault::Status(StatusCode::SERVICE_UNAVAILABLE);
    let (carrier, url) = carrier(&[down, Fault::Cut].repeat(25)).await;
    let mut customers = JoinSet::new();
    for _ in 0..100 {
        let url = url.clone();
        customers.spawn(async move {
            let (client, key) = (client(), Uuid::new_v4());
            loop {
                if let Ok(label) = buy(&client, &url, key, 7).await {
                    return label.to_string();
                }
            }
        });
    }
    let labels: HashSet<_> = customers.join_all().await.into_iter().collect();
    assert_eq!(labels.len(), 100);
    assert_eq!(carrier.lock().expect("no panic").labels.len(), 100);
}
// ANCHOR_END: all
