//! Periodic jobs on four threads: they fail, panic and hang, the scheduler is
//! stopped in the middle of a run, and the clock on the wall jumps.

include!("../../../../snippets/time/periodic/periodic.rs");

mod stress {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{
        AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst,
    };
    use std::time::Duration;

    use anyhow::{Result, bail};
    use chrono::{DateTime, TimeDelta, TimeZone};
    use chrono_tz::Tz;
    use croner::Cron;
    use stress::{LIMIT, SLACK};
    use tokio::sync::watch;
    use tokio::task::JoinSet;
    use tokio::task_local;
    use tokio::time::{sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::Scheduler;

    const MS: Duration = Duration::from_millis(1);

    /// What becomes of a run.
    #[derive(Clone, Copy)]
    enum End {
        Ok,
        Fails,
        Panics,
        Hangs,
    }

    /// Of one job: the runs that have begun, that have ended, and that must be
    /// reported.
    #[derive(Default)]
    struct Runs {
        running: AtomicBool,
        begun: AtomicUsize,
        ended: AtomicUsize,
        failed: AtomicUsize,
    }

    /// Of a run that is under way, and whether it has succeeded.
    struct Running<'r>(&'r Runs, bool);

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            let Running(runs, succeeded) = *self;
            runs.failed.fetch_add(usize::from(!succeeded), SeqCst);
            runs.ended.fetch_add(1, SeqCst);
            runs.running.store(false, SeqCst);
        }
    }

    impl Runs {
        async fn run(&self, end: End, time: Duration) -> Result<()> {
            let overlaps = self.running.swap(true, SeqCst);
            assert!(!overlaps, "it runs already");
            let mut running = Running(self, false);
            self.begun.fetch_add(1, SeqCst);
            sleep(time).await;
            match end {
                End::Ok => running.1 = true,
                End::Fails => bail!("503 Service Unavailable"),
                End::Panics => panic!("a comma in the price"),
                End::Hangs => pending().await,
            }
            Ok(())
        }
    }

    task_local! {
        /// Of one round. `report` runs in the task of its job.
        static REPORTED: Arc<AtomicUsize>;
    }

    /// Six jobs with a period of a millisecond, and a stop at any moment.
    #[test]
    fn each_failure_is_reported_and_a_stop_lets_a_run_end() {
        stress::rounds(|mut round| async move {
            let scheduler = Scheduler {
                token: CancellationToken::new(),
                timeout: 20 * MS,
                report: |_| {
                    REPORTED.with(|count| count.fetch_add(1, SeqCst));
                },
            };
            let reported = Arc::new(AtomicUsize::new(0));
            let jobs = [(); 6].map(|()| Arc::new(Runs::default()));
            let mut tasks = JoinSet::new();
            for runs in &jobs {
                let runs = Arc::clone(runs);
                let (scheduler, mut round) = (scheduler.clone(), round.fork());
                let first = round.duration(Duration::ZERO..2 * MS);
                let job = async move {
                    let job = move || {
                        let end = match round.rng.u8(..20) {
                            0 => End::Hangs,
                            1..4 => End::Fails,
                            4..7 => End::Panics,
                            _ => End::Ok,
                        };
                        let time = round.duration(Duration::ZERO..3 * MS);
                        let runs = Arc::clone(&runs);
                        async move { runs.run(end, time).await }
                    };
                    scheduler.every(first, MS, job).await;
                };
                tasks.spawn(REPORTED.scope(Arc::clone(&reported), job));
            }
            // All of them run, whatever has become of the runs before.
            for runs in &jobs {
                let some = round.rng.usize(..8);
                let begun = async {
                    while runs.begun.load(SeqCst) < some {
                        sleep(MS).await;
                    }
                };
                timeout(LIMIT, begun).await.expect("it goes on");
            }
            sleep(round.duration(Duration::ZERO..3 * MS)).await;
            scheduler.token.cancel();
            let all = async {
                while let Some(end) = tasks.join_next().await {
                    end.expect("no panic ends it");
                }
            };
            timeout(SLACK, all).await.expect("they stop");
            let mut failed = 0;
            for runs in &jobs {
                assert!(!runs.running.load(SeqCst));
                assert_eq!(runs.begun.load(SeqCst), runs.ended.load(SeqCst));
                failed += runs.failed.load(SeqCst);
            }
            assert_eq!(reported.load(SeqCst), failed);
        });
    }

    /// Each look at it is a second later, and it is a millisecond before the
    /// next second. So nothing waits for longer than that.
    #[derive(Default)]
    struct Clock {
        looks: AtomicI64,
        days: AtomicI64,
    }

    impl Clock {
        fn now(&self) -> DateTime<Tz> {
            let start = Tz::UTC.with_ymd_and_hms(2026, 6, 1, 12, 0, 0);
            let seconds = TimeDelta::seconds(self.looks.fetch_add(1, SeqCst));
            let days = TimeDelta::days(self.days.load(SeqCst));
            start.single().expect("one time") + days + seconds
                - TimeDelta::milliseconds(1)
        }
    }

    #[test]
    fn a_clock_that_jumps_by_weeks_stops_no_job() {
        stress::rounds(|mut round| async move {
            let scheduler = Scheduler {
                token: CancellationToken::new(),
                timeout: LIMIT,
                report: |error| panic!("{error}"),
            };
            let clock = Arc::new(Clock::default());
            let (runs, mut seen) = watch::channel(0);
            let (of_task, now) = (scheduler.clone(), clock.clone());
            let mut fork = round.fork();
            let task = tokio::spawn(async move {
                let cron: Cron = "* * * * * *".parse().expect("seconds");
                let runs = Arc::new(runs);
                let job = move || {
                    let time = fork.duration(Duration::ZERO..MS);
                    let runs = Arc::clone(&runs);
                    async move {
                        sleep(time).await;
                        runs.send_modify(|runs| *runs += 1);
                        Ok(())
                    }
                };
                of_task.at(&cron, || now.now(), job).await
            });
            for _ in 0..10 {
                clock.days.store(round.rng.i64(-5..=5) * 14, SeqCst);
                sleep(round.duration(Duration::ZERO..2 * MS)).await;
                let before = *seen.borrow();
                let more = async {
                    let more = seen.wait_for(|runs| *runs > before).await;
                    more.map(drop).expect("a sender");
                };
                timeout(SLACK, more).await.expect("it runs again");
            }
            scheduler.token.cancel();
            let end = timeout(SLACK, task).await.expect("it stops");
            end.expect("no panic").expect("there is a next time");
        });
    }
}
