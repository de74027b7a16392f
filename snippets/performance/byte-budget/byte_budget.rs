// ANCHOR: all
// ANCHOR: keep
use std::ops::Deref;
use std::sync::Arc;

use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

// ANCHOR: errors
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("the body has more than {0} bytes")]
    TooLarge(u32),
    #[error("cannot read the body")]
    Http(#[from] reqwest::Error),
}
// ANCHOR_END: errors

/// The bytes of bodies that may be in memory at the same time.
struct Budget {
    permits: Arc<Semaphore>, // one for each byte
    largest: u32,
}

/// A body and its permits. They are freed together.
struct Loaded {
    body: Vec<u8>,
    permit: OwnedSemaphorePermit,
}

impl Deref for Loaded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.body
    }
}

impl Budget {
    // ANCHOR: new
    fn new(total: u32, largest: u32) -> Self {
        let permits = Arc::new(Semaphore::new(total as usize));
        Budget { permits, largest: largest.min(total) }
    }
    // ANCHOR_END: new

    /// Waits for the permits of the whole body, then reads it.
    async fn load(&self, mut response: Response) -> Result<Loaded, LoadError> {
        // ANCHOR: reserve
        let largest = self.largest;
        let size = response.content_length().unwrap_or(largest.into());
        if size > largest.into() {
            return Err(LoadError::TooLarge(largest));
        }
        let permits = self.permits.clone().acquire_many_owned(size as u32);
        let mut permit = permits.await.expect("it is never closed");
        // ANCHOR_END: reserve
        // ANCHOR: read
        let mut body = Vec::with_capacity(size as usize);
        while let Some(chunk) = response.chunk().await? {
            if chunk.len() > permit.num_permits() - body.len() {
                return Err(LoadError::TooLarge(largest));
            }
            body.extend_from_slice(&chunk);
        }
        // ANCHOR_END: read
        // ANCHOR: surplus
        body.shrink_to_fit(); // without a length, too much is reserved
        drop(permit.split(permit.num_permits() - body.len()));
        Ok(Loaded { body, permit })
        // ANCHOR_END: surplus
    }
}
// ANCHOR_END: keep

// A carrier that sends labels, and a service that prints them.
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::header::CONTENT_LENGTH;
use axum::response::{IntoResponse, Response as Reply};
use axum::{Router, routing::get};
use futures::{StreamExt, stream};
use reqwest::{Client, ClientBuilder};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

const KB: u32 = 1_000;
const SECOND: Duration = Duration::from_secs(1);

async fn label(Path((how, kb)): Path<(String, u32)>) -> Reply {
    let half = Bytes::from(vec![0; (kb * KB / 2) as usize]);
    let whole = stream::iter([half.clone(), half.clone()]);
    let body = match how.as_str() {
        "sized" => Body::from(half.repeat(2)),
        "short" => {
            let length = [(CONTENT_LENGTH, (kb * KB).to_string())];
            let half = stream::iter([half]).map(Ok::<_, Infallible>);
            return (length, Body::from_stream(half)).into_response();
        }
        "chunked" => Body::from_stream(whole.map(Ok::<_, Infallible>)),
        "cut" => {
            let cut = stream::once(async {
                sleep(SECOND).await; // the half is sent
                Err(io::Error::other("the carrier has crashed"))
            });
            Body::from_stream(stream::iter([Ok(half)]).chain(cut))
        }
        _ => {
            let silent = stream::iter([half]).chain(stream::pending());
            Body::from_stream(silent.map(Ok::<_, Infallible>))
        }
    };
    body.into_response()
}

struct Service {
    client: Client,
    base: String,
    budget: Budget,
}

impl Service {
    async fn load(&self, path: &str) -> Result<Loaded, LoadError> {
        let url = format!("{}/{path}", self.base);
        self.budget.load(self.client.get(url).send().await?).await
    }

    /// How many kB of the budget are free.
    fn free(&self) -> usize {
        self.budget.permits.available_permits() / KB as usize
    }

    async fn sizes(&self) -> anyhow::Result<()> {
        for how in ["sized", "chunked"] {
            let loaded = self.load(&format!("{how}/7")).await?;
            let (length, free) = (loaded.len(), self.free());
            println!("{how}: {length} bytes, {free} kB of 16 are free");
            assert_eq!((length, free), (7_000, 9));
            assert_eq!(loaded.body.capacity(), 7_000);
            drop(loaded);
            assert_eq!(self.free(), 16);
        }
        let largest = self.load("chunked/8").await?;
        assert_eq!((largest.len(), self.free()), (8_000, 8));
        Ok(())
    }

    async fn errors(&self) -> anyhow::Result<()> {
        for how in ["sized/9", "chunked/9", "short/8", "cut/8", "silent/8"] {
            let start = Instant::now();
            let error = self.load(how).await.err().expect("an error");
            let (seconds, free) = (start.elapsed().as_secs(), self.free());
            println!("{how}: after {seconds} s {error}, {free} kB are free");
            let expected = match how {
                "sized/9" | "chunked/9" => {
                    matches!(error, LoadError::TooLarge(8_000))
                }
                _ => matches!(error, LoadError::Http(_)),
            };
            assert!(expected && free == 16);
            let expected = match how {
                "cut/8" => 1,
                "silent/8" => 30,
                _ => 0,
            };
            assert_eq!(seconds, expected);
        }
        Ok(())
    }

    /// While a body is in memory, others wait in their order.
    async fn waits(&self) -> anyhow::Result<()> {
        let (first, second) = (self.load("sized/6"), self.load("sized/6"));
        let (first, second) = tokio::try_join!(first, second)?;
        assert_eq!(self.free(), 4);
        let large = async {
            let large = self.load("sized/8").await?;
            anyhow::Ok((Instant::now(), large))
        };
        let small = async {
            sleep(SECOND).await; // behind the large one
            let small = self.load("sized/1").await?;
            anyhow::Ok((Instant::now(), small))
        };
        let start = Instant::now();
        let frees = async {
            sleep(5 * SECOND).await;
            assert_eq!(self.free(), 0, "the first that waits has the rest");
            drop(first);
            Ok(())
        };
        let (large, small, ()) = tokio::try_join!(large, small, frees)?;
        let after = [large.0, small.0].map(|at| (at - start).as_secs());
        println!("full: the large and the small one after {after:?} s");
        assert_eq!(after, [5, 5]);
        assert_eq!(self.free(), 1);
        drop((large, small));

        // A caller that leaves: while it waits, and while it reads.
        assert_eq!(self.free(), 10);
        let third = self.load("sized/6").await?;
        let waits = timeout(SECOND, self.load("sized/8")).await;
        assert!(waits.is_err() && self.free() == 4);
        drop((second, third));
        let reads = timeout(SECOND, self.load("silent/8")).await;
        println!("cancelled: {} kB are free", self.free());
        assert!(reads.is_err() && self.free() == 16);
        Ok(())
    }

    async fn holders(&self) -> anyhow::Result<()> {
        let loaded = self.load("sized/7").await?;
        let task = tokio::spawn(async move {
            assert!(loaded.is_empty(), "a fault in the printer");
        });
        assert_eq!(self.free(), 9, "the task has the permits");
        assert!(task.await.is_err_and(|error| error.is_panic()));
        println!("panic: {} kB are free", self.free());
        assert_eq!(self.free(), 16);

        // Two callers with one body each, and both wait for a second one.
        let two = || async {
            let first = self.load("sized/8").await?;
            sleep(SECOND).await;
            let second = self.load("sized/8").await?;
            anyhow::Ok(first.len() + second.len())
        };
        let day = 24 * 60 * 60 * SECOND;
        let both = timeout(day, futures::future::try_join(two(), two()));
        assert!(both.await.is_err());
        println!("two bodies a caller: a deadlock");
        Ok(())
    }
}

async fn print(label: &[u8]) -> io::Result<()> {
    assert_eq!(label.len(), 7_000);
    Ok(())
}

// ANCHOR: client
/// The settings of the client. HTTP/1: each body has its own connection.
fn settings() -> ClientBuilder {
    let silence = Duration::from_secs(30);
    Client::builder().http1_only().read_timeout(silence)
}
// ANCHOR_END: client

async fn called(client: &Client, url: &str) -> anyhow::Result<()> {
    // ANCHOR: call
    let budget = Budget::new(64_000_000, 8_000_000); // one for the program
    let response = client.get(url).send().await?.error_for_status()?;
    let label = budget.load(response).await?;
    print(&label).await?; // `label` is dropped after it
    // ANCHOR_END: call
    assert_eq!(label.permit.num_permits(), 7_000);
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/{how}/{kb}", get(label));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = settings().no_proxy().build()?;
    called(&client, &format!("{base}/sized/7")).await?;

    // A body may have as much as the whole budget, and no more.
    let budget = Budget::new(6 * KB, 8 * KB);
    let service = Service { client: client.clone(), base, budget };
    assert!(service.load("sized/6").await.is_ok());
    let error = service.load("sized/7").await.err().expect("an error");
    assert!(matches!(error, LoadError::TooLarge(6_000)));

    let service = Service { budget: Budget::new(16 * KB, 8 * KB), ..service };
    service.sizes().await?;
    service.errors().await?;
    service.waits().await?;
    service.holders().await
}
// ANCHOR_END: all
