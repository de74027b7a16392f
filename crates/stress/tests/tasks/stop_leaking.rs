//! Background tasks that end, fail, panic and never look at their token,
//! spawned by many callers while they are shut down or dropped.

include!("../../../../snippets/tasks/stop-leaking/stop_leaking.rs");

mod stress {
    use std::collections::BTreeMap;
    use std::fmt;
    use std::future::pending;
    use std::hint;
    use std::panic::resume_unwind;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, LazyLock, Mutex, PoisonError};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::runtime::Handle;
    use tokio::task::{JoinSet, block_in_place, yield_now};
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::sync::CancellationToken;
    use tracing::Event;
    use tracing::field::{Field, Visit};
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::Tasks;

    const MS: Duration = Duration::from_millis(1);
    const NONE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(20);

    /// How many lines the log has about each name.
    static LINES: LazyLock<Mutex<BTreeMap<String, usize>>> =
        LazyLock::new(|| {
            let log = tracing_subscriber::registry().with(Lines);
            tracing::subscriber::set_global_default(log).expect("no other");
            Mutex::default()
        });

    struct Lines;

    impl Layer<Registry> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, Registry>) {
            let mut text = Text::default();
            event.record(&mut text);
            let Some((name, _)) = text.0.split_once(": ") else { return };
            let mut lines = LINES.lock().expect("no panic");
            *lines.entry(name.to_owned()).or_default() += 1;
        }
    }

    #[derive(Default)]
    struct Text(String);

    impl Visit for Text {
        fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
            self.0 = format!("{value:?}");
        }
    }

    /// What has begun and not ended, and the names of what was accepted.
    #[derive(Clone, Default)]
    struct Trial {
        alive: Arc<AtomicUsize>,
        accepted: Arc<Mutex<Vec<&'static str>>>,
    }

    struct Alive(Arc<AtomicUsize>);

    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }

    impl Trial {
        /// Ends, fails, panics, waits for the token, or for nothing.
        fn spawn(&self, round: &mut Round, tasks: &Tasks) -> Result<()> {
            static NAMES: AtomicUsize = AtomicUsize::new(0);
            LazyLock::force(&LINES);
            let name = format!("stop-leaking-{}", NAMES.fetch_add(1, SeqCst));
            let name: &'static str = name.leak();
            let (end, time) = (round.rng.u8(..5), round.duration(NONE..MS * 3));
            let count = Arc::clone(&self.alive);
            let task = async move |token: CancellationToken| {
                count.fetch_add(1, SeqCst);
                let _alive = Alive(count);
                match end {
                    0 => yield_now().await,
                    1 => bail!("it fails"),
                    2 => resume_unwind(Box::new("as a panic, without text")),
                    3 => {
                        token.cancelled().await;
                        sleep(time).await;
                    }
                    _ => pending().await,
                }
                Ok(())
            };
            tasks.spawn(name, task)?;
            self.accepted.lock().expect("no panic").push(name);
            Ok(())
        }

        /// How many lines the accepted tasks have in the log.
        fn logged(&self) -> Vec<usize> {
            let lines = LINES.lock().expect("no panic");
            let accepted = self.accepted.lock().expect("no panic");
            let count = |name: &&str| lines.get(*name).copied().unwrap_or(0);
            accepted.iter().map(count).collect()
        }

        fn assert_logged_once(&self) {
            let logged = self.logged();
            assert!(logged.iter().all(|lines| *lines == 1), "{logged:?}");
        }
    }

    /// Callers spawn until they are refused.
    fn callers(
        round: &mut Round,
        trial: &Trial,
        tasks: &Arc<Tasks>,
    ) -> JoinSet<()> {
        let mut callers = JoinSet::new();
        for _ in 0..4 {
            let (trial, tasks) = (trial.clone(), Arc::clone(tasks));
            let mut round = round.fork();
            callers.spawn(async move {
                while trial.spawn(&mut round, &tasks).is_ok() {
                    sleep(round.duration(NONE..MS)).await;
                }
            });
        }
        callers
    }

    #[test]
    fn what_is_accepted_ends_before_the_shutdown_and_is_logged_once() {
        stress::rounds(|mut round| async move {
            let (trial, tasks) = (Trial::default(), Arc::<Tasks>::default());
            let callers = callers(&mut round, &trial, &tasks);
            sleep(round.duration(NONE..MS * 10)).await;
            let drain = round.choice([NONE, MS, MS * 20]);
            let start = Instant::now();
            let left = tasks.shut_down(drain, LONG).await;
            assert!(start.elapsed() < SLACK, "{:?}", start.elapsed());
            assert!(left.is_empty(), "{left:?}");
            assert_eq!(trial.alive.load(SeqCst), 0, "a task goes on");
            let accepted = trial.accepted.lock().expect("no panic").len();
            trial.assert_logged_once();
            callers.join_all().await;
            // What `spawn` has accepted was pushed to the list a moment later.
            let late = trial.accepted.lock().expect("no panic").len();
            assert!(late - accepted <= 4, "accepted after the shutdown");
            trial.assert_logged_once();
            assert_eq!(trial.alive.load(SeqCst), 0, "a task began after it");
        });
    }

    /// A task is accepted at the very moment when the shutdown begins: it is
    /// waited for. Two threads meet here, and the rounds take turns, for the
    /// moment is short.
    #[test]
    fn a_task_accepted_at_the_last_moment_is_waited_for() {
        static TURN: Mutex<()> = Mutex::new(());
        stress::rounds(|_| async {
            let runtime = Handle::current();
            let meet = move || {
                let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
                let met = AtomicUsize::new(0);
                let meet = || {
                    met.fetch_add(1, SeqCst);
                    while met.load(SeqCst) < 2 {
                        hint::spin_loop();
                    }
                };
                for _ in 0..20 {
                    met.store(0, SeqCst);
                    let tasks = Tasks::default();
                    thread::scope(|scope| {
                        scope.spawn(|| {
                            let _entered = runtime.enter();
                            meet();
                            _ = tasks.spawn("waits", |_| pending());
                        });
                        let shutdown = tasks.shut_down(NONE, LONG);
                        meet();
                        assert!(runtime.block_on(shutdown).is_empty());
                    });
                    assert!(tasks.running().is_empty(), "started later");
                }
            };
            let met = tokio::task::spawn_blocking(meet).await;
            met.expect("it is waited for");
        });
    }

    #[test]
    fn tasks_that_are_dropped_are_aborted() {
        stress::rounds(|mut round| async move {
            let (trial, tasks) = (Trial::default(), Tasks::default());
            for _ in 0..20 {
                trial.spawn(&mut round, &tasks).expect("it is open");
            }
            sleep(round.duration(NONE..MS * 2)).await;
            drop(tasks);
            let ends = async {
                while trial.logged().contains(&0) {
                    sleep(MS).await;
                }
            };
            timeout(LONG, ends).await.expect("a task goes on");
            assert_eq!(trial.alive.load(SeqCst), 0);
            trial.assert_logged_once();
        });
    }

    #[test]
    fn a_shutdown_that_is_cancelled_may_be_called_again() {
        stress::rounds(|mut round| async move {
            let (trial, tasks) = (Trial::default(), Arc::<Tasks>::default());
            let callers = callers(&mut round, &trial, &tasks);
            sleep(round.duration(NONE..MS * 5)).await;
            _ = round.cancel(MS * 5, tasks.shut_down(MS * 2, LONG)).await;
            let (one, two) = tokio::join!(
                tasks.shut_down(MS, LONG),
                tasks.shut_down(MS, LONG),
            );
            assert!(one.is_empty() && two.is_empty());
            callers.join_all().await;
            assert_eq!(trial.alive.load(SeqCst), 0);
            trial.assert_logged_once();
        });
    }

    #[test]
    fn a_task_that_blocks_its_thread_is_named() {
        stress::rounds(|_| async {
            let (blocked_tx, blocked) = tokio::sync::oneshot::channel();
            let tasks = Tasks::default();
            let block = async move |_| {
                _ = blocked_tx.send(());
                block_in_place(|| thread::sleep(MS * 300));
                Ok(())
            };
            tasks.spawn("blocks", block).expect("it is open");
            tasks
                .spawn("listens", |token| async move {
                    token.cancelled().await;
                    Ok(())
                })
                .expect("it is open");
            blocked.await.expect("it has begun");
            assert_eq!(tasks.shut_down(MS, MS * 20).await, ["blocks"]);
            assert!(tasks.shut_down(LONG, LONG).await.is_empty());
        });
    }
}
