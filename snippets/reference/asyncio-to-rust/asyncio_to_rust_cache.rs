// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use moka::future::Cache;
use tokio::task::yield_now;

static ASKED: AtomicU32 = AtomicU32::new(0);

async fn tide(harbour: &str) -> Result<u32, String> {
    ASKED.fetch_add(1, Relaxed);
    yield_now().await;
    harbour.strip_prefix("Port ").map_or_else(
        || Err(format!("{harbour} is no harbour")),
        |name| Ok(name.len() as u32),
    )
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // moka: a bound, an age limit, and single flight.
    let tides: Cache<&str, u32> = Cache::builder()
        .max_capacity(100)
        .time_to_live(Duration::from_secs(3600))
        .build();
    let ask = |harbour| tides.try_get_with(harbour, tide(harbour));
    for answer in join_all((0..20).map(|_| ask("Port Louis"))).await {
        assert_eq!(answer, Ok(5));
    }
    assert_eq!(ASKED.load(Relaxed), 1);
    println!("20 answers, asked once");

    // An error is told, and not kept.
    for _ in 0..2 {
        let error = ask("Louis").await.unwrap_err();
        assert_eq!(*error, "Louis is no harbour");
    }
    assert_eq!(ASKED.load(Relaxed), 3);
    println!("2 errors, asked twice");
    Ok(())
}
// ANCHOR_END: all
