//! A priority queue: senders and workers on several threads, callers that give
//! up, jobs that fail or panic, a close and an abort at any moment.

include!("../../../../snippets/time/queues/queues.rs");

mod stress {
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::Duration;

    use anyhow::Result;
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::PriorityQueue;

    const MS: Duration = Duration::from_millis(1);
    const CAPACITY: usize = 4;

    /// Its priority, its sender and its number.
    type Job = (u8, usize, usize);
    type Queue = Arc<PriorityQueue<u8, Job>>;

    /// Sends jobs, gives some of them up, and returns those that were accepted.
    async fn send(
        mut round: stress::Round,
        jobs: Queue,
        name: usize,
    ) -> Vec<Job> {
        let mut accepted = Vec::new();
        for number in 0..30 {
            let priority = round.rng.u8(..3);
            let job = (priority, name, number);
            let sent = jobs.send(priority, job);
            let sent = if round.rng.bool() {
                round.cancel(MS, sent).await
            } else {
                Some(sent.await)
            };
            match sent {
                Some(Ok(())) => accepted.push(job),
                Some(Err(back)) => assert_eq!(back, job),
                None => {} // given up: it must not be received
            }
        }
        accepted
    }

    fn senders(round: &mut stress::Round, jobs: &Queue) -> JoinSet<Vec<Job>> {
        let mut senders = JoinSet::new();
        for name in 0..3 {
            senders.spawn(send(round.fork(), jobs.clone(), name));
        }
        senders
    }

    /// Fails or panics, or takes a moment.
    async fn handle((_, name, number): Job) -> Result<()> {
        assert_ne!(number, 7, "a comma in the address");
        anyhow::ensure!(number != 9, "no address");
        if name == 0 {
            sleep(MS / 4).await;
        }
        Ok(())
    }

    /// Three workers, each with a clone of `report`.
    fn workers(
        jobs: &Queue,
        report: impl Fn(Job, Result<()>) + Clone + Send + 'static,
    ) -> JoinSet<()> {
        let mut workers = JoinSet::new();
        for _ in 0..3 {
            workers.spawn(jobs.clone().work(handle, report.clone()));
        }
        workers
    }

    #[test]
    fn what_is_accepted_is_reported_once_though_it_is_closed_at_any_moment() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::new(PriorityQueue::new(CAPACITY));
            let (reports_tx, mut reports_rx) = mpsc::unbounded_channel();
            let workers = workers(&jobs, move |job, result| {
                reports_tx.send((job, result)).expect("a receiver");
            });
            let senders = senders(&mut round, &jobs);
            // A caller of `recv` that gives up takes no job with it; one that
            // does not has it.
            let mut taken = Vec::new();
            for _ in 0..round.rng.usize(..20) {
                let job = round.cancel(MS, jobs.recv()).await;
                taken.extend(job.flatten());
            }
            jobs.close();
            workers.join_all().await;
            let sent: Vec<_> = senders.join_all().await.concat();
            let accepted: BTreeSet<_> = sent.iter().copied().collect();
            while let Some((job, result)) = reports_rx.recv().await {
                let expected = !matches!(job, (_, _, 7 | 9));
                assert_eq!(result.is_ok(), expected, "{job:?}");
                taken.push(job);
            }
            assert_eq!(taken.len(), sent.len(), "once");
            assert_eq!(BTreeSet::from_iter(taken), accepted);
            assert_eq!(jobs.recv().await, None);
        });
    }

    /// Received without a break, what waits is in order.
    #[test]
    fn what_waits_is_in_order() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::new(PriorityQueue::new(90));
            let sent = senders(&mut round, &jobs).join_all().await.concat();
            let mut received = Vec::new();
            jobs.close();
            while let Some(job) = jobs.recv().await {
                received.push(job);
            }
            assert_eq!(received.len(), sent.len());
            // Of one priority and one sender, in the order of the sending.
            let priorities = received.iter().map(|(priority, ..)| priority);
            assert!(priorities.is_sorted());
            for name in 0..3 {
                let of_one = received.iter().filter(|job| job.1 == name);
                assert!(of_one.is_sorted());
            }
        });
    }

    #[test]
    fn the_queue_is_bounded_and_no_place_is_lost() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::new(PriorityQueue::new(CAPACITY));
            let mut senders = senders(&mut round, &jobs);
            let mut accepted = Vec::new();
            let mut received = 0;
            while !senders.is_empty() {
                tokio::select! {
                    Some(sent) = senders.join_next() => {
                        accepted.extend(sent.expect("no panic"));
                    }
                    Some(_) = jobs.recv() => received += 1,
                }
                let waiting = jobs.lock().1.len();
                assert!(waiting <= CAPACITY, "{waiting} jobs wait");
            }
            while received < accepted.len() {
                assert!(jobs.recv().await.is_some());
                received += 1;
            }
            assert!(jobs.lock().1.is_empty());
            for number in 0..CAPACITY {
                // A round that waits here forever has lost a place.
                assert_eq!(jobs.send(0, (0, 0, number)).await, Ok(()));
            }
        });
    }

    #[test]
    fn an_aborted_worker_leaves_what_waits_to_the_others() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::new(PriorityQueue::new(CAPACITY));
            let (handled_tx, mut handled_rx) = mpsc::unbounded_channel();
            let mut workers = Vec::new();
            for _ in 0..3 {
                let handled_tx = handled_tx.clone();
                let handle = move |job: Job| {
                    let handled_tx = handled_tx.clone();
                    async move {
                        let end = handle(job).await;
                        handled_tx.send(job).expect("a receiver");
                        end
                    }
                };
                let work = jobs.clone().work(handle, |_, _| {});
                workers.push(tokio::spawn(work));
            }
            drop(handled_tx);
            let senders = senders(&mut round, &jobs);
            sleep(round.duration(Duration::ZERO..3 * MS)).await;
            let last = workers.pop().expect("three");
            for worker in workers {
                worker.abort();
            }
            let sent = senders.join_all().await.concat();
            jobs.close();
            last.await.expect("no panic");
            let mut handled = Vec::new();
            while let Some(job) = handled_rx.recv().await {
                handled.push(job);
            }
            let panicked = sent.iter().filter(|job| job.2 == 7).count();
            assert_eq!(handled.len() + panicked, sent.len());
        });
    }

    /// `report` panics for some jobs, and each panic ends a worker.
    #[test]
    fn a_report_that_panics_ends_no_other_worker() {
        stress::rounds(|mut round| async move {
            let jobs = Arc::new(PriorityQueue::new(CAPACITY));
            let (reports_tx, mut reports_rx) = mpsc::unbounded_channel();
            let mut workers = workers(&jobs, move |job, _| {
                reports_tx.send(job).expect("a receiver");
                // Two jobs: the third worker handles the rest.
                assert!(job.1 == 2 || job.2 != 1, "no log");
            });
            let senders = senders(&mut round, &jobs);
            let mut sent = senders.join_all().await.concat();
            jobs.close();
            super::finish(&mut workers).await;
            assert!(workers.is_empty());
            let mut reported = Vec::new();
            while let Some(job) = reports_rx.recv().await {
                reported.push(job);
            }
            reported.sort();
            sent.sort();
            assert_eq!(reported, sent);
        });
    }
}
