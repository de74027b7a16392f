// ANCHOR: all
// ANCHOR: keep
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::{Result, anyhow};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use croner::{Cron, errors::CronError};
use futures::FutureExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Runs jobs again and again until the token is cancelled. A job is not started
/// while it runs.
#[derive(Clone)]
struct Scheduler {
    token: CancellationToken,
    timeout: Duration,
    report: fn(&anyhow::Error),
}

impl Scheduler {
    // ANCHOR: every
    /// Runs the job after `first`, and then every `period`.
    async fn every(
        &self,
        first: Duration,
        period: Duration,
        mut job: impl AsyncFnMut() -> Result<()>,
    ) {
        let mut interval = interval_at(Instant::now() + first, period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while self.token.run_until_cancelled(interval.tick()).await.is_some() {
            self.run(&mut job).await;
        }
    }
    // ANCHOR_END: every

    // ANCHOR: cron
    /// Runs the job at the times of `cron`. An error if there is no next one.
    async fn at(
        &self,
        cron: &Cron,
        now: impl Fn() -> DateTime<Tz>,
        mut job: impl AsyncFnMut() -> Result<()>,
    ) -> Result<(), CronError> {
        let mut last = now();
        loop {
            let time = now();
            if last > time + TimeDelta::days(1) {
                last = time; // the clock was far ahead
            }
            let due = cron.find_next_occurrence(&last, false)?;
            let left = (due - time).to_std().unwrap_or_default();
            // It may be set, or the machine may sleep.
            let wait = sleep(left.min(Duration::from_secs(60)));
            if self.token.run_until_cancelled(wait).await.is_none() {
                return Ok(());
            }
            if due <= now() {
                self.run(&mut job).await;
                last = due.max(now()); // the clock may be set back
            }
        }
    }
    // ANCHOR_END: cron

    // ANCHOR: run
    async fn run(&self, job: &mut impl AsyncFnMut() -> Result<()>) {
        let work = async { timeout(self.timeout, job()).await };
        let end = AssertUnwindSafe(work).catch_unwind().await;
        let end = end.unwrap_or_else(|_| Ok(Err(anyhow!("panicked"))));
        let end = end.unwrap_or_else(|elapsed| Err(elapsed.into()));
        end.unwrap_or_else(|error| (self.report)(&error));
    }
    // ANCHOR_END: run
}
// ANCHOR_END: keep

// Jobs that are quick, slow and fail, clocks that jump, and what must happen.
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};

use anyhow::bail;
use chrono::{TimeZone, Utc};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const OSLO: Tz = Tz::Europe__Oslo;

static REPORTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn report(error: &anyhow::Error) {
    tracing::error!("a job has failed: {error:#}");
    REPORTED.lock().expect("no panic").push(error.to_string());
}

fn reported() -> Vec<String> {
    REPORTED.lock().expect("no panic").drain(..).collect()
}

fn scheduler() -> Scheduler {
    let token = CancellationToken::new();
    Scheduler { token, timeout: 3 * HOUR, report }
}

/// In which minutes a job has begun, until the scheduler is stopped.
async fn begun(
    first: Duration,
    stop: Duration,
    job: impl AsyncFn(usize) -> Result<()>,
) -> (Vec<u64>, u64) {
    let scheduler = scheduler();
    let start = Instant::now();
    let begun = Mutex::new(Vec::new());
    let runs = scheduler.every(first, HOUR, async || {
        let count = {
            let mut begun = begun.lock().expect("no panic");
            begun.push(start.elapsed().as_secs() / 60);
            begun.len()
        };
        job(count).await
    });
    let stops = async {
        sleep(stop).await;
        scheduler.token.cancel();
    };
    tokio::join!(runs, stops);
    let end = start.elapsed().as_secs() / 60;
    (begun.into_inner().expect("no panic"), end)
}

async fn every_hour() {
    let quick = async |_| {
        sleep(10 * MINUTE).await;
        Ok(())
    };
    let (minutes, end) = begun(5 * MINUTE, 190 * MINUTE, quick).await;
    println!("every hour: {minutes:?}, stopped at {end}");
    assert_eq!((minutes, end), (vec![5, 65, 125, 185], 195));

    let (minutes, end) = begun(Duration::ZERO, 200 * MINUTE, quick).await;
    println!("stopped while it waits: {minutes:?}, stopped at {end}");
    assert_eq!((minutes, end), (vec![0, 60, 120, 180], 200));

    let slow = async |count| {
        let minutes = if count == 2 { 150 } else { 10 };
        sleep(minutes * MINUTE).await;
        Ok(())
    };
    let (minutes, _) = begun(Duration::ZERO, 310 * MINUTE, slow).await;
    println!("slow: {minutes:?}");
    assert_eq!(minutes, [0, 60, 210, 240, 300]);
    assert!(reported().is_empty());

    let fails = async |count| {
        match count {
            1 => bail!("503 Service Unavailable"),
            2 => panic!("a comma in the price"),
            3 => sleep(9 * HOUR).await,
            _ => {}
        }
        Ok(())
    };
    let (minutes, _) = begun(Duration::ZERO, 370 * MINUTE, fails).await;
    let errors = reported();
    println!("fails: {minutes:?}, {errors:?}");
    assert_eq!(minutes, [0, 60, 120, 300, 360]);
    let [first, second, third] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert!(first.starts_with("503"));
    assert_eq!([second, third], ["panicked", "deadline has elapsed"]);
}

/// A clock on the wall: the paused clock of tokio, and what it was set by.
struct Clock {
    start: DateTime<Tz>,
    begun: Instant,
    seconds: AtomicI64,
}

impl Clock {
    fn new(start: DateTime<Tz>) -> Self {
        Clock { start, begun: Instant::now(), seconds: AtomicI64::new(0) }
    }

    fn now(&self) -> DateTime<Tz> {
        let seconds = TimeDelta::seconds(self.seconds.load(SeqCst));
        self.start + self.begun.elapsed() + seconds
    }
}

/// When a job begins in the first `time` from `start` on. The clock is set
/// by so many seconds, a second after so many minutes.
async fn times(
    cron: &str,
    start: DateTime<Tz>,
    time: Duration,
    set: (u32, i64),
) -> Result<Vec<String>> {
    let (scheduler, clock) = (scheduler(), Clock::new(start));
    let cron = cron.parse()?;
    let times = Mutex::new(Vec::new());
    let runs = scheduler.at(
        &cron,
        || clock.now(),
        || async {
            let text = clock.now().format("%a %H:%M %Z").to_string();
            times.lock().expect("no panic").push(text);
            Ok(())
        },
    );
    let stops = async {
        let after = set.0 * MINUTE + Duration::from_secs(1);
        sleep(after).await;
        clock.seconds.store(set.1, SeqCst);
        sleep(time - after).await;
        scheduler.token.cancel();
    };
    let (end, ()) = tokio::join!(runs, stops);
    end?;
    Ok(times.into_inner().expect("no panic"))
}

async fn at_times() -> Result<()> {
    let date = |month, day, hour, minute| {
        OSLO.with_ymd_and_hms(2026, month, day, hour, minute, 0)
            .single()
            .expect("one time")
    };
    let day = 24 * HOUR;
    let friday = date(11, 27, 7, 0);
    let seen = times("0 6 * * MON-FRI", friday, 5 * day, (0, 0)).await?;
    println!("on weekdays: {seen:?}");
    assert_eq!(seen, ["Mon 06:00 CET", "Tue 06:00 CET", "Wed 06:00 CET"]);

    let seen = times("30 2 * * *", date(3, 28, 0, 0), 3 * day, (0, 0)).await?;
    println!("in spring: {seen:?}");
    assert_eq!(seen, ["Sat 02:30 CET", "Sun 03:00 CEST", "Mon 02:30 CEST"]);
    let seen = times("30 2 * * *", date(10, 24, 0, 0), 3 * day, (0, 0)).await?;
    println!("in autumn: {seen:?}");
    assert_eq!(seen, ["Sat 02:30 CEST", "Sun 02:30 CEST", "Mon 02:30 CET"]);

    // With several hours, croner follows the clock as it is.
    let several = "30 2,14 * * *";
    let seen = times(several, date(3, 28, 0, 0), 2 * day, (0, 0)).await?;
    println!("several, in spring: {seen:?}");
    assert_eq!(seen, ["Sat 02:30 CET", "Sat 14:30 CET", "Sun 14:30 CEST"]);
    let seen = times(several, date(10, 25, 0, 0), day, (0, 0)).await?;
    println!("several, in autumn: {seen:?}");
    assert_eq!(seen, ["Sun 02:30 CEST", "Sun 02:30 CET", "Sun 14:30 CET"]);
    for cron in ["0,30 2 * * *", "*/15 2 * * *"] {
        let seen = times(cron, date(3, 29, 0, 0), day, (0, 0)).await?;
        assert!(seen.is_empty(), "{seen:?}");
    }

    let noon = date(6, 1, 12, 0);
    let seen = times("0 * * * *", noon, 239 * MINUTE, (61, -3600)).await?;
    println!("set back by an hour: {seen:?}");
    assert_eq!(seen, ["Mon 13:00 CEST", "Mon 14:00 CEST"]);
    // The clock is a year ahead, and a job has run or not.
    for (minutes, expected) in [
        (61, ["Mon 13:00 CEST", "Sun 14:00 CEST", "Sun 15:00 CEST"]),
        (30, ["Sun 13:00 CEST", "Sun 14:00 CEST", "Sun 15:00 CEST"]),
    ] {
        let set = (minutes, -365 * 24 * 3600);
        let time = if minutes == 61 { 181 * MINUTE } else { 182 * MINUTE };
        let seen = times("0 * * * *", noon, time, set).await?;
        println!("set back by a year: {seen:?}");
        assert_eq!(seen, expected);
    }
    // A day is not far.
    let set = (61, -24 * 3600);
    let seen = times("0 * * * *", noon, 25 * HOUR, set).await?;
    assert_eq!(seen, ["Mon 13:00 CEST"]);
    let set = (61, -25 * 3600);
    let seen = times("0 * * * *", noon, 121 * MINUTE, set).await?;
    assert_eq!(seen, ["Mon 13:00 CEST", "Sun 13:00 CEST"]);
    let seen = times("0 * * * *", noon, 119 * MINUTE, (30, 3 * 3600)).await?;
    println!("slept for three hours: {seen:?}");
    assert_eq!(seen, ["Mon 15:31 CEST", "Mon 16:00 CEST"]);

    for cron in ["0 0 30 2 *", "61 * * * *"] {
        let error = times(cron, noon, day, (0, 0)).await.expect_err(cron);
        println!("{cron}: {error}");
    }
    Ok(())
}

static TOKENS: AtomicUsize = AtomicUsize::new(0);

async fn refresh_tokens() -> Result<()> {
    TOKENS.fetch_add(1, SeqCst);
    Ok(())
}

async fn call(scheduler: Scheduler) -> Result<()> {
    // ANCHOR: call
    let period = Duration::from_secs(3600);
    let first = period.mul_f64(fastrand::f64()); // not all at the same time
    let hourly = scheduler.clone();
    let hourly = tokio::spawn(async move {
        hourly.every(first, period, refresh_tokens).await;
    });

    let cron: Cron = "30 2 * * *".parse()?; // minute, hour, day, month, weekday
    let nightly = scheduler.clone();
    let nightly = tokio::spawn(async move {
        let now = || Utc::now().with_timezone(&OSLO);
        nightly.at(&cron, now, refresh_tokens).await
    });
    // ANCHOR_END: call
    sleep(2 * HOUR).await;
    scheduler.token.cancel();
    hourly.await?;
    Ok(nightly.await??)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    tokio::spawn(call(scheduler())).await??;
    let runs = TOKENS.load(SeqCst);
    assert!((1..=4).contains(&runs), "{runs}");
    every_hour().await;
    at_times().await
}
// ANCHOR_END: all
