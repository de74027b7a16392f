// ANCHOR: all
use std::sync::Mutex;

use axum::http::StatusCode;
use axum::{Router, routing::post};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

#[derive(Debug, PartialEq)]
enum Failed {
    TooLong,
    Unavailable,
}

trait Notifier {
    async fn send(&self, parcel: u32, text: &str) -> Result<(), Failed>;
}

// ANCHOR: contract
/// What a notifier does: the real one, and so the fake.
async fn keeps_the_contract(notifier: &impl Notifier) {
    let longest = "x".repeat(160);
    assert_eq!(notifier.send(7, &longest).await, Ok(()));
    let too_long = longest + "x";
    assert_eq!(notifier.send(7, &too_long).await, Err(Failed::TooLong));
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    keeps_the_contract(&FakeNotifier::default()).await;
}

#[tokio::test]
async fn the_real_one_keeps_the_contract() {
    let (notifier, _server) = real_notifier().await;
    keeps_the_contract(&notifier).await;
}
// ANCHOR_END: contract

#[derive(Default)]
struct FakeNotifier {
    sent: Mutex<Vec<(u32, String)>>,
}

impl Notifier for FakeNotifier {
    async fn send(&self, parcel: u32, text: &str) -> Result<(), Failed> {
        if text.len() > 160 {
            return Err(Failed::TooLong);
        }
        self.sent.lock().expect("no panic").push((parcel, text.to_owned()));
        Ok(())
    }
}

struct HttpNotifier {
    client: Client,
    url: String,
}

impl Notifier for HttpNotifier {
    async fn send(&self, parcel: u32, text: &str) -> Result<(), Failed> {
        let url = format!("{}/{parcel}", self.url);
        let request = self.client.post(url).body(text.to_owned());
        match request.send().await.map(|response| response.status()) {
            Ok(StatusCode::CREATED) => Ok(()),
            Ok(StatusCode::PAYLOAD_TOO_LARGE) => Err(Failed::TooLong),
            _ => Err(Failed::Unavailable),
        }
    }
}

struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The provider's sandbox; here a server of this test.
async fn real_notifier() -> (HttpNotifier, Server) {
    let send = async |text: String| match text.len() {
        0..=160 => StatusCode::CREATED,
        _ => StatusCode::PAYLOAD_TOO_LARGE,
    };
    let app = Router::new().route("/{parcel}", post(send));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    let client = Client::builder().no_proxy().build().expect("a client");
    (HttpNotifier { client, url }, Server(server.abort_handle()))
}

/// Has drifted: the provider refuses a text of more than 160 characters.
struct OldFake;

impl Notifier for OldFake {
    async fn send(&self, _parcel: u32, _text: &str) -> Result<(), Failed> {
        Ok(())
    }
}

#[tokio::test]
#[should_panic(expected = "right: Err(TooLong)")]
async fn an_old_fake_does_not() {
    keeps_the_contract(&OldFake).await;
}
// ANCHOR_END: all
