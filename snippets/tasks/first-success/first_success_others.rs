// ANCHOR: all
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, select_ok};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

async fn track(pool: &Semaphore, carrier: u64) -> Result<u64, &'static str> {
    let _conn = pool.acquire().await.map_err(|_| "closed")?;
    sleep(Duration::from_secs(carrier)).await;
    Ok(carrier)
}

type Requests<'a> = [BoxFuture<'a, Result<u64, &'static str>>; 3];

async fn broken(
    requests: Requests<'_>,
    pool: &Semaphore,
) -> Result<u64, &'static str> {
    // ANCHOR: broken
    let (carrier, others) = select_ok(requests).await?;
    // ANCHOR_END: broken
    println!("others: {} of 3 connections free", pool.available_permits());
    assert_eq!(pool.available_permits(), 1);
    let two = timeout(Duration::from_secs(86_400), pool.acquire_many(2));
    assert!(two.await.is_err(), "they are not polled, and never end");
    drop(others);
    assert_eq!(pool.available_permits(), 3);
    Ok(carrier)
}

async fn fixed(
    requests: Requests<'_>,
    pool: &Semaphore,
) -> Result<u64, &'static str> {
    // ANCHOR: fixed
    let (carrier, _) = select_ok(requests).await?;
    // ANCHOR_END: fixed
    println!("_: {} of 3 connections free", pool.available_permits());
    assert_eq!(pool.available_permits(), 3);
    Ok(carrier)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // A pool of three connections.
    let pool = Semaphore::new(3);
    let requests = || [9, 4, 7].map(|carrier| track(&pool, carrier).boxed());
    assert_eq!(broken(requests(), &pool).await, Ok(4));
    assert_eq!(fixed(requests(), &pool).await, Ok(4));
}
// ANCHOR_END: all
