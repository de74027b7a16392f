// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

async fn count(minutes: u64) -> u64 {
    sleep(Duration::from_secs(60 * minutes)).await;
    100 * minutes
}

/// A box an hour, two in all.
fn deliver() -> (JoinSet<()>, mpsc::Receiver<u64>) {
    let (boxes, arriving) = mpsc::channel(1);
    let van = async move {
        for minutes in [20, 45] {
            sleep(Duration::from_secs(3600)).await;
            boxes.send(minutes).await.expect("the hall is open");
        }
    };
    (JoinSet::from_iter([van]), arriving)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: an empty set is done at once, and the loop asks it again.
    let (van, mut arriving) = deliver();
    let mut counts = JoinSet::<u64>::new();
    let other = tokio::spawn(async {});
    let mut asked = 0;
    while asked < 1000 {
        tokio::select! {
            Some(minutes) = arriving.recv() => {
                counts.spawn(count(minutes));
            }
            ended = counts.join_next() => {
                assert!(ended.is_none());
                asked += 1;
            }
        }
    }
    println!("broken: asked {asked} times before the first box arrives");
    assert!(!other.is_finished(), "it has not even got the thread");
    other.await?;
    drop(van);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a branch whose pattern does not match is out of this `select!`.
    let (van, mut arriving) = deliver();
    let (mut asked, mut votes) = (0, 0);
    let election = async {
        loop {
            asked += 1;
            tokio::select! {
                Some(minutes) = arriving.recv() => {
                    counts.spawn(count(minutes));
                }
                Some(ended) = counts.join_next() => votes += ended?,
                else => return anyhow::Ok(()), // no box, and nothing to count
            }
        }
    };
    timeout(Duration::from_secs(86_400), election).await??;
    println!("fixed: asked {asked} times, {votes} votes");
    assert_eq!((asked, votes), (5, 6500));
    van.join_all().await;
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
