// ANCHOR: all
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const SECONDS: [u64; 3] = [3, 1, 2];

/// A station that takes so many seconds to answer, and says so.
async fn read(seconds: u64) -> u64 {
    sleep(Duration::from_secs(seconds)).await;
    seconds
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: order
    // In the order of the questions.
    let asked = join_all(SECONDS.map(read)).await;
    assert_eq!(asked, [3, 1, 2]);

    let asked = join_all(SECONDS.map(|s| tokio::spawn(read(s)))).await;
    let asked = asked.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert_eq!(asked, [3, 1, 2]);

    // In the order of the answers.
    let mut tasks = JoinSet::from_iter(SECONDS.map(read));
    let mut answered = Vec::new();
    while let Some(seconds) = tasks.join_next().await {
        answered.push(seconds?);
    }
    assert_eq!(answered, [1, 2, 3]);
    // ANCHOR_END: order

    // ANCHOR: first
    // What order costs: the first result waits for the first question.
    let start = Instant::now();
    let mut asked = stream::iter(SECONDS).map(read).buffered(3);
    assert_eq!(asked.next().await, Some(3));
    println!("buffered: first result after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(3));

    let start = Instant::now();
    let mut answered = stream::iter(SECONDS).map(read).buffer_unordered(3);
    assert_eq!(answered.next().await, Some(1));
    println!("buffer_unordered: first result after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    // ANCHOR_END: first
    Ok(())
}
// ANCHOR_END: all
