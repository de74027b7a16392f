// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::{OnceCell, SetOnce};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);

static READ: AtomicU32 = AtomicU32::new(0);

// ANCHOR: lazy
/// What it takes to make it is known here, and does not wait.
static RULES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    READ.fetch_add(1, Relaxed);
    "no shoes, no phones".split(", ").collect()
});

/// What it takes is known later, to whoever comes first.
static HOUSE: OnceLock<String> = OnceLock::new();
// ANCHOR_END: lazy

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    assert_eq!(READ.load(Relaxed), 0);
    let readers = (0..4).map(|_| spawn_blocking(|| RULES.len()));
    let rules = try_join_all(readers).await?;
    println!("LazyLock: made {READ:?} time, for {} readers", rules.len());
    assert_eq!((rules, READ.load(Relaxed)), (vec![2; 4], 1));

    assert_eq!(HOUSE.get_or_init(|| "birch".into()), "birch");
    assert_eq!(HOUSE.get_or_init(|| unreachable!()), "birch");
    println!("OnceLock: {:?}, from the first one", HOUSE.get());

    // ANCHOR: cell
    // OnceCell: whoever comes first makes it, and may await.
    let stove = OnceCell::new();
    let heat = async || {
        sleep(60 * MINUTE).await;
        let error = stove.set(90).expect_err("it is being heated");
        assert!(error.is_initializing_err());
        80
    };
    let (first, second) =
        tokio::join!(stove.get_or_init(&heat), stove.get_or_init(&heat));
    println!("OnceCell: {first} for one, {second} for the other");
    assert_eq!((first, second), (&80, &80));
    // ANCHOR_END: cell

    // ANCHOR: set
    // SetOnce: whoever comes waits, and somebody else brings it.
    let (bell, start) = (SetOnce::new(), Instant::now());
    assert!(timeout(9 * MINUTE, bell.wait()).await.is_err());
    let attendant = async {
        sleep(MINUTE).await;
        bell.set("come in").expect("nobody has rung yet");
    };
    let (heard, _, ()) = tokio::join!(bell.wait(), bell.wait(), attendant);
    println!("SetOnce: {heard:?}, after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), 10 * MINUTE);
    assert!(bell.set("go home").is_err(), "once is once");
    Ok(())
    // ANCHOR_END: set
}
// ANCHOR_END: all
