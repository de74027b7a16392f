use std::time::Duration;

use futures::FutureExt;
use tokio::join;
use tokio::sync::Barrier;
use tokio::time::timeout;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: barrier
    let barrier = Barrier::new(2);
    for round in 1..=2 {
        let (first, second) = join!(barrier.wait(), barrier.wait());
        assert!(first.is_leader() != second.is_leader());
        println!("round {round}: two tasks, and one of them leads");
    }

    let wait = timeout(Duration::from_secs(5), barrier.wait());
    assert!(wait.await.is_err());
    assert!(barrier.wait().now_or_never().is_some(), "it does not wait");
    println!("cancelled: still counted, so one task passes alone");
    // ANCHOR_END: barrier
}
