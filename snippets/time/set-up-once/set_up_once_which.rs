// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::{OnceCell, SetOnce};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

static READ: AtomicU32 = AtomicU32::new(0);

// ANCHOR: sync
/// Made by the first reader, of what is known here.
static CITIES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    READ.fetch_add(1, Relaxed);
    "Lisbon, Oslo".split(", ").collect()
});

/// Made or set by the first caller, of what it brings.
static REGION: OnceLock<String> = OnceLock::new();
// ANCHOR_END: sync

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    assert_eq!(READ.load(Relaxed), 0);
    let readers = (0..4).map(|_| spawn_blocking(|| CITIES.len()));
    let cities = try_join_all(readers).await?;
    println!("LazyLock: made {READ:?} time, for {} readers", cities.len());
    assert_eq!((cities, READ.load(Relaxed)), (vec![2; 4], 1));

    assert_eq!(REGION.get_or_init(|| "north".into()), "north");
    assert_eq!(REGION.set("south".into()), Err("south".into()));
    println!("OnceLock: {:?}, from the first caller", REGION.get());
    assert_eq!(REGION.get().map(String::as_str), Some("north"));

    // OnceCell: `set` fails while a caller initialises.
    let session = OnceCell::new();
    let sign_in = async || {
        sleep(10 * SECOND).await;
        let error = session.set(2).expect_err("it is being initialised");
        assert!(error.is_initializing_err());
        1
    };
    let (first, second) = tokio::join!(
        session.get_or_init(&sign_in),
        session.get_or_init(&sign_in)
    );
    println!("OnceCell: {first} for the first caller, {second} for the second");
    assert_eq!((first, second), (&1, &1));

    // SetOnce: another task sets it.
    let (session, start) = (SetOnce::new(), Instant::now());
    assert!(timeout(9 * SECOND, session.wait()).await.is_err());
    let other = async {
        sleep(SECOND).await;
        session.set(1).expect("not yet set");
    };
    let (first, second, ()) =
        tokio::join!(session.wait(), session.wait(), other);
    println!("SetOnce: {first}, {second}, after {:?}", start.elapsed());
    assert_eq!(start.elapsed(), 10 * SECOND);
    assert!(session.set(2).is_err());
    Ok(())
}
// ANCHOR_END: all
