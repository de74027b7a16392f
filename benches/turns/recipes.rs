//! What recipes are made of, as their pages show it, and what they ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures::future::{BoxFuture, FutureExt, Shared, TryFutureExt};
use moka::future::Cache;
use rayon::ThreadPool;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

pub const HOUR: Duration = Duration::from_secs(3_600);

/// That of the page on caching.
pub struct Memo<K, V, F> {
    cache: Cache<K, V>,
    function: F,
}

impl<K, V, E, F, Computing> Memo<K, V, F>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    F: Fn(K) -> Computing,
    Computing: Future<Output = Result<V, E>>,
{
    pub fn new(function: F, capacity: u64, time_to_live: Duration) -> Self {
        let cache = Cache::builder()
            .max_capacity(capacity)
            .time_to_live(time_to_live)
            .build();
        Self { cache, function }
    }

    pub async fn get(&self, key: &K) -> Result<V, Arc<E>> {
        let compute = async { (self.function)(key.clone()).await };
        self.cache.try_get_with_by_ref(key, compute).await
    }
}

pub type Flight<T> = Shared<BoxFuture<'static, Result<T, Arc<anyhow::Error>>>>;

/// That of the page on asking once.
pub struct Rates<K, T> {
    flights: Mutex<HashMap<K, (Instant, Flight<T>)>>,
    time_to_live: Duration,
    capacity: usize,
}

impl<K: Hash + Eq + Clone, T: Clone + Send + Sync + 'static> Rates<K, T> {
    pub fn new(capacity: usize) -> Self {
        Self { flights: Mutex::default(), time_to_live: HOUR, capacity }
    }

    pub fn get<F>(&self, key: &K, ask: F) -> Flight<T>
    where
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
    {
        let mut flights = self.flights.lock().expect("never poisoned");
        if let Some((begun, flight)) = flights.get(key) {
            let failed = matches!(flight.peek(), Some(Err(_)));
            if !failed && begun.elapsed() < self.time_to_live {
                return flight.clone();
            }
        }
        flights.remove(key); // too old, or failed
        if flights.len() >= self.capacity {
            let oldest = flights.iter().min_by_key(|(_, (begun, _))| begun);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                flights.remove(&oldest);
            }
        }
        let task = AbortOnDropHandle::new(tokio::spawn(ask));
        let flight = async { task.await? }.map_err(Arc::new).boxed().shared();
        let begun = Instant::now();
        flights.insert(key.clone(), (begun, flight.clone()));
        flight
    }
}

/// That of the page on threads.
pub async fn compute<T: Send + 'static>(
    pool: &ThreadPool,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = oneshot::channel();
    pool.spawn(move || {
        if !sender.is_closed() {
            let outcome = catch_unwind(AssertUnwindSafe(work));
            let _ = sender.send(outcome); // fails if nobody waits any more
        }
    });
    match receiver.await.expect("the pool runs what it is given") {
        Ok(value) => value,
        Err(panic) => resume_unwind(panic),
    }
}

/// Every item goes to one consumer.
pub async fn queue(
    way: &str,
    producers: u64,
    consumers: u64,
    items: u64,
) -> Result<Duration> {
    const BOUND: usize = 100;
    let ends = producers.max(consumers);
    let numbers = |end| (end..items).step_by(producers as usize);
    let start = Instant::now();
    let (mut senders, mut receivers) = (JoinSet::new(), JoinSet::new());
    match way {
        "mpsc" => {
            let (sender, mut receiver) = mpsc::channel(BOUND);
            for end in 0..producers {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send(number).await.expect("it is read");
                    }
                });
            }
            drop(sender);
            receivers.spawn(async move {
                let mut sum = 0;
                while let Some(number) = receiver.recv().await {
                    sum += number;
                }
                sum
            });
        }
        "mutex" => {
            let (sender, receiver) = mpsc::channel(BOUND);
            let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
            for end in 0..ends {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send(number).await.expect("it is read");
                    }
                });
                let receiver = Arc::clone(&receiver);
                receivers.spawn(async move {
                    let mut sum = 0;
                    loop {
                        let next = receiver.lock().await.recv().await;
                        let Some(number) = next else { return sum };
                        sum += number;
                    }
                });
            }
        }
        "async_channel" => {
            let (sender, receiver) = async_channel::bounded(BOUND);
            for end in 0..producers {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send(number).await.expect("it is read");
                    }
                });
            }
            for _ in 0..consumers {
                let receiver = receiver.clone();
                receivers.spawn(async move {
                    let mut sum = 0;
                    while let Ok(number) = receiver.recv().await {
                        sum += number;
                    }
                    sum
                });
            }
        }
        "flume" => {
            let (sender, receiver) = flume::bounded(BOUND);
            for end in 0..producers {
                let (sender, numbers) = (sender.clone(), numbers(end));
                senders.spawn(async move {
                    for number in numbers {
                        sender.send_async(number).await.expect("it is read");
                    }
                });
            }
            for _ in 0..consumers {
                let receiver = receiver.clone();
                receivers.spawn(async move {
                    let mut sum = 0;
                    while let Ok(number) = receiver.recv_async().await {
                        sum += number;
                    }
                    sum
                });
            }
        }
        _ => bail!("no way {way}"),
    }
    senders.join_all().await;
    let sums = receivers.join_all().await;
    let time = start.elapsed();
    ensure!(sums.into_iter().sum::<u64>() == items * (items - 1) / 2);
    Ok(time)
}

/// The answer comes when all have asked.
#[derive(Default)]
pub struct Bank {
    pub questions: AtomicU64,
    asking: AtomicU64,
    all: Notify,
}

impl Bank {
    pub fn one_more(&self, size: u64) {
        if self.asking.fetch_add(1, AcqRel) + 1 == size {
            self.all.notify_one();
        }
    }

    pub async fn answer(self: Arc<Self>) -> Result<u64> {
        self.questions.fetch_add(1, Relaxed);
        self.all.notified().await;
        Ok(108)
    }
}
