//! Background tasks that fail, panic and hang, started by many callers and by
//! clients that leave, and a shutdown while all of them are at it.

include!("../../../../snippets/web/background-work/background_work.rs");

mod stress {
    use std::collections::{BTreeMap, BTreeSet};
    use std::future::pending;
    use std::panic::resume_unwind;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use reqwest::Client;
    use stress::Round;
    use tokio::net::TcpListener;
    use tokio::sync::TryAcquireError;
    use tokio::task::{JoinSet, block_in_place, yield_now};
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::{Background, Reports, Service, serve};

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
            let (trial, background) = (Trial::default(), Background::new(4));
            let mut callers = JoinSet::new();
            for first in 0..4 {
                let ids = (first..400).step_by(4);
                let (trial, background) = (trial.clone(), background.clone());
                let round = round.fork();
                callers.spawn(caller(trial, background, round, ids, false));
            }
            let accepted = accepted(callers).await;
            background.shut_down([LONG; 2]).await;
            assert!(trial.most.load(Relaxed) <= 4);
            assert!(accepted.len() > 10, "{accepted:?}");
            trial.check(&accepted);
        });
    }

    /// Tasks that end, however they end, make room for others.
    #[test]
    fn permits_come_back() {
        stress::rounds(|mut round| async move {
            let (trial, background) = (Trial::default(), Background::new(2));
            for id in 0..100 {
                let fate = fate(&mut round, false);
                let start = Instant::now();
                while trial.spawn(&background, id, fate).is_err() {
                    assert!(start.elapsed() < LONG, "no permit comes back");
                    sleep(MS).await;
                }
            }
            background.shut_down([LONG; 2]).await;
            trial.check(&(0..100).collect());
        });
    }

    /// Callers that do not stop, while the shutdown begins and ends.
    #[test]
    fn a_shutdown_loses_nothing_that_was_accepted() {
        stress::rounds(|mut round| async move {
            let (trial, background) = (Trial::default(), Background::new(8));
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
            background.shut_down([drain, LONG]).await;
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

    /// It cannot be cancelled, so it is left alone.
    #[test]
    fn a_task_that_blocks_does_not_hold_up_the_shutdown() {
        stress::rounds(|_| async {
            let background = Background::new(2);
            let block = async {
                block_in_place(|| thread::sleep(MS * 1_000));
                Ok(())
            };
            background.spawn(block, |_| {}).expect("a permit");
            sleep(MS * 20).await;
            let start = Instant::now();
            background.shut_down([MS * 5, MS * 20]).await;
            assert!(start.elapsed() < MS * 800, "it is waited for");
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
            let (background, reports) =
                (Background::new(8), Reports::default());
            let service = Service {
                background: background.clone(),
                reports: Arc::clone(&reports),
            };
            let closing = CancellationToken::new();
            let limits = [MS * 300, LONG];
            let serving = serve(listener, service, closing.clone(), limits);
            let serving = tokio::spawn(serving);
            let mut clients = JoinSet::new();
            for first in 0..4 {
                let mut round = round.fork();
                clients.spawn(async move {
                    let client = Client::builder().no_proxy().build();
                    let client = client.expect("a client");
                    let [mut accepted, mut unknown] = [(); 2].map(|()| vec![]);
                    for number in (first..).step_by(4).take(200) {
                        // Some hang, some fail, the others take a second.
                        let class = round.choice([0, 1, 3, 3]);
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
                            Some(Err(_)) => break, // the server has ended
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
            let end = timeout(LONG, serving).await.expect("it hangs");
            end.expect("no panic").expect("it ends");
            let answers = clients.join_all().await;
            let [accepted, unknown] = [0, 1].map(|index| {
                let parcels = answers.iter().flat_map(move |all| &all[index]);
                parcels.copied().collect::<BTreeSet<u32>>()
            });
            let reports = reports.lock().expect("no panic");
            let ended: BTreeSet<u32> = reports.keys().copied().collect();
            let lost: Vec<_> = accepted.difference(&ended).collect();
            assert!(lost.is_empty(), "accepted and lost: {lost:?}");
            let other = ended.difference(&accepted);
            let other: Vec<_> =
                other.filter(|parcel| !unknown.contains(parcel)).collect();
            assert!(other.is_empty(), "not answered: {other:?}");
        });
    }
}
