// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

type End = Result<(), &'static str>;

/// Holds a rope until it ends; `Arc` counts them.
async fn climb(_rope: Arc<()>, hours: u64) -> End {
    sleep(Duration::from_secs(3600 * hours)).await;
    if hours == 1 { Err("no bridge in the south") } else { Ok(()) }
}

fn start(ropes: &Arc<()>) -> JoinSet<End> {
    JoinSet::from_iter([3, 1, 2].map(|hours| climb(ropes.clone(), hours)))
}

// ANCHOR: broken
/// Broken: `?` leaves, and drops the set.
async fn hasty(ropes: &Arc<()>) -> End {
    let mut tasks = start(ropes);
    while let Some(end) = tasks.join_next().await {
        end.expect("no panic")?;
    }
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: leaves when the others are down. Their errors are lost.
async fn patient(ropes: &Arc<()>) -> End {
    let mut tasks = start(ropes);
    while let Some(end) = tasks.join_next().await {
        if let Err(error) = end.expect("no panic") {
            tasks.shutdown().await;
            return Err(error);
        }
    }
    Ok(())
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let ropes = Arc::new(());
    let used = || Arc::strong_count(&ropes) - 1;

    assert!(hasty(&ropes).await.is_err());
    println!("left at once: {} ropes in use", used());
    assert_eq!(used(), 2);

    sleep(Duration::from_secs(1)).await; // they are aborted by now
    assert!(patient(&ropes).await.is_err());
    println!("shut down: {} ropes in use", used());
    assert_eq!(used(), 0);
}
// ANCHOR_END: all
