//! Background tasks that fail, panic and hang, started by many callers and by
//! clients that leave, and a shutdown while all of them are at it.

include!("../../../../snippets/web/background-work/background_work.rs");

mod stress {
    use std::collections::{BTreeMap, BTreeSet};
    use std::future::pending;
    use std::hint;
    use std::panic::resume_unwind;
    use std::sync::atomic::{
        AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    };
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::net::TcpListener;
    use tokio::runtime::Handle;
    use tokio::sync::TryAcquireError;
    use tokio::task::{JoinSet, block_in_place, yield_now};
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::{Background, Metrics, serve};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(20);
    const NONE: Duration = Duration::ZERO;

    /// What becomes of a task: how it ends, and after how long.
    #[derive(Clone, Copy, Debug)]
    enum Fate {
        Completes(Duration),
        Fails,
        Panics,
        Hangs,
    }

    /// What was done, and what was reported.
    #[derive(Clone, Default)]
    struct Trial {
        effects: Arc<Mutex<Vec<u32>>>,
        reports: Arc<Mutex<BTreeMap<u32, Result<()>>>>,
        running: Arc<AtomicUsize>,
        most: Arc<AtomicUsize>,
    }

    struct Running(Arc<AtomicUsize>);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Relaxed);
        }
    }

    impl Trial {
        async fn task(self, id: u32, fate: Fate) -> Result<()> {
            let running = self.running.fetch_add(1, Relaxed) + 1;
            self.most.fetch_max(running, Relaxed);
            let _running = Running(Arc::clone(&self.running));
            match fate {
                Fate::Completes(NONE) => yield_now().await,
                Fate::Completes(time) => sleep(time).await,
                Fate::Fails => bail!("no customer"),
                // As a panic, without its message.
                Fate::Panics => resume_unwind(Box::new("no customer")),
                Fate::Hangs => pending().await,
            }
            self.effects.lock().expect("no panic").push(id);
            Ok(())
        }

        fn spawn(
            &self,
            background: &Background,
            id: u32,
            fate: Fate,
        ) -> Result<(), TryAcquireError> {
            let reports = Arc::clone(&self.reports);
            let report = move |result| {
                let mut reports = reports.lock().expect("no panic");
                let earlier = reports.insert(id, result);
                assert!(earlier.is_none(), "{id} is reported twice");
            };
            background.spawn(self.clone().task(id, fate), report)
        }

        /// Each accepted task has one report, and an effect if that says so.
        fn check(&self, accepted: &BTreeSet<u32>) {
            assert_eq!(self.running.load(Relaxed), 0, "a task goes on");
            let reports = self.reports.lock().expect("no panic");
            let reported: BTreeSet<u32> = reports.keys().copied().collect();
            let lost: Vec<_> = accepted.difference(&reported).collect();
            assert!(lost.is_empty(), "accepted and lost: {lost:?}");
            let other: Vec<_> = reported.difference(accepted).collect();
            assert!(other.is_empty(), "refused and run: {other:?}");
            let mut effects = self.effects.lock().expect("no panic").clone();
            effects.sort();
            let done = reports.iter().filter(|(_, result)| result.is_ok());
            let done: Vec<u32> = done.map(|(id, _)| *id).collect();
            assert_eq!(effects, done);
        }
    }

    fn fate(round: &mut Round, hangs: bool) -> Fate {
        match round.rng.u32(..10) {
            0 => Fate::Fails,
            1 => Fate::Panics,
            2 if hangs => Fate::Hangs,
            3..=5 => Fate::Completes(NONE),
            _ => Fate::Completes(round.duration(NONE..MS * 4)),
        }
    }

    /// Starts tasks until it has started all, or is told to stop: which of them
    /// were accepted.
    async fn caller(
        trial: Trial,
        background: Background,
        mut round: Round,
        ids: impl Iterator<Item = u32>,
        hangs: bool,
    ) -> BTreeSet<u32> {
        let mut accepted = BTreeSet::new();
        for id in ids {
            let fate = fate(&mut round, hangs);
            match trial.spawn(&background, id, fate) {
                Ok(()) => assert!(accepted.insert(id)),
                Err(TryAcquireError::NoPermits) => sleep(MS).await,
                Err(TryAcquireError::Closed) => break,
            }
            if round.rng.bool() {
                yield_now().await;
            }
        }
        accepted
    }

    async fn accepted(callers: JoinSet<BTreeSet<u32>>) -> BTreeSet<u32> {
        callers.join_all().await.into_iter().flatten().collect()
    }

    #[test]
    fn each_accepted_task_is_reported_once() {
        stress::rounds(|mut round| async move {
            let (trial, background) =
                (Trial::default(), Background::new(4, LONG));
            let mut callers = JoinSet::new();
            for first in 0..4 {
                let ids = (first..400).step_by(4);
                let (trial, background) = (trial.clone(), background.clone());
                let round = round.fork();
                callers.spawn(caller(trial, background, round, ids, false));
            }
            let accepted = accepted(callers).await;
            assert_eq!(background.shut_down(LONG, LONG).await, 0);
            assert!(trial.most.load(Relaxed) <= 4);
            assert!(accepted.len() > 10, "{accepted:?}");
            trial.check(&accepted);
        });
    }

    /// Tasks that end, however they end, make room for others.
    #[test]
    fn permits_come_back() {
        stress::rounds(|mut round| async move {
            let (trial, background) =
                (Trial::default(), Background::new(2, LONG));
            for id in 0..100 {
                let fate = fate(&mut round, false);
                let start = Instant::now();
                while trial.spawn(&background, id, fate).is_err() {
                    assert!(start.elapsed() < LONG, "no permit comes back");
                    sleep(MS).await;
                }
            }
            assert_eq!(background.shut_down(LONG, LONG).await, 0);
            trial.check(&(0..100).collect());
        });
    }

    /// Callers that do not stop, while the shutdown begins and ends.
    #[test]
    fn a_shutdown_loses_nothing_that_was_accepted() {
        stress::rounds(|mut round| async move {
            let (trial, background) =
                (Trial::default(), Background::new(8, LONG));
            let mut callers = JoinSet::new();
            for first in 0..6 {
                let ids = (first..).step_by(6);
                let (trial, background) = (trial.clone(), background.clone());
                let round = round.fork();
                callers.spawn(caller(trial, background, round, ids, true));
            }
            sleep(round.duration(NONE..MS * 30)).await;
            let drain = round.choice([NONE, MS, MS * 20]);
            let start = Instant::now();
            assert_eq!(background.shut_down(drain, LONG).await, 0);
            assert!(start.elapsed() < LONG / 2, "it hangs");
            // Nothing may begin from now on, so nothing else has to end.
            let running = trial.running.load(Relaxed);
            assert_eq!(running, 0, "a task goes on after the shutdown");
            let reported = trial.reports.lock().expect("no panic").len();
            let accepted = accepted(callers).await;
            assert_eq!(accepted.len(), reported, "accepted after it");
            trial.check(&accepted);
        });
    }

    /// The limit is that of `spawn`: no task keeps its permit.
    #[test]
    fn tasks_that_hang_give_their_permits_back() {
        stress::rounds(|mut round| async move {
            let background = Background::new(2, MS * 20);
            let trial = Trial::default();
            for id in 0..10 {
                let fate = round.choice([Fate::Hangs, Fate::Panics]);
                let start = Instant::now();
                while trial.spawn(&background, id, fate).is_err() {
                    assert!(start.elapsed() < SLACK, "no permit comes back");
                    sleep(MS).await;
                }
            }
            assert_eq!(background.shut_down(SLACK, LONG).await, 0);
            trial.check(&(0..10).collect());
        });
    }

    /// A report that panics costs no permit, and no other report.
    #[test]
    fn a_report_may_panic() {
        stress::rounds(|mut round| async move {
            let (trial, background) =
                (Trial::default(), Background::new(2, LONG));
            let mut accepted = BTreeSet::new();
            for id in 0..40 {
                let start = Instant::now();
                let fate = fate(&mut round, false);
                while trial.spawn(&background, id, fate).is_err() {
                    assert!(start.elapsed() < SLACK, "no permit comes back");
                    sleep(MS).await;
                }
                accepted.insert(id);
                // As a panic, without its message.
                let report = |_| resume_unwind(Box::new("a bug"));
                _ = background.spawn(async { Ok(()) }, report);
            }
            assert_eq!(background.shut_down(LONG, LONG).await, 0);
            trial.check(&accepted);
        });
    }

    /// A task is accepted at the very moment when the shutdown begins: it is
    /// waited for. Two threads meet here, and the rounds take turns, for the
    /// moment is short.
    #[test]
    fn a_task_accepted_in_the_last_moment_is_waited_for() {
        static TURN: Mutex<()> = Mutex::new(());
        stress::rounds(|_| async {
            let runtime = Handle::current();
            let meet = move || {
                let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
                let _entered = runtime.enter();
                let met = AtomicUsize::new(0);
                let meet = |times| {
                    met.fetch_add(1, SeqCst);
                    while met.load(SeqCst) < times {
                        hint::spin_loop();
                    }
                };
                for _ in 0..30 {
                    met.store(0, SeqCst);
                    let background = Background::new(1, LONG);
                    let left = thread::scope(|scope| {
                        scope.spawn(|| {
                            let _entered = runtime.enter();
                            meet(2);
                            _ = background.spawn(async { Ok(()) }, |_| {});
                        });
                        let shutdown = background.shut_down(LONG, LONG);
                        meet(2);
                        runtime.block_on(shutdown)
                    });
                    assert_eq!(left, 0);
                }
            };
            let met = tokio::task::spawn_blocking(meet).await;
            met.expect("it is waited for");
        });
    }

    /// The callers of `shut_down` may give up, and there may be two of them.
    #[test]
    fn a_shutdown_that_is_cancelled_can_be_called_again() {
        stress::rounds(|mut round| async move {
            let (trial, background) =
                (Trial::default(), Background::new(8, LONG));
            let mut callers = JoinSet::new();
            for first in 0..4 {
                let ids = (first..).step_by(4);
                let (trial, background) = (trial.clone(), background.clone());
                let round = round.fork();
                callers.spawn(caller(trial, background, round, ids, true));
            }
            sleep(round.duration(NONE..MS * 20)).await;
            let shutdown = background.shut_down(MS * 10, LONG);
            _ = round.cancel(MS * 15, shutdown).await;
            let (one, two) = tokio::join!(
                background.shut_down(MS, LONG),
                background.shut_down(MS, LONG),
            );
            assert_eq!((one, two), (0, 0));
            trial.check(&accepted(callers).await);
        });
    }

    /// It cannot be cancelled, so it is left alone.
    #[test]
    fn a_task_that_blocks_does_not_hold_up_the_shutdown() {
        stress::rounds(|_| async {
            let background = Background::new(2, LONG);
            let block = async {
                block_in_place(|| thread::sleep(MS * 1_000));
                Ok(())
            };
            background.spawn(block, |_| {}).expect("a permit");
            sleep(MS * 20).await;
            let start = Instant::now();
            let left = background.shut_down(MS * 5, MS * 20).await;
            assert!(start.elapsed() < MS * 800, "it is waited for");
            assert_eq!(left, 1);
            assert_eq!(background.shut_down(LONG, LONG).await, 0);
        });
    }

    /// The service itself, with clients that leave. Of a request whose client
    /// has left, it is unknown whether it was accepted.
    #[test]
    fn each_202_has_one_end() {
        stress::rounds(|mut round| async move {
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.expect("a port");
            let address = listener.local_addr().expect("an address");
            let metrics = Metrics::default();
            let closing = CancellationToken::new();
            let serving = serve(listener, metrics.clone(), closing.clone());
            let serving = tokio::spawn(serving);
            let mut clients = JoinSet::new();
            for first in 0..4 {
                let (mut round, closing) = (round.fork(), closing.clone());
                clients.spawn(async move {
                    // A request that is sent while its connection is closed may
                    // get no answer at all.
                    let client = stress::http_client().timeout(SLACK).build();
                    let client = client.expect("a client");
                    let [mut accepted, mut unknown] = [(); 2].map(|()| vec![]);
                    for number in (first..).step_by(4).take(200) {
                        // Some fail, the others take a second.
                        let class = round.choice([0, 0, 3, 3]);
                        let parcel = class * 100 + number % 100;
                        let parcel = parcel + number / 100 * 1000;
                        let url = format!("http://{address}/parcels");
                        let request =
                            client.post(format!("{url}/{parcel}/scans")).send();
                        let response = match round.rng.u32(..4) {
                            0 => round.cancel(MS * 2, request).await,
                            _ => Some(request.await),
                        };
                        match response {
                            None => unknown.push(parcel),
                            Some(Err(error)) => {
                                assert!(closing.is_cancelled(), "{error:?}");
                                unknown.push(parcel);
                                break; // the server has ended
                            }
                            Some(Ok(response)) => match response.status() {
                                status if status == 202 => {
                                    accepted.push(parcel)
                                }
                                status => assert_eq!(status, 503),
                            },
                        }
                    }
                    [accepted, unknown]
                });
            }
            sleep(round.duration(MS..MS * 200)).await;
            closing.cancel();
            let end = timeout(SLACK, serving).await.expect("it hangs");
            let left = end.expect("no panic").expect("it ends");
            assert_eq!(left, 0);
            let answers = clients.join_all().await;
            let [accepted, unknown] = [0, 1].map(|index| {
                let parcels = answers.iter().flat_map(move |all| &all[index]);
                parcels.copied().collect::<BTreeSet<u32>>()
            });
            let ends = metrics.take();
            let ended: BTreeSet<u32> =
                ends.iter().map(|(parcel, _)| *parcel).collect();
            let lost: Vec<_> = accepted.difference(&ended).collect();
            assert!(lost.is_empty(), "accepted and lost: {lost:?}");
            let other = ended.difference(&accepted);
            let other: Vec<_> =
                other.filter(|parcel| !unknown.contains(parcel)).collect();
            assert!(other.is_empty(), "not answered: {other:?}");
        });
    }
}
