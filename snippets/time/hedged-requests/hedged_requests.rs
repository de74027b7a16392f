// ANCHOR: all
// ANCHOR: keep
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::select_ok;
use tokio::time::{Instant, timeout, timeout_at};

// ANCHOR: settings
struct Hedge {
    percentile: f64,
    samples: usize,
    cost: u32,
    budget: Mutex<u32>,
    times: Mutex<VecDeque<Duration>>,
}
// ANCHOR_END: settings

impl Hedge {
    // ANCHOR: hedge
    /// Sends a request, and the same again if no response comes in time.
    async fn call<T, F: Future<Output = anyhow::Result<T>>>(
        &self,
        deadline: Instant,
        request: impl Fn() -> F,
    ) -> anyhow::Result<T> {
        let (start, delay) = (Instant::now(), self.delay());
        self.deposit();
        let hedged = async {
            let mut first = pin!(request());
            match timeout(delay, &mut first).await {
                Ok(result) => result,
                Err(_) if self.withdraw() => {
                    let second = pin!(request());
                    select_ok([first, second]).await.map(|(value, _)| value)
                }
                Err(_) => first.await,
            }
        };
        let result = timeout_at(deadline, hedged).await;
        let time = start.elapsed();
        if result.as_ref().map_or(time >= delay, Result::is_ok) {
            self.record(time); // it succeeded, or was cut after the delay
        }
        result?
    }
    // ANCHOR_END: hedge

    // ANCHOR: delay
    fn delay(&self) -> Duration {
        let mut times = self.times.lock().expect("no panic").clone();
        times.make_contiguous().sort_unstable();
        let index = (self.percentile * times.len() as f64) as usize;
        let enough = times.len() >= self.samples;
        times.get(index).copied().filter(|_| enough).unwrap_or(Duration::MAX)
    }

    fn record(&self, time: Duration) {
        let mut times = self.times.lock().expect("no panic");
        times.push_front(time);
        times.truncate(self.samples);
    }
    // ANCHOR_END: delay

    // ANCHOR: budget
    fn deposit(&self) {
        let mut budget = self.budget.lock().expect("no panic");
        *budget = (*budget + 1).min(10 * self.cost);
    }

    fn withdraw(&self) -> bool {
        let mut budget = self.budget.lock().expect("no panic");
        let left = budget.checked_sub(self.cost);
        left.inspect(|left| *budget = *left).is_some()
    }
    // ANCHOR_END: budget
}
// ANCHOR_END: keep

// A carrier that is sometimes slow, and what must come of it.
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Context, bail};
use fastrand::Rng;
use futures::FutureExt;
use tokio::time::error::Elapsed;
use tokio::time::sleep;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// What becomes of a request, after how many milliseconds.
#[derive(Clone, Copy)]
enum Reply {
    Ok(u32),
    Down(u32),
    Panic(u32),
    Silence,
}
use Reply::{Down, Panic, Silence};

/// Counts the requests, and those that are pending.
#[derive(Clone, Default)]
struct Carrier {
    requests: Arc<AtomicUsize>,
    pending: Arc<()>,
}

impl Carrier {
    /// The number of the request that gets a response.
    async fn track(&self, replies: &[Reply]) -> anyhow::Result<usize> {
        let _pending = Arc::clone(&self.pending);
        let number = self.requests.fetch_add(1, Relaxed);
        let reply = replies.get(number).context("one request too many")?;
        match *reply {
            Reply::Ok(time) => sleep(time * MS).await,
            Down(time) => {
                sleep(time * MS).await;
                bail!("503 from request {}", number + 1);
            }
            Panic(time) => {
                sleep(time * MS).await;
                panic!("a comma in the status");
            }
            Silence => pending().await,
        }
        Ok(number)
    }

    fn requests(&self) -> usize {
        self.requests.swap(0, Relaxed)
    }

    fn pending(&self) -> usize {
        Arc::strong_count(&self.pending) - 1
    }
}

fn hedge() -> Hedge {
    // ANCHOR: new
    let hedge = Hedge {
        percentile: 0.95,
        samples: 200,
        cost: 20, // calls for one second request
        budget: Mutex::default(),
        times: Mutex::default(),
    };
    // ANCHOR_END: new
    hedge
}

/// One that has measured 200 calls: 1 ms, 2 ms and so on to 100 ms, twice.
async fn measured(carrier: &Carrier) -> Hedge {
    let hedge = hedge();
    for number in 0..200 {
        let deadline = Instant::now() + SECOND;
        let replies = [Reply::Ok(1 + number * 7 % 100)];
        let track = || carrier.track(&replies);
        hedge.call(deadline, track).await.expect("it is in time");
        assert_eq!(carrier.requests(), 1, "it is not hedged yet");
    }
    hedge
}

/// What a call returns, and when, with how many requests.
async fn outcome(
    hedge: &Hedge,
    carrier: &Carrier,
    replies: &[Reply],
) -> (String, u128, usize) {
    let start = Instant::now();
    let track = || carrier.track(replies);
    let result = hedge.call(start + 5 * SECOND, track).await;
    let text = match result {
        Ok(number) => format!("request {}", number + 1),
        Err(error) if error.is::<Elapsed>() => "a timeout".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(carrier.pending(), 0, "the other request has been dropped");
    (text, start.elapsed().as_millis(), carrier.requests())
}

async fn cases() {
    let carrier = &Carrier::default();
    // The replies, and then: the outcome, the milliseconds, the requests.
    for (case, replies, expected, time, requests) in [
        ("fast", vec![Reply::Ok(90)], "request 1", 90, 1),
        ("slow", vec![Silence, Reply::Ok(20)], "request 2", 116, 2),
        ("first wins", vec![Reply::Ok(110), Silence], "request 1", 110, 2),
        (
            "both slow",
            vec![Reply::Ok(900), Reply::Ok(901)],
            "request 1",
            900,
            2,
        ),
        ("error at once", vec![Down(5)], "503", 5, 1),
        ("first fails", vec![Down(100), Reply::Ok(20)], "request 2", 116, 2),
        ("second fails", vec![Reply::Ok(300), Down(5)], "request 1", 300, 2),
        ("both fail", vec![Down(200), Down(10)], "503", 200, 2),
        ("both silent", vec![Silence, Silence], "a timeout", 5000, 2),
    ] {
        let hedge = measured(carrier).await;
        let (text, elapsed, sent) = outcome(&hedge, carrier, &replies).await;
        println!("{case}: {text} after {elapsed} ms, requests: {sent}");
        assert!(text.starts_with(expected), "{case}");
        assert_eq!((elapsed, sent), (time, requests), "{case}");
    }

    // Too few calls are measured, or the budget is empty.
    let hedge = hedge();
    let slow = [Reply::Ok(900), Reply::Ok(1)];
    let (text, elapsed, sent) = outcome(&hedge, carrier, &slow).await;
    println!("not measured: {text} after {elapsed} ms, requests: {sent}");
    assert_eq!((elapsed, sent), (900, 1));
    let hedge = measured(carrier).await;
    let mut hedged = 0;
    for _ in 0..100 {
        let fail = [Down(200), Down(200)];
        let (_, _, sent) = outcome(&hedge, carrier, &fail).await;
        hedged += sent - 1;
    }
    println!("100 calls fail slowly: {hedged} are hedged");
    // 200 calls have saved ten second requests, and 99 save four more.
    assert_eq!(hedged, 14);

    // The caller gives up, or a request panics.
    let hedge = measured(carrier).await;
    let silent = outcome(&hedge, carrier, &[Silence, Silence]);
    assert!(timeout(SECOND, silent).await.is_err());
    println!("cancelled: {} pending", carrier.pending());
    assert_eq!((carrier.pending(), carrier.requests()), (0, 2));
    let panics = [Silence, Panic(10)];
    let panics = AssertUnwindSafe(outcome(&hedge, carrier, &panics));
    panics.catch_unwind().await.expect_err("a panic");
    println!("panicked: {} pending", carrier.pending());
    assert_eq!((carrier.pending(), carrier.requests()), (0, 2));
}

/// What is measured: the calls that succeed, or are cut after the delay.
async fn delays() {
    let carrier = &Carrier::default();
    let hedge = measured(carrier).await;
    assert_eq!(hedge.delay(), 96 * MS);
    for _ in 0..300 {
        outcome(&hedge, carrier, &[Down(1)]).await;
    }
    assert_eq!(hedge.delay(), 96 * MS);
    // A call that is cut before the delay says nothing about the delay.
    let cut_after = |limit| {
        let track = || carrier.track(&[Silence, Silence]);
        hedge.call(Instant::now() + limit, track)
    };
    for _ in 0..300 {
        let cut = cut_after(95 * MS).await;
        assert!(cut.is_err_and(|error| error.is::<Elapsed>()));
        assert_eq!(carrier.requests(), 1);
    }
    println!("300 are cut after 95 ms: {:?} is the delay", hedge.delay());
    assert_eq!(hedge.delay(), 96 * MS);
    cut_after(96 * MS).await.expect_err("silence");
    let last = hedge.times.lock().expect("no panic").front().copied();
    assert_eq!(last, Some(96 * MS));
    for _ in 0..20 {
        outcome(&hedge, carrier, &[Silence, Silence]).await;
    }
    assert_eq!(hedge.delay(), 5 * SECOND);
    // After 200 calls, the earlier ones do not count.
    for _ in 0..200 {
        outcome(&hedge, carrier, &[Reply::Ok(10)]).await;
    }
    assert_eq!(hedge.delay(), 10 * MS);
    let never = Hedge { percentile: 1.0, ..hedge };
    assert_eq!(never.delay(), Duration::MAX);
}

/// 10,000 calls: most take some milliseconds, 3 % take a second. The times
/// that half of them, 95 % and 99 % do not exceed, and the requests.
async fn percentiles(hedge: Hedge) -> ([u128; 3], usize) {
    let (mut rng, carrier) = (Rng::with_seed(7), Carrier::default());
    let mut times = Vec::new();
    for _ in 0..10_000 {
        carrier.requests();
        let mut time = || match rng.f64() {
            share if share < 0.03 => Reply::Ok(1000),
            share => Reply::Ok(10 + (20.0 * share) as u32),
        };
        let replies = [time(), time()];
        let (text, time, sent) = outcome(&hedge, &carrier, &replies).await;
        assert!(text.starts_with("request"));
        times.push((time, sent));
    }
    let requests = times.iter().map(|(_, sent)| sent).sum();
    times.sort_unstable();
    ([5000, 9500, 9900].map(|index| times[index].0), requests)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let carrier = Carrier::default();
    let hedge = Arc::new(measured(&carrier).await);
    let replies = &[Silence, Reply::Ok(20)];
    let start = Instant::now();
    // ANCHOR: call
    let deadline = Instant::now() + Duration::from_secs(5);
    let track = || carrier.track(replies);
    let request = hedge.call(deadline, track).await?;
    // ANCHOR_END: call
    assert_eq!((request, start.elapsed()), (1, 116 * MS));

    let alone = Hedge { percentile: 1.0, ..self::hedge() };
    let ([p50, p95, p99], requests) = percentiles(alone).await;
    println!("alone: {p50}, {p95}, {p99} ms, {requests} requests");
    assert_eq!((p99, requests), (1000, 10_000));
    let ([p50, p95, p99], requests) = percentiles(self::hedge()).await;
    println!("hedged: {p50}, {p95}, {p99} ms, {requests} requests");
    assert!(p99 < 100 && requests <= 10_500);
    cases().await;
    delays().await;

    // A call is `Send`.
    let deadline = Instant::now() + 5 * SECOND;
    let call = async move {
        let replies = [Reply::Ok(10)];
        hedge.call(deadline, || carrier.track(&replies)).await
    };
    drop(tokio::spawn(call).await?);
    Ok(())
}
// ANCHOR_END: all
