// ANCHOR: all
use std::collections::HashSet;
use std::io::{Error, ErrorKind::ConnectionReset};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::{Router, body::Body, routing::post};
use futures::{StreamExt, stream};
use reqwest::{Client, Result};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::yield_now;

// ANCHOR: client
/// Books D7; if the answer breaks off, asks once more.
async fn book(url: &str, key: impl Fn(u32) -> String) -> Result<Value> {
    let client = Client::new();
    let ask = async |attempt| {
        let request = client.post(url).header("idempotency-key", key(attempt));
        request.send().await?.error_for_status()?.json().await
    };
    match ask(1).await {
        Err(error) if error.is_decode() => ask(2).await,
        answer => answer,
    }
}
// ANCHOR_END: client

// ANCHOR: office
/// Sells a seat for every key. Its first answer breaks off in the middle.
#[derive(Default)]
struct Office {
    requests: u32,
    sold: HashSet<HeaderValue>,
}

type Shared = Arc<Mutex<Office>>;

async fn sell(State(office): State<Shared>, headers: HeaderMap) -> Body {
    let mut office = office.lock().expect("never poisoned");
    office.requests += 1;
    office.sold.insert(headers["idempotency-key"].clone());
    if office.requests > 1 {
        return Body::from(json!({ "row": 4 }).to_string());
    }
    let half = stream::iter([Ok("{ \"row\": ")]);
    let cut = stream::once(async {
        yield_now().await; // the first half is on its way
        Err(Error::from(ConnectionReset))
    });
    Body::from_stream(half.chain(cut))
}
// ANCHOR_END: office

async fn check(key: impl Fn(u32) -> String) {
    let office = Shared::default();
    let app = Router::new().route("/", post(sell)).with_state(office.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, app).await });

    let ticket = book(&url, key).await.expect("a ticket");
    assert_eq!(ticket, json!({ "row": 4 }));
    let office = office.lock().expect("never poisoned");
    assert_eq!(office.requests, 2);
    assert_eq!(office.sold.len(), 1, "seats");
}

// ANCHOR: tests
#[tokio::test]
async fn half_an_answer_does_not_sell_two_seats() {
    check(|_| "D7".into()).await;
}

#[tokio::test]
#[should_panic(expected = "seats\n  left: 2")]
async fn a_key_for_every_attempt_does() {
    check(|attempt| format!("D7-{attempt}")).await;
}
// ANCHOR_END: tests
// ANCHOR_END: all
