//! Workers that share a channel: jobs that fail, panic, or never end, producers
//! that give up, and a shutdown while all of them are at it.

include!("../../../../snippets/advanced-patterns/queue/queue.rs");

mod stress {
    use std::collections::BTreeMap;
    use std::future::pending;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use async_channel::{SendError, Sender};
    use stress::Round;
    use tokio::task::{JoinSet, block_in_place, yield_now};
    use tokio::time::{Instant, sleep, timeout};

    use super::{Outcome, WorkerPool};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    /// What became of each job, and how many times each was handled.
    #[derive(Clone, Default)]
    struct Reports {
        ends: Arc<Mutex<BTreeMap<u32, Outcome>>>,
        completed: Arc<Mutex<Vec<u32>>>,
        running: Arc<AtomicU32>,
        most: Arc<AtomicU32>,
    }

    impl Reports {
        /// Jobs with 0 fail, with 3 panic.
        async fn handle(self, job: u32) -> anyhow::Result<()> {
            let running = self.running.fetch_add(1, Relaxed) + 1;
            self.most.fetch_max(running, Relaxed);
            let _running = Running(Arc::clone(&self.running));
            if job.is_multiple_of(2) {
                yield_now().await;
            } else {
                sleep(MS * (job % 4)).await;
            }
            self.completed.lock().expect("no panic").push(job);
            assert_ne!(job % 10, 3, "a comma in the address");
            anyhow::ensure!(!job.is_multiple_of(10), "no address");
            Ok(())
        }

        fn pool(&self, count: usize, capacity: usize) -> WorkerPool<u32> {
            let (reports, handler) = (self.clone(), self.clone());
            let handle = move |job| handler.clone().handle(job);
            let report = move |job, outcome| {
                let mut ends = reports.ends.lock().expect("no panic");
                let earlier = ends.insert(job, outcome);
                assert!(earlier.is_none(), "{job} is reported twice");
            };
            WorkerPool::start(count, capacity, handle, report)
        }

        /// Each job that was accepted is reported once, and truly.
        fn check(self, mut accepted: Vec<u32>) {
            let ends = self.ends.lock().expect("no panic");
            let mut completed = self.completed.lock().expect("no panic");
            accepted.sort();
            completed.sort();
            assert!(ends.keys().eq(&accepted), "{ends:?}, {accepted:?}");
            let done = ends.iter().filter(|(_, end)| is_done(end));
            assert!(done.map(|(job, _)| job).eq(completed.iter()));
            for (job, end) in ends.iter() {
                match end {
                    Outcome::Done => assert!(![0, 3].contains(&(job % 10))),
                    Outcome::Failed(_) => assert_eq!(job % 10, 0),
                    Outcome::Panicked(error) => {
                        assert!(error.is_panic() && job % 10 == 3);
                    }
                    Outcome::Cancelled | Outcome::NotStarted => {}
                }
            }
        }
    }

    struct Running(Arc<AtomicU32>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Relaxed);
        }
    }

    /// Whether a job was handled to its end, with or without success.
    fn is_done(end: &Outcome) -> bool {
        !matches!(end, Outcome::Cancelled | Outcome::NotStarted)
    }

    /// Sends until it has sent all or is refused; gives up some sends.
    async fn producer(
        jobs_tx: Sender<u32>,
        mut round: Round,
        jobs: impl Iterator<Item = u32>,
    ) -> Vec<u32> {
        let mut accepted = Vec::new();
        for job in jobs {
            let sending = jobs_tx.send(job);
            let sent = match round.rng.bool() {
                true => round.cancel(MS * 20, sending).await,
                false => Some(sending.await),
            };
            match sent {
                Some(Ok(())) => accepted.push(job),
                Some(Err(SendError(refused))) => {
                    assert_eq!(refused, job);
                    break;
                }
                None => {}
            }
        }
        accepted
    }

    #[test]
    fn each_job_is_reported_once() {
        stress::rounds(|mut round| async move {
            let reports = Reports::default();
            let pool = reports.pool(4, 4);
            let mut producers = JoinSet::new();
            for first in 1..=3 {
                let jobs = (first..=36).step_by(3);
                let jobs_tx = pool.jobs_tx.clone();
                producers.spawn(producer(jobs_tx, round.fork(), jobs));
            }
            let accepted = producers.join_all().await.concat();
            pool.shut_down(LONG).await;
            assert!(reports.most.load(Relaxed) <= 4);
            assert_eq!(reports.running.load(Relaxed), 0);
            let ends = reports.ends.lock().expect("no panic");
            assert!(ends.values().all(is_done), "{ends:?}");
            drop(ends);
            reports.check(accepted);
        });
    }

    #[test]
    fn four_workers_work_at_the_same_time() {
        stress::rounds(|_| async {
            let start = Instant::now();
            let handle = |_| async {
                sleep(MS * 10).await;
                Ok(())
            };
            let pool = WorkerPool::start(4, 4, handle, |_, _| {});
            for job in 0..40 {
                pool.jobs_tx.send(job).await.expect("the workers run");
            }
            pool.shut_down(LONG).await;
            assert!(start.elapsed() < MS * 400, "one at a time");
        });
    }

    /// Producers that never stop, some of them waiting for a place.
    #[test]
    fn a_shutdown_loses_nothing_that_was_accepted() {
        stress::rounds(|mut round| async move {
            let reports = Reports::default();
            let pool = reports.pool(4, 4);
            let mut producers = JoinSet::new();
            for first in 0..8 {
                let jobs = (first..).step_by(8);
                let jobs_tx = pool.jobs_tx.clone();
                producers.spawn(producer(jobs_tx, round.fork(), jobs));
            }
            sleep(round.duration(Duration::ZERO..MS * 60)).await;
            let limit = round.choice([LONG, Duration::ZERO, MS]);
            pool.shut_down(limit).await;
            assert_eq!(reports.running.load(Relaxed), 0);
            let accepted = producers.join_all().await.concat();
            reports.check(accepted);
        });
    }

    #[test]
    fn a_shutdown_ends_idle_workers_and_jobs_that_never_end() {
        stress::rounds(|round| async move {
            let reports = Arc::new(Mutex::new(Vec::new()));
            let ends = Arc::clone(&reports);
            let report = move |_: u32, outcome| {
                let started = match outcome {
                    Outcome::Cancelled => true,
                    Outcome::NotStarted => false,
                    other => panic!("it never ends: {other:?}"),
                };
                ends.lock().expect("no panic").push(started);
            };
            let handle = |_| async {
                pending::<()>().await;
                Ok(())
            };
            let pool = WorkerPool::start(4, 8, handle, report);
            let jobs = round.seed as u32 % 9;
            for job in 0..jobs {
                pool.jobs_tx.send(job).await.expect("the workers run");
            }
            sleep(MS * 20).await;
            let end = timeout(MS * 1_000, pool.shut_down(MS * 20)).await;
            end.expect("the pool does not end");
            let reports = reports.lock().expect("no panic");
            assert_eq!(reports.len(), jobs as usize);
            let left = reports.iter().filter(|started| !**started);
            assert_eq!(left.count(), jobs.saturating_sub(4) as usize);
        });
    }

    /// No limit can end a job that does not await.
    #[test]
    fn a_shutdown_waits_for_a_job_that_blocks() {
        stress::rounds(|_| async {
            let started = Arc::new(AtomicU32::new(0));
            let counter = Arc::clone(&started);
            let handle = move |_: u32| {
                counter.fetch_add(1, Relaxed);
                async {
                    // The other rounds go on, on another thread.
                    block_in_place(|| std::thread::sleep(MS * 30));
                    Ok(())
                }
            };
            let reports = Arc::new(AtomicU32::new(0));
            let done = Arc::clone(&reports);
            let report = move |_, outcome| {
                assert!(matches!(outcome, Outcome::Done));
                done.fetch_add(1, Relaxed);
            };
            let pool = WorkerPool::start(1, 1, handle, report);
            pool.jobs_tx.send(1).await.expect("the workers run");
            while started.load(Relaxed) == 0 {
                sleep(MS).await;
            }
            pool.shut_down(MS).await;
            assert_eq!(reports.load(Relaxed), 1);
        });
    }

    /// The caller of the shutdown is cancelled, and so are the jobs.
    #[test]
    fn a_pool_that_is_dropped_leaves_no_job_behind() {
        stress::rounds(|mut round| async move {
            let reports = Reports::default();
            let pool = reports.pool(4, 4);
            let jobs_tx = pool.jobs_tx.clone();
            for job in 0..8 {
                jobs_tx.send(job).await.expect("the workers run");
            }
            round.cancel(MS * 3, pool.shut_down(LONG)).await;
            let refused = async {
                while jobs_tx.send(8).await.is_ok() {
                    sleep(MS).await;
                }
                while reports.running.load(Relaxed) > 0 {
                    sleep(MS).await;
                }
            };
            let ended = timeout(MS * 1_000, refused).await;
            ended.expect("a job goes on");
        });
    }
}
