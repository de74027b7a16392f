//! `Parcel` and `Jobs` with many producers and workers, of which some give up:
//! each job is taken once, no wake-up is lost, and all that wait for a status
//! see it.

include!("../../../../snippets/tasks/wake/wake.rs");

mod stress {
    use std::sync::Arc;
    use std::time::Duration;

    use stress::SLACK;
    use tokio::task::JoinSet;
    use tokio::time::{sleep, timeout};

    use super::{Jobs, Parcel, Status};

    const MS: Duration = Duration::from_millis(1);
    const PRODUCERS: u32 = 4;
    const EACH: u32 = 25;

    #[test]
    fn each_job_is_taken_once_and_no_worker_waits_beside_a_job() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::<Jobs>::default();
            let mut producers = JoinSet::new();
            for producer in 0..PRODUCERS {
                let (jobs, mut round) = (Arc::clone(&jobs), round.fork());
                producers.spawn(async move {
                    for job in 0..EACH {
                        if round.rng.u8(..4) == 0 {
                            sleep(round.duration(Duration::ZERO..MS)).await;
                        }
                        jobs.add(producer * EACH + job);
                    }
                });
            }
            // A worker takes one job, so there are as many workers as jobs.
            let mut workers = JoinSet::new();
            for _ in 0..PRODUCERS * EACH {
                let (jobs, mut round) = (Arc::clone(&jobs), round.fork());
                workers.spawn(async move {
                    while round.rng.bool() {
                        let take = jobs.take();
                        if let Some(job) = round.cancel(MS, take).await {
                            return job;
                        }
                    }
                    jobs.take().await
                });
            }
            let all = timeout(SLACK, workers.join_all()).await;
            let mut taken = all.expect("a worker waits beside a job");
            taken.sort_unstable();
            assert_eq!(taken, (0..PRODUCERS * EACH).collect::<Vec<_>>());
            assert_eq!(jobs.pop(), None);
            producers.join_all().await;
        });
    }

    #[test]
    fn an_aborted_worker_does_not_keep_a_wake_up() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::<Jobs>::default();
            let mut aborted = JoinSet::new();
            for _ in 0..round.rng.u32(1..9) {
                let jobs = Arc::clone(&jobs);
                aborted.spawn(async move { jobs.take().await });
            }
            let worker = Arc::clone(&jobs);
            let worker = tokio::spawn(async move { worker.take().await });
            sleep(round.duration(Duration::ZERO..MS)).await;
            let added = aborted.len() as u32 + 1;
            for job in 0..added {
                jobs.add(job);
                if round.rng.bool() {
                    aborted.abort_all();
                }
            }
            aborted.abort_all();
            let mut taken = Vec::new();
            while let Some(end) = aborted.join_next().await {
                taken.extend(end.ok());
            }
            // There is a job for each: this one gets its own.
            let job = timeout(SLACK, worker).await.expect("it waits");
            taken.push(job.expect("no panic"));
            taken.extend(std::iter::from_fn(|| jobs.pop()));
            taken.sort_unstable();
            assert_eq!(taken, (0..added).collect::<Vec<_>>());
        });
    }

    #[test]
    fn a_status_never_goes_back() {
        stress::rounds(|mut round| async move {
            let parcel = Arc::new(Parcel::new());
            let mut status_rx = parcel.status_tx.subscribe();
            let mut scans = JoinSet::new();
            for scan in 0..40 {
                let (parcel, mut round) = (Arc::clone(&parcel), round.fork());
                scans.spawn(async move {
                    let status = [
                        Status::Accepted,
                        Status::InTransit,
                        Status::Delivered,
                    ];
                    sleep(round.duration(Duration::ZERO..MS)).await;
                    parcel.scan(status[scan % 3]);
                });
            }
            let mut before = Status::Accepted;
            while before < Status::Delivered {
                let changed = timeout(SLACK, status_rx.changed()).await;
                changed.expect("a wake-up is lost").expect("it is open");
                let now = *status_rx.borrow_and_update();
                assert!(now > before, "it goes back, or has not changed");
                before = now;
            }
            scans.join_all().await;
            assert_eq!(*status_rx.borrow(), Status::Delivered);
        });
    }

    #[test]
    fn a_worker_that_always_finds_a_job_lets_others_run() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::<Jobs>::default();
            let one_thread = tokio::runtime::Builder::new_current_thread();
            let count = round.rng.u32(1000..3000);
            (0..count).for_each(|job| jobs.add(job));
            let taken = tokio::task::spawn_blocking(move || {
                let mut one_thread = one_thread;
                let runtime = one_thread.build().expect("a runtime");
                runtime.block_on(async {
                    let other = tokio::spawn(async {});
                    let mut taken = 0;
                    while !other.is_finished() && taken < count {
                        jobs.take().await;
                        taken += 1;
                    }
                    taken
                })
            });
            assert!(taken.await.expect("no panic") < count, "it starves");
        });
    }

    #[test]
    fn all_that_wait_see_the_status() {
        stress::rounds(|mut round| async move {
            let parcel = Arc::new(Parcel::new());
            let mut waiting = JoinSet::new();
            for task in 0..50 {
                let (parcel, mut round) = (Arc::clone(&parcel), round.fork());
                waiting.spawn(async move {
                    sleep(round.duration(Duration::ZERO..2 * MS)).await;
                    let status = [Status::InTransit, Status::Delivered];
                    let status = status[task % 2];
                    let now = parcel.reached(status);
                    let now = if round.rng.u8(..4) == 0 {
                        round.cancel(2 * MS, now).await
                    } else {
                        Some(now.await)
                    };
                    assert!(now.is_none_or(|now| now >= status));
                });
            }
            for status in [Status::InTransit, Status::Delivered] {
                sleep(round.duration(Duration::ZERO..MS)).await;
                parcel.scan(status);
            }
            let all = timeout(SLACK, waiting.join_all()).await;
            all.expect("a wake-up is lost");
        });
    }
}
