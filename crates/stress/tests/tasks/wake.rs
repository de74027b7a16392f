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
