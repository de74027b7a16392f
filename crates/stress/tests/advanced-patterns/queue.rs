//! Workers that share a channel: under errors, panics and callers that give up,
//! and closed while they wait.

use ::stress::fast as tokio;

include!("../../../../snippets/advanced-patterns/queue/queue.rs");

mod stress {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::{Mutex, mpsc};
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep, timeout};

    use super::{Tally, cook};

    fn start_workers() -> (mpsc::Sender<u32>, JoinSet<Tally>, Receiver) {
        let (jobs_tx, jobs_rx) = mpsc::channel(4);
        let jobs_rx = Arc::new(Mutex::new(jobs_rx));
        let workers = (0..4).map(|_| cook(Arc::clone(&jobs_rx))).collect();
        (jobs_tx, workers, jobs_rx)
    }

    type Receiver = Arc<Mutex<mpsc::Receiver<u32>>>;

    /// Jobs 10, 20 and 30 fail, and job 13 panics.
    #[test]
    fn each_job_ends_once() {
        stress::rounds(|mut round| async move {
            let (jobs_tx, workers, jobs_rx) = start_workers();
            drop(jobs_rx);
            let mut producers = JoinSet::new();
            for first in 1..=3 {
                let (jobs_tx, mut round) = (jobs_tx.clone(), round.fork());
                producers.spawn(async move {
                    let mut sent = Vec::new();
                    for job in (first..=36).step_by(3) {
                        let longest = Duration::from_millis(20);
                        let sending = jobs_tx.send(job);
                        if let Some(end) = round.cancel(longest, sending).await
                        {
                            end.expect("the workers are there");
                            sent.push(job);
                        }
                    }
                    sent
                });
            }
            drop(jobs_tx);
            let mut sent = producers.join_all().await.concat();
            let (mut ended, mut failed) = (Vec::new(), Vec::new());
            for tally in workers.join_all().await {
                ended.extend(tally.served);
                failed.extend(tally.returned.iter().map(|(job, _)| *job));
            }
            assert!(failed.iter().all(|job| [10, 13, 20, 30].contains(job)));
            ended.extend(failed);
            ended.sort();
            sent.sort();
            assert_eq!(
                ended, sent,
                "each job once, and none that was not sent"
            );
        });
    }

    /// A job takes 10 ms.
    #[test]
    fn four_workers_work_at_the_same_time() {
        stress::rounds(|_| async {
            let start = Instant::now();
            let (jobs_tx, workers, jobs_rx) = start_workers();
            drop(jobs_rx);
            for _ in 0..40 {
                jobs_tx.send(1).await.expect("the workers are there");
            }
            drop(jobs_tx);
            workers.join_all().await;
            let in_a_row = Duration::from_millis(400);
            assert!(start.elapsed() < in_a_row, "one at a time");
        });
    }

    /// An idle worker holds the lock of the receiver while it waits.
    #[test]
    fn idle_workers_do_not_keep_the_channel_open() {
        stress::known_to_fail("the lock is held", |_| async {
            let (jobs_tx, workers, jobs_rx) = start_workers();
            sleep(Duration::from_millis(10)).await; // they wait for a job
            let close = async { jobs_rx.lock().await.close() };
            let limit = Duration::from_millis(200);
            timeout(limit, close).await.expect("the lock is held");
            assert!(jobs_tx.send(1).await.is_err());
            workers.join_all().await;
        });
    }
}

/// The page's workers that stop while jobs are still coming in.
mod shutdown {
    use ::stress::fast as tokio;

    include!("../../../../snippets/advanced-patterns/queue/queue_shutdown.rs");

    mod stress {
        use std::time::Duration;

        use tokio::task::JoinSet;
        use tokio::time::sleep;
        use tokio_util::sync::CancellationToken;

        use super::open_kitchen;

        #[test]
        fn what_was_accepted_is_done_and_the_rest_comes_back() {
            stress::rounds(|mut round| async move {
                let token = CancellationToken::new();
                let (jobs_tx, workers) = open_kitchen(&token);
                let mut producers = JoinSet::new();
                for first in 0..8 {
                    let (jobs_tx, mut round) = (jobs_tx.clone(), round.fork());
                    producers.spawn(async move {
                        let mut sent = Vec::new();
                        for job in (first..).step_by(8) {
                            let limit = Duration::from_millis(50);
                            let sending = jobs_tx.send(job);
                            match round.cancel(limit, sending).await {
                                Some(Ok(())) => sent.push(job),
                                Some(Err(refused)) => {
                                    assert_eq!(refused.0, job);
                                    break;
                                }
                                None => {}
                            }
                        }
                        sent
                    });
                }
                let longest = Duration::from_millis(100);
                let time = round.duration(Duration::ZERO..longest);
                sleep(time).await;
                token.cancel();
                let mut sent = producers.join_all().await.concat();
                let mut done = workers.join_all().await.concat();
                sent.sort();
                done.sort();
                assert_eq!(done, sent);
            });
        }
    }
}
