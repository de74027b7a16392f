// ANCHOR: all
// ANCHOR: keep
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};
use std::{task::Poll, time::Duration};

use tokio::{runtime::Handle, time::Instant, time::sleep};
use tokio_util::time::{DelayQueue, delay_queue};

const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// The jobs, the queue's key for each name, and whether it is closed.
type Jobs<K, J> = (DelayQueue<(K, J)>, HashMap<K, delay_queue::Key>, bool);

struct Schedule<K, J> {
    jobs: Mutex<Jobs<K, J>>,
    turn: tokio::sync::Mutex<()>,
    capacity: usize,
    runtime: Handle,
}

impl<K: Clone + Eq + Hash, J> Schedule<K, J> {
    // ANCHOR: new
    fn new(capacity: usize) -> Self {
        drop(sleep(Duration::ZERO)); // panics here, not under the lock
        let (jobs, turn) = Default::default();
        Schedule { jobs, turn, capacity, runtime: Handle::current() }
    }
    // ANCHOR_END: new

    fn lock(&self) -> MutexGuard<'_, Jobs<K, J>> {
        self.jobs.lock().expect("no panic while it is held")
    }

    // ANCHOR: call_later
    /// Returns the job that it replaces, or an error with the refused job.
    fn call_later(
        &self,
        name: K,
        job: J,
        delay: Duration,
    ) -> Result<Option<J>, J> {
        let _entered = self.runtime.enter(); // its timer, not the caller's
        let (queue, keys, closed) = &mut *self.lock();
        let full = !keys.contains_key(&name) && keys.len() >= self.capacity;
        if *closed || full || delay > LONGEST {
            return Err(job);
        }
        let key = queue.insert((name.clone(), job), delay);
        Ok(keys.insert(name, key).map(|old| queue.remove(&old).into_inner().1))
    }
    // ANCHOR_END: call_later

    // ANCHOR: cancel
    fn cancel(&self, name: &K) -> Option<J> {
        let (queue, keys, _) = &mut *self.lock();
        keys.remove(name).map(|key| queue.remove(&key).into_inner().1)
    }
    // ANCHOR_END: cancel

    // ANCHOR: next
    /// Waits until a job is due. Returns its name, the job and its deadline.
    async fn next(&self) -> (K, J, Instant) {
        let _turn = self.turn.lock().await; // the queue wakes one task
        let due = poll_fn(|cx| {
            let (queue, keys, _) = &mut *self.lock();
            let Poll::Ready(Some(expired)) = queue.poll_expired(cx) else {
                return Poll::Pending; // none is due, or it is empty
            };
            let deadline = expired.deadline();
            let (name, job) = expired.into_inner();
            keys.remove(&name);
            Poll::Ready((name, job, deadline))
        });
        due.await
    }
    // ANCHOR_END: next
}
// ANCHOR_END: keep

// ANCHOR: left
impl<K: Clone + Eq + Hash, J> Schedule<K, J> {
    /// Takes out what is left, each job with its deadline. From now on,
    /// `call_later` refuses all jobs.
    fn drain(&self) -> Vec<(K, J, Instant)> {
        let (queue, keys, closed) = &mut *self.lock();
        *closed = true;
        let take = |(_, key)| {
            let expired = queue.remove(&key);
            let deadline = expired.deadline();
            let (name, job) = expired.into_inner();
            (name, job, deadline)
        };
        keys.drain().map(take).collect()
    }
}
// ANCHOR_END: left

// Reminders for parcels that wait at a shop, and what must come of them.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use futures::poll;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{advance, timeout};
use tokio_util::sync::CancellationToken;

const SECOND: Duration = Duration::from_secs(1);
static REMINDED: AtomicU32 = AtomicU32::new(0);

type Reminders = Schedule<u32, &'static str>;

/// Sends a reminder, in five seconds.
async fn remind(parcel: u32, text: &str) {
    sleep(5 * SECOND).await;
    assert_ne!(parcel, 13, "a comma in the address");
    tracing::info!(parcel, text, "reminded");
    REMINDED.fetch_add(1, Relaxed);
}

/// What is due within an hour, and when it was received.
async fn receive(reminders: &Reminders) -> Vec<(u64, u32, &'static str)> {
    let (start, mut received) = (Instant::now(), Vec::new());
    let hour = timeout(3600 * SECOND, async {
        loop {
            let (parcel, text, deadline) = reminders.next().await;
            assert_eq!(deadline, Instant::now());
            received.push((start.elapsed().as_secs(), parcel, text));
        }
    });
    hour.await.expect_err("it waits for more");
    received
}

async fn in_order() {
    let reminders = Reminders::new(8);
    for (parcel, delay) in [(1, 60), (2, 90), (3, 30), (4, 0)] {
        let scheduled = reminders.call_later(parcel, "first", delay * SECOND);
        assert_eq!(scheduled, Ok(None));
    }
    let later = reminders.call_later(3, "second", 70 * SECOND);
    assert_eq!(later, Ok(Some("first")));
    assert_eq!(reminders.cancel(&1), Some("first"));
    assert_eq!(reminders.cancel(&1), None);
    let sooner = async {
        sleep(10 * SECOND).await;
        assert_eq!(reminders.call_later(5, "first", 10 * SECOND), Ok(None));
        sleep(3000 * SECOND).await; // and it has been empty
        assert_eq!(reminders.call_later(6, "first", 10 * SECOND), Ok(None));
        assert_eq!(reminders.cancel(&2), None, "it was received");
    };
    let (received, ()) = tokio::join!(receive(&reminders), sooner);
    println!("order: {received:?}");
    let expected = [
        (0, 4, "first"),
        (20, 5, "first"),
        (70, 3, "second"),
        (90, 2, "first"),
        (3020, 6, "first"),
    ];
    assert_eq!(received, expected);
}

fn refused() {
    let reminders = Reminders::new(2);
    assert_eq!(reminders.call_later(1, "one", LONGEST), Ok(None));
    let far = reminders.call_later(2, "far", LONGEST + SECOND);
    assert_eq!(reminders.call_later(2, "two", SECOND), Ok(None));
    let full = reminders.call_later(3, "three", SECOND);
    println!("refused: {far:?}, {full:?}");
    assert_eq!(LONGEST.as_secs(), 30 * 86_400);
    assert_eq!((far, full), (Err("far"), Err("three")));
    // To replace a job needs no place.
    assert_eq!(reminders.call_later(2, "again", SECOND), Ok(Some("two")));
}

// ANCHOR: slow
/// Three are due within two seconds, and the worker needs five for each.
async fn slow() {
    let reminders = Arc::new(Reminders::new(8));
    for (parcel, delay) in [(1, 10), (2, 11), (3, 12)] {
        let scheduled = reminders.call_later(parcel, "first", delay * SECOND);
        assert_eq!(scheduled, Ok(None));
    }
    let shared = reminders.clone();
    let worker = tokio::spawn(async move {
        let mut late = Vec::new();
        for _ in 0..2 {
            let (parcel, text, deadline) = shared.next().await;
            late.push((parcel, deadline.elapsed().as_secs()));
            remind(parcel, text).await;
        }
        late
    });
    sleep(13 * SECOND).await;
    let cancelled = reminders.cancel(&2); // it is due, and waits
    let late = worker.await.expect("no panic");
    println!("slow: late by {late:?} s, cancelled: {cancelled:?}");
    assert_eq!((late, cancelled), (vec![(1, 0), (3, 3)], Some("first")));
}
// ANCHOR_END: slow

/// A hundred thousand, one each millisecond, and no task for them.
async fn many() {
    let reminders = Schedule::new(100_000);
    let start = Instant::now();
    for number in 0..100_000_u32 {
        let delay = Duration::from_millis(((number * 7919) % 100_000).into());
        assert_eq!(reminders.call_later(number, delay, delay), Ok(None));
    }
    for millis in 0..100_000 {
        let (_, delay, _) = reminders.next().await;
        assert_eq!(delay, Duration::from_millis(millis));
        assert_eq!(start.elapsed(), delay);
    }
    println!("many: 100000 jobs, each at its time");
}

async fn callers() {
    // A caller of `next` that is dropped takes no job with it, not even if
    // the job was due and the caller was to be woken.
    let reminders = Reminders::new(8);
    let mut first = Box::pin(reminders.next());
    let mut second = Box::pin(reminders.next());
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    assert_eq!(reminders.call_later(1, "first", SECOND), Ok(None));
    advance(SECOND).await;
    drop(first);
    let (parcel, ..) = second.await;
    println!("dropped: the second worker has parcel {parcel}");
    assert_eq!(parcel, 1);

    // From a thread without a runtime, and from a runtime that then ends.
    let reminders = Arc::new(reminders);
    for (parcel, has_runtime) in [(2, false), (3, true)] {
        let shared = reminders.clone();
        let call = move || {
            let runtime = Builder::new_current_thread().enable_time().build();
            let runtime = runtime.expect("a runtime");
            let _guard = has_runtime.then(|| runtime.enter());
            shared.call_later(parcel, "first", SECOND)
        };
        let scheduled = thread::spawn(call).join().expect("no panic");
        assert_eq!(scheduled, Ok(None));
        let (received, _, deadline) = reminders.next().await;
        assert_eq!((received, deadline), (parcel, Instant::now()));
    }
    println!("no runtime, another runtime: parcels 2 and 3");

    // `new` panics without a runtime, and in one without a timer.
    for has_runtime in [false, true] {
        let new = move || {
            let runtime = Builder::new_current_thread().build();
            let runtime = runtime.expect("a runtime");
            let _guard = has_runtime.then(|| runtime.enter());
            Reminders::new(8)
        };
        let new = move || catch_unwind(AssertUnwindSafe(new)).is_err();
        assert!(thread::spawn(new).join().expect("it was caught"));
    }
    println!("no timer: two panics");
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: call
    let reminders = Arc::new(Schedule::new(1_000));
    let (token, mut workers) = (CancellationToken::new(), JoinSet::new());
    for _ in 0..3 {
        let (reminders, token) = (reminders.clone(), token.clone());
        workers.spawn(async move {
            let next = || token.run_until_cancelled(reminders.next());
            while let Some((parcel, text, deadline)) = next().await {
                tracing::info!(parcel, late = ?deadline.elapsed());
                let task = tokio::spawn(remind(parcel, text)); // may panic
                if let Err(error) = task.await {
                    tracing::error!(parcel, %error, "not reminded");
                }
            }
        });
    }
    let hour = Duration::from_secs(3600);
    if let Err(text) = reminders.call_later(7, "It waits.", hour) {
        tracing::error!(parcel = 7, text, "not scheduled");
    }
    // ANCHOR_END: call
    for parcel in 12..=20 {
        let scheduled = reminders.call_later(parcel, "It waits.", SECOND);
        assert_eq!(scheduled, Ok(None));
    }
    sleep(60 * SECOND).await;
    let failed = 9 - REMINDED.load(Relaxed);
    println!("call: {} of 9 reminded, {failed} panicked", 9 - failed);
    assert_eq!(failed, 1);
    let scheduled = reminders.call_later(21, "It waits.", SECOND);
    assert_eq!(scheduled, Ok(None));
    sleep(2 * SECOND).await; // a worker has it
    // ANCHOR: stop
    token.cancel();
    while let Some(end) = workers.join_next().await {
        if let Err(error) = end {
            tracing::error!(%error, "a worker");
        }
    }
    let left = reminders.drain();
    // ANCHOR_END: stop
    println!("stop: left: {:?}", left.iter().map(|job| (job.0, job.1)).next());
    assert_eq!(REMINDED.load(Relaxed), 9, "21, too");
    let [(7, "It waits.", deadline)] = left[..] else { panic!("{left:?}") };
    assert_eq!(deadline - Instant::now(), hour - 66 * SECOND);
    let late = reminders.call_later(22, "It waits.", SECOND);
    println!("closed: {late:?}");
    assert_eq!(late, Err("It waits."));
    assert!(reminders.drain().is_empty());

    in_order().await;
    refused();
    slow().await;
    many().await;
    callers().await;
}
// ANCHOR_END: all
