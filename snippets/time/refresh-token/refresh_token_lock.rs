// ANCHOR: all
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
struct Token {
    number: usize,
    expires: Instant,
}

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static IS_DOWN: AtomicBool = AtomicBool::new(false);

/// Takes ten seconds.
async fn refresh() -> anyhow::Result<Token> {
    let expires = Instant::now() + 3600 * SECOND;
    let number = REQUESTS.fetch_add(1, Relaxed) + 1;
    sleep(10 * SECOND).await;
    anyhow::ensure!(!IS_DOWN.load(Relaxed), "503 Service Unavailable");
    Ok(Token { number, expires })
}

// ANCHOR: broken
async fn get(token: &Mutex<Token>) -> anyhow::Result<usize> {
    let mut token = token.lock().await;
    if token.expires < Instant::now() + 300 * SECOND {
        *token = refresh().await?;
    }
    Ok(token.number)
}
// ANCHOR_END: broken

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let token = Mutex::new(refresh().await?);
    // It is valid for another five minutes.
    sleep(3300 * SECOND).await;
    let start = Instant::now();
    let got = join_all((0..20).map(|_| get(&token))).await;
    let waited = start.elapsed();
    println!("ahead: waited {waited:?}");
    assert!(got.iter().all(|number| matches!(number, Ok(2))));
    assert_eq!(waited, 10 * SECOND);

    // Each caller has six seconds.
    sleep(3600 * SECOND).await;
    REQUESTS.store(0, Relaxed);
    let callers = [0, 5, 10, 15, 20].map(async |second| {
        sleep(second * SECOND).await;
        timeout(6 * SECOND, get(&token)).await.is_ok()
    });
    let got = join_all(callers).await;
    let got = got.into_iter().filter(|got| *got).count();
    let requests = REQUESTS.swap(0, Relaxed);
    println!("leave: {got} of 5 have a token, requests: {requests}");
    assert_eq!((got, requests), (0, 5));

    IS_DOWN.store(true, Relaxed);
    let start = Instant::now();
    let got = join_all((0..20).map(|_| get(&token))).await;
    let (requests, took) = (REQUESTS.load(Relaxed), start.elapsed());
    println!("fails: requests: {requests}, in {took:?}");
    assert!(got.iter().all(Result::is_err));
    assert_eq!((requests, took), (20, 200 * SECOND));
    Ok(())
}
// ANCHOR_END: all
