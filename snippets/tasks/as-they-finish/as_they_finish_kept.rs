// ANCHOR: all
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{JoinSet, yield_now};

/// A ballot's scan: alive as long as somebody holds it.
type Scan = Arc<Vec<u8>>;

fn hand_in() -> mpsc::Receiver<Scan> {
    let (voters, ballots) = mpsc::channel(1);
    tokio::spawn(async move {
        for _ in 0..1000 {
            voters.send(Arc::new(vec![1; 1024])).await.expect("open");
        }
    });
    ballots
}

async fn check(scan: Scan) -> Scan {
    yield_now().await;
    scan
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: the loop gives work to a set, and never takes the results.
    let mut ballots = hand_in();
    let (mut checks, mut most) = (JoinSet::new(), 0);
    while let Some(scan) = ballots.recv().await {
        checks.spawn(check(scan));
        most = most.max(checks.len());
    }
    println!("broken: {most} tasks held");
    assert_eq!(most, 1000);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: what has ended is taken in the same loop.
    let mut ballots = hand_in();
    let mut checks = JoinSet::<Scan>::new();
    let (mut most, mut checked) = (0, 0);
    loop {
        tokio::select! {
            biased;
            Some(ended) = checks.join_next() => {
                assert_eq!(ended?.len(), 1024);
                checked += 1;
            }
            Some(scan) = ballots.recv() => {
                checks.spawn(check(scan));
            }
            else => break,
        }
        most = most.max(checks.len());
    }
    println!("fixed: {most} tasks held, {checked} checked");
    assert_eq!(checked, 1000);
    assert!(most < 1000);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
