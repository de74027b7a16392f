// ANCHOR: all
use std::mem::take;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep};

const HOUR: Duration = Duration::from_secs(3600);

type Unloaded = Result<&'static str, &'static str>;

static QUAY: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// What has been unloaded by now, a day later.
async fn on_the_quay() -> Vec<&'static str> {
    sleep(24 * HOUR).await;
    take(&mut QUAY.lock().expect("never poisoned"))
}

async fn unload(ship: &'static str, hours: u32) -> Unloaded {
    sleep(hours * HOUR).await;
    if ship == "Wreck" {
        return Err("the crane is too short");
    }
    QUAY.lock().expect("never poisoned").push(ship);
    Ok(ship)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let start = Instant::now();
    let (wreck, vega) = (|| unload("Wreck", 1), || unload("Vega", 2));
    let lyra = || unload("Lyra", 3);

    // try_join!, try_join_all: the first error drops the siblings.
    let failed = tokio::try_join!(wreck(), vega());
    assert!(failed.is_err() && start.elapsed() == HOUR);
    assert!(on_the_quay().await.is_empty(), "nobody unloads the Vega");
    assert!(try_join_all([wreck(), vega()]).await.is_err());
    assert!(on_the_quay().await.is_empty());
    println!("try_join!: an error drops the others");

    // join!, join_all: all of them, each with its own result.
    let (wreck, vega) = (wreck(), vega());
    assert_eq!(tokio::join!(wreck, vega).1, Ok("Vega"));
    assert_eq!(on_the_quay().await, ["Vega"]);
    let all = join_all([unload("Wreck", 1), lyra()]).await;
    assert_eq!(all, [Err("the crane is too short"), Ok("Lyra")]);
    assert_eq!(on_the_quay().await, ["Lyra"]);
    println!("join!: every result, in order");

    // JoinSet: cancel the siblings, and wait until they are gone.
    let crew = Arc::new(());
    let mut group = JoinSet::new();
    for hours in 1..=3 {
        let crew = crew.clone();
        group.spawn(async move {
            let done = unload("Vega", hours).await;
            drop(crew);
            done
        });
    }
    assert_eq!(group.join_next().await.expect("three")?, Ok("Vega"));
    group.abort_all();
    while let Some(end) = group.join_next().await {
        assert!(end.unwrap_err().is_cancelled());
    }
    assert_eq!(Arc::strong_count(&crew), 1, "nobody is on board");
    assert_eq!(on_the_quay().await, ["Vega"]);
    // Dropped, it aborts and does not wait.
    let aboard = crew.clone();
    group.spawn(async move { lyra().await.inspect(|_| drop(aboard)) });
    yield_now().await;
    drop(group);
    assert_eq!(Arc::strong_count(&crew), 2, "still on board");
    yield_now().await;
    assert_eq!(Arc::strong_count(&crew), 1);
    assert!(on_the_quay().await.is_empty());
    println!("JoinSet: abort_all and drain; drop does not wait");

    // The first to end: select! drops the loser, join_next keeps it.
    tokio::select! {
        first = unload("Vega", 2) => assert_eq!(first, Ok("Vega")),
        _ = unload("Lyra", 3) => unreachable!("it takes longer"),
    }
    assert_eq!(on_the_quay().await, ["Vega"]);
    let mut both = JoinSet::from_iter([unload("Lyra", 3), unload("Vega", 2)]);
    assert_eq!(both.join_next().await.expect("two")?, Ok("Vega"));
    assert_eq!(both.join_next().await.expect("one more")?, Ok("Lyra"));
    println!("select!: one; join_next: one after the other");

    // FuturesUnordered: the same without tasks.
    let both = [unload("Lyra", 3), unload("Vega", 2)];
    let both: FuturesUnordered<_> = both.into_iter().collect();
    assert_eq!(both.collect::<Vec<_>>().await, [Ok("Vega"), Ok("Lyra")]);
    println!("FuturesUnordered: as they end");
    Ok(())
}
// ANCHOR_END: all
