//! Single flight: many tasks ask for one value, and it is computed once.
//!
//! Two of the ways are programs of the book: `Memo` of "Cache async results", and
//! `SingleFlight` of "Single flight: prevent cache stampedes". All ways have the
//! same keys and the same values.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures::future::join_all;
use tokio::sync::{Notify, OnceCell};
use tokio::task::JoinSet;

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod cache {
    include!("../../snippets/advanced-patterns/cache/cache.rs");
    use super::{HOUR, Key, Once};

    pub fn memo<F>(compute: fn(Key) -> F, capacity: usize) -> impl Once
    where
        F: Future<Output = anyhow::Result<f64>> + Send + 'static,
    {
        Memo::new(compute, HOUR, capacity as u64, HOUR)
    }

    impl Once for Memo<Key, f64> {
        async fn value(&self, key: Key) -> Option<f64> {
            self.get(&key).await.ok()
        }
    }
}

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod single_flight {
    include!("../../snippets/advanced-patterns/single-flight/single_flight.rs");
    use super::{HOUR, Key, Once};

    pub fn flights<F>(compute: fn(Key) -> F, capacity: usize) -> impl Once
    where
        F: Future<Output = anyhow::Result<f64>> + Send + 'static,
    {
        let (flights, timeout) = (Mutex::default(), HOUR);
        let values =
            SingleFlight { flights, timeout, time_to_live: HOUR, capacity };
        Flights { values, compute }
    }

    struct Flights<F> {
        values: SingleFlight<f64>,
        compute: fn(Key) -> F,
    }

    impl<F> Once for Flights<F>
    where
        F: Future<Output = anyhow::Result<f64>> + Send + 'static,
    {
        async fn value(&self, key: Key) -> Option<f64> {
            let compute = self.compute;
            self.values.get(key, move || compute(key)).await.ok()
        }
    }
}

use cache::memo;
use single_flight::flights;

use super::{HOUR, piece};

/// A key is static, so that a task is passed one without an allocation.
pub type Key = &'static str;

/// A way to compute the value of a key once, however many tasks ask for it.
pub trait Once: Send + Sync + 'static {
    /// The value, or `None` if it could not be computed.
    fn value(&self, key: Key) -> impl Future<Output = Option<f64>> + Send;
}

/// A `OnceCell` for each key, in a map that has no bound and no time to live.
fn cells<F>(compute: fn(Key) -> F) -> impl Once
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    Cells { cells: Mutex::default(), compute }
}

struct Cells<F> {
    cells: Mutex<HashMap<Key, Arc<OnceCell<f64>>>>,
    compute: fn(Key) -> F,
}

impl<F> Once for Cells<F>
where
    F: Future<Output = Result<f64>> + Send + 'static,
{
    async fn value(&self, key: Key) -> Option<f64> {
        let cell = {
            let mut cells = self.cells.lock().expect("never poisoned");
            Arc::clone(cells.entry(key).or_default())
        };
        let compute = || (self.compute)(key);
        cell.get_or_try_init(compute).await.ok().copied()
    }
}

/// A value that comes when all tasks have asked for it.
struct Rate {
    asking: AtomicU64,
    all_ask: Notify,
    computed: AtomicU64,
}

static RATE: Rate = Rate {
    asking: AtomicU64::new(0),
    all_ask: Notify::const_new(),
    computed: AtomicU64::new(0),
};

async fn rate(_: Key) -> Result<f64> {
    RATE.computed.fetch_add(1, Relaxed);
    RATE.all_ask.notified().await;
    Ok(1.08)
}

/// Lets waiters ask for one value that is not known yet, and waits until all of
/// them have it. Each is a task of its own, unless the way says otherwise.
pub async fn unknown(way: &str, waiters: u64) -> Result<(f64, u64)> {
    piece(waiters, || once_unknown(way, waiters)).await
}

async fn once_unknown(way: &str, waiters: u64) -> Result<Duration> {
    const CAPACITY: usize = 100;
    RATE.asking.store(0, Relaxed);
    RATE.computed.store(0, Relaxed);
    let (time, values) = match way {
        "flights" => in_tasks(flights(rate, CAPACITY), waiters).await,
        "moka" => in_tasks(memo(rate, CAPACITY), waiters).await,
        "moka_join_all" => in_one_task(memo(rate, CAPACITY), waiters).await,
        "cells" => in_tasks(cells(rate), waiters).await,
        _ => bail!("no way {way}"),
    };
    ensure!(values == vec![Some(1.08); waiters as usize]);
    ensure!(RATE.computed.load(Relaxed) == 1);
    Ok(time)
}

async fn in_tasks(
    way: impl Once,
    waiters: u64,
) -> (Duration, Vec<Option<f64>>) {
    let way = Arc::new(way);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..waiters {
        let way = Arc::clone(&way);
        tasks.spawn(async move { wait(&*way, waiters).await });
    }
    let values = tasks.join_all().await;
    (start.elapsed(), values)
}

async fn in_one_task(
    way: impl Once,
    waiters: u64,
) -> (Duration, Vec<Option<f64>>) {
    let start = Instant::now();
    let values = join_all((0..waiters).map(|_| wait(&way, waiters))).await;
    (start.elapsed(), values)
}

async fn wait(way: &impl Once, waiters: u64) -> Option<f64> {
    if RATE.asking.fetch_add(1, AcqRel) + 1 == waiters {
        RATE.all_ask.notify_one();
    }
    way.value("EUR").await
}

static COMPUTED: AtomicU64 = AtomicU64::new(0);

/// The number that a key is made of.
async fn number(key: Key) -> Result<f64> {
    COMPUTED.fetch_add(1, Relaxed);
    Ok(key.parse()?)
}

/// Lets four tasks ask for values that are known.
pub async fn known(way: &str, keys: u64) -> Result<(f64, u64)> {
    let capacity = 4 * keys as usize;
    match way {
        "flights" => hits(flights(number, capacity), keys).await,
        "moka" => hits(memo(number, capacity), keys).await,
        "cells" => hits(cells(number), keys).await,
        _ => bail!("no way {way}"),
    }
}

async fn hits(way: impl Once, count: u64) -> Result<(f64, u64)> {
    const HITS: u64 = 200_000;
    let key = |number: u64| -> Key { number.to_string().leak() };
    let (way, keys) = (Arc::new(way), (0..count).map(key));
    let keys: Arc<[Key]> = keys.collect();
    for key in &*keys {
        ensure!(way.value(key).await.is_some(), "{key}: no value");
    }
    piece(HITS, || async {
        let hits = HITS / 4;
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let (way, keys) = (Arc::clone(&way), Arc::clone(&keys));
            tasks.spawn(async move {
                let mut sum = 0.0;
                for n in 0..hits {
                    sum += way.value(keys[(n % count) as usize]).await?;
                }
                Some(sum)
            });
        }
        let sums = tasks.join_all().await;
        let time = start.elapsed();
        let sum = ((0..count).sum::<u64>() * (hits / count)) as f64;
        ensure!(sums == [Some(sum); 4]);
        ensure!(COMPUTED.load(Relaxed) == count);
        Ok(time)
    })
    .await
}
