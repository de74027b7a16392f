// ANCHOR: all
// ANCHOR: keep
use std::future::Future;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time;

/// There is no room, so the work was not started.
#[derive(Debug, thiserror::Error)]
#[error("busy")]
struct Busy;

/// A limit that many callers share: how many run at the same time, how many
/// more may wait, and for how long.
struct Limit {
    places: Semaphore,
    permits: Semaphore,
    wait: Duration,
}

impl Limit {
    // ANCHOR: new
    fn new(limit: NonZeroUsize, queue: usize, wait: Duration) -> Self {
        let places = limit.saturating_add(queue);
        let [places, permits] = [places, limit].map(|permits| {
            Semaphore::new(permits.get().min(Semaphore::MAX_PERMITS))
        });
        Limit { places, permits, wait }
    }
    // ANCHOR_END: new

    /// Waits for a permit, and runs the work. The caller must not be running
    /// in the same limit.
    async fn run<F: Future>(
        &self,
        work: impl FnOnce() -> F,
    ) -> Result<F::Output, Busy> {
        // ANCHOR: place
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        // ANCHOR_END: place
        // ANCHOR: wait
        let permit = time::timeout(self.wait, self.permits.acquire());
        let Ok(Ok(_permit)) = permit.await else {
            return Err(Busy);
        };
        // ANCHOR_END: wait
        // ANCHOR: work
        Ok(work().await)
        // ANCHOR_END: work
    }
}
// ANCHOR_END: keep

// ANCHOR: fixed_keys
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

/// A `Limit` for each key. It holds only the keys that are in use, with the
/// number of their callers.
struct KeyedLimit<K: Clone + Eq + Hash> {
    limit: NonZeroUsize,
    queue: usize,
    wait: Duration,
    keys: Mutex<HashMap<K, (usize, Arc<Limit>)>>,
}

impl<K: Clone + Eq + Hash> KeyedLimit<K> {
    fn new(limit: NonZeroUsize, queue: usize, wait: Duration) -> Self {
        KeyedLimit { limit, queue, wait, keys: Mutex::default() }
    }

    async fn run<F: Future>(
        &self,
        key: K,
        work: impl FnOnce() -> F,
    ) -> Result<F::Output, Busy> {
        let caller = self.enter(key);
        caller.limit.run(work).await
    }

    fn enter(&self, key: K) -> Caller<'_, K> {
        let mut keys = self.keys();
        let (callers, limit) = keys.entry(key.clone()).or_insert_with(|| {
            (0, Arc::new(Limit::new(self.limit, self.queue, self.wait)))
        });
        *callers += 1;
        Caller { all: self, key, limit: Arc::clone(limit) }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<K, (usize, Arc<Limit>)>> {
        self.keys.lock().expect("no panic while it is locked")
    }
}

/// A call that waits or runs.
struct Caller<'a, K: Clone + Eq + Hash> {
    all: &'a KeyedLimit<K>,
    key: K,
    limit: Arc<Limit>,
}

/// The last caller removes the key, even if it is cancelled, or panics.
impl<K: Clone + Eq + Hash> Drop for Caller<'_, K> {
    fn drop(&mut self) {
        let mut keys = self.all.keys();
        let (callers, _) = keys.get_mut(&self.key).expect("it is in use");
        *callers -= 1;
        if *callers == 0 {
            keys.remove(&self.key);
        }
    }
}
// ANCHOR_END: fixed_keys

// Requests to a carrier, and what must come of them.
use std::future::{pending, ready};
use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::bail;
use futures::future::{join, join_all};
use futures::{FutureExt, poll};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const THREE: NonZeroUsize = NonZeroUsize::new(3).expect("not 0");

#[derive(Default)]
struct Carrier {
    parcels: Mutex<Vec<u32>>,
    pending: AtomicUsize,
    peak: AtomicUsize,
}

/// A pending request. Its end is seen even if it is dropped.
struct Request<'a>(&'a Carrier);

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Relaxed);
    }
}

impl Carrier {
    /// Answers after a second. Does not know 404, has a bug for 13, and is
    /// silent for 99.
    async fn track(&self, parcel: u32) -> anyhow::Result<&'static str> {
        let pending_now = self.pending.fetch_add(1, Relaxed) + 1;
        let _request = Request(self);
        self.peak.fetch_max(pending_now, Relaxed);
        self.parcels.lock().expect("no panic within").push(parcel);
        sleep(SECOND).await;
        match parcel {
            404 => bail!("404 Not Found"),
            13 => panic!("a comma in the number"),
            99 => pending().await,
            _ => Ok("in transit"),
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let carrier = Carrier::default();
    // ANCHOR: call
    // Once, with a number from the settings: "0" is an error.
    let limit = "3".parse()?;
    let limit = Arc::new(Limit::new(limit, 15, 5 * SECOND));

    // In each caller:
    match limit.run(|| carrier.track(7)).await {
        Ok(result) => println!("parcel 7 is {}", result?),
        Err(Busy) => println!("503 Service Unavailable"),
    }
    // ANCHOR_END: call

    assert!("0".parse::<NonZeroUsize>().is_err());
    let unbounded = Limit::new(NonZeroUsize::MAX, usize::MAX, SECOND);
    assert!(unbounded.run(|| ready(())).await.is_ok());
    // How many calls come at once; the limit, the queue and the longest wait.
    // And then: how many run, the most at a time, and the seconds in all.
    for (case, calls, queue, wait, done, peak, seconds) in [
        ("limit", 12, 100, 5, 12, 3, 4),
        ("full", 12, 4, 5, 7, 3, 3),
        ("no queue", 12, 0, 5, 3, 3, 1),
        ("slow", 12, 100, 2, 9, 3, 3),
    ] {
        let (start, carrier) = (Instant::now(), Carrier::default());
        // Just before a call ends, the wait of another one ends.
        let wait = wait * SECOND + SECOND / 2;
        let limit = Limit::new(THREE, queue, wait);
        let carrier = &carrier;
        let calls = (0..calls).map(|n| limit.run(move || carrier.track(n)));
        let ends = join_all(calls).await;
        let (refused, ended): (Vec<_>, Vec<_>) =
            ends.into_iter().partition(Result::is_err);
        let (busy, most) = (refused.len(), carrier.peak.load(Relaxed));
        let elapsed = start.elapsed().as_secs();
        println!(
            "{case}: {} done, {busy} busy, at most {most} at once, {elapsed} s",
            ended.len()
        );
        assert_eq!((ended.len(), most, elapsed), (done, peak, seconds));
        assert!(carrier.parcels.lock().expect("no panic").is_sorted());
        free(&limit, queue);
    }
    ends().await;
    nested().await;
    runs_on().await?;
    large().await;
    customers().await;
    keys().await;
    Ok(())
}

/// No place and no permit is lost.
fn free(limit: &Limit, queue: usize) {
    let permits = limit.permits.available_permits();
    assert_eq!((permits, limit.places.available_permits()), (3, 3 + queue));
}

/// However a call ends, its permit is free.
async fn ends() {
    let carrier = &Carrier::default();
    let limit = Limit::new(THREE, 100, 5 * SECOND);
    let track = |parcel| limit.run(move || carrier.track(parcel));
    // ANCHOR: limited
    let ends = join_all((0..5).map(track)).await;
    // ANCHOR_END: limited
    assert!(ends.iter().all(Result::is_ok));
    let ends = join_all((0..12).map(|_| track(404))).await;
    let errors = ends.iter().filter(|end| matches!(end, Ok(Err(_))));
    println!("errors: {}", errors.count());
    free(&limit, 100);

    let panics = (0..4).map(|_| AssertUnwindSafe(track(13)).catch_unwind());
    let ends = join_all(panics).await;
    println!("panics: {}", ends.iter().filter(|end| end.is_err()).count());
    free(&limit, 100);

    let calls = join_all((0..12).map(|_| track(7)));
    assert!(timeout(SECOND / 2, calls).await.is_err());
    let most = carrier.peak.load(Relaxed);
    println!("cancelled: {most} requests are dropped, 9 are not sent");
    assert_eq!((most, carrier.pending.load(Relaxed)), (3, 0));
    free(&limit, 100);

    let start = Instant::now();
    let calls = [track(99), track(99), track(99), track(7)];
    let calls = calls.map(|call| timeout(60 * SECOND, call));
    let ends = join_all(calls).await;
    println!("silent: 3 do not end, the next is busy");
    assert!(matches!(ends[3], Ok(Err(Busy))));
    assert!(ends[..3].iter().all(Result::is_err));
    assert_eq!(start.elapsed(), 60 * SECOND);
    free(&limit, 100);

    let mut kept = Box::pin(limit.run(|| sleep(SECOND)));
    assert!(poll!(&mut kept).is_pending());
    sleep(60 * SECOND).await;
    assert_eq!(limit.permits.available_permits(), 2);
    println!("not polled: its permit is not free");
    kept.await.expect("it was not full");
    free(&limit, 100);
}

/// The work waits for a permit of the limit in which it runs.
async fn nested() {
    let limit = Limit::new(NonZeroUsize::MIN, 100, 5 * SECOND);
    let start = Instant::now();
    let end = limit.run(|| limit.run(async || ())).await;
    assert!(matches!(end, Ok(Err(Busy))));
    println!("nested: busy after {} s", start.elapsed().as_secs());
    assert_eq!(start.elapsed(), 5 * SECOND);
}

/// The caller is cancelled, and its work is a task.
async fn runs_on() -> anyhow::Result<()> {
    let (limit, task) = (Limit::new(THREE, 0, SECOND), sleep(10 * SECOND));
    let mut handle = tokio::spawn(task);
    let call = limit.run(|| &mut handle);
    assert!(timeout(SECOND, call).await.is_err());
    assert!(!handle.is_finished());
    free(&limit, 0);
    println!("spawned: the permit is free, and the task runs on");
    handle.await?;

    // Here the task itself is the caller, and holds the permit.
    let limit = Arc::new(limit);
    let task = Arc::clone(&limit);
    let work = || sleep(10 * SECOND);
    let mut handle = tokio::spawn(async move { task.run(work).await });
    assert!(timeout(SECOND, &mut handle).await.is_err());
    assert_eq!(limit.permits.available_permits(), 2);
    handle.await??;
    free(&limit, 0);
    Ok(())
}

/// Two permits are free, and a caller waits for three.
async fn large() {
    let permits = Semaphore::new(3);
    let one = permits.acquire().await.expect("open");
    let mut three = Box::pin(permits.acquire_many(3));
    assert!((&mut three).now_or_never().is_none());
    assert!(permits.acquire().now_or_never().is_none());
    assert_eq!(permits.available_permits(), 0);
    println!("large: a small one waits behind it");
    drop(three);
    assert_eq!(permits.available_permits(), 2);

    // What a forgotten permit, and a closed semaphore do.
    mem::forget(permits.acquire().await);
    drop(one);
    assert_eq!(permits.available_permits(), 2);
    let waits = permits.acquire_many(3);
    permits.close();
    assert!(waits.await.is_err());
    println!("forgotten: 2 of 3 permits are left");

    let limit = Limit::new(THREE, 0, SECOND);
    limit.permits.close();
    let end = limit.run(async || ()).await;
    assert!(matches!(end, Err(Busy)));
}

/// Customer 1 sends 30 calls, and then customer 2 sends one.
async fn customers() {
    let work = || sleep(SECOND);
    let start = Instant::now();
    let all = Limit::new(THREE, 100, 60 * SECOND);
    let first = join_all((0..30).map(|_| all.run(work)));
    let second = all.run(work).map(|_| start.elapsed().as_secs());
    let (_, seconds) = join(first, second).await;
    println!("one limit: customer 2 is done after {seconds} s");
    assert_eq!(seconds, 11);

    // ANCHOR: keys
    let two = NonZeroUsize::new(2).expect("not 0");
    let each = KeyedLimit::new(two, 100, 60 * SECOND);
    let call = async |customer| each.run(customer, || all.run(work)).await?;
    // ANCHOR_END: keys
    let start = Instant::now();
    let first = join_all((0..30).map(|_| call("customer 1")));
    let second = call("customer 2").map(|_| start.elapsed().as_secs());
    let (ends, seconds) = join(first, second).await;
    println!("a limit for each customer: after {seconds} s");
    assert_eq!((seconds, start.elapsed()), (1, 15 * SECOND));
    assert!(ends.iter().all(Result::is_ok));
    assert!(each.keys().is_empty());
}

/// A key is removed, however its calls end.
async fn keys() {
    let limit = KeyedLimit::new(NonZeroUsize::MIN, 1, SECOND / 2);
    let call = |key: u32| limit.run(key, || sleep(SECOND));
    let ends = join_all([7, 7, 7].map(call)).await;
    let done: Vec<_> = ends.iter().map(Result::is_ok).collect();
    assert_eq!(done, [true, false, false]);
    assert!(limit.keys().is_empty());

    let calls = join_all([7, 7].map(call));
    assert!(timeout(SECOND / 4, calls).await.is_err());
    assert!(limit.keys().is_empty());

    let panics = limit.run(7, async || panic!("a comma in the number"));
    assert!(AssertUnwindSafe(panics).catch_unwind().await.is_err());
    assert!(limit.keys().is_empty());

    let carrier = Carrier::default();
    let call = |key| limit.run(key, || carrier.track(7));
    let ends = join(join_all((0..100).map(call)), async {
        sleep(SECOND / 2).await;
        limit.keys().len()
    });
    let (ends, held) = ends.await;
    assert!(ends.iter().all(Result::is_ok));
    let most = carrier.peak.load(Relaxed);
    println!("100 keys of one caller: {most} at once");
    assert_eq!((most, held, limit.keys().len()), (100, 100, 0));
}
// ANCHOR_END: all
