//! Supervised tasks that fail, panic, hang and block, and a supervisor that is
//! cancelled or dropped meanwhile.

include!("../../../../snippets/tasks/dead-task/dead_task.rs");

/// The owner of tasks, which the page names.
mod owner {
    include!("../../../../snippets/tasks/stop-leaking/stop_leaking.rs");

    /// Spawns a supervisor of a task that does not look at a token, and shuts
    /// it down.
    pub(super) async fn supervised<F>(
        limits: super::Limits,
        up_tx: tokio::sync::watch::Sender<bool>,
        task: impl Fn(tokio::sync::watch::Sender<bool>) -> F
        + Clone
        + Send
        + 'static,
        run_for: Duration,
    ) -> usize
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let tasks = Tasks::default();
        let spawned = tasks.spawn("events", move |token| {
            super::supervise("events", limits, token, up_tx, task)
        });
        spawned.expect("it is open");
        sleep(run_for).await;
        let left = tasks.shut_down(Duration::ZERO, 20 * SECOND).await;
        left.len()
    }
}

mod stress {
    use std::future::pending;
    use std::panic::resume_unwind;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::sync::watch;
    use tokio::task::{block_in_place, yield_now};
    use tokio::time::{sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::{Limits, is_up, supervise};

    const MS: Duration = Duration::from_millis(1);
    const NONE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(20);

    const LIMITS: Limits =
        Limits { backoff: NONE, restarts: 1_000, window: LONG, silence: LONG };

    /// How a run ends.
    #[derive(Clone, Copy)]
    enum End {
        Ends,
        Fails,
        Panics,
        Hangs,
        /// It has no await for a second.
        Blocks,
    }

    /// How many runs have begun, and are alive.
    #[derive(Clone, Default)]
    struct Trial {
        runs: Arc<AtomicUsize>,
        alive: Arc<AtomicUsize>,
    }

    struct Alive(Arc<AtomicUsize>);

    impl Drop for Alive {
        fn drop(&mut self) {
            thread::sleep(MS / 10); // time to be seen
            self.0.fetch_sub(1, SeqCst);
        }
    }

    impl Trial {
        async fn run(
            self,
            end: End,
            time: Duration,
            up_tx: watch::Sender<bool>,
            token: CancellationToken,
        ) -> Result<()> {
            let alive = self.alive.fetch_add(1, SeqCst);
            let _alive = Alive(Arc::clone(&self.alive));
            assert_eq!(alive, 0, "two at once");
            assert!(!*up_tx.borrow(), "it is up before it runs");
            up_tx.send_replace(true);
            if token.run_until_cancelled(sleep(time)).await.is_none() {
                return Ok(());
            }
            match end {
                End::Ends => Ok(()),
                End::Fails => bail!("it fails"),
                End::Panics => resume_unwind(Box::new("without a message")),
                End::Hangs => pending().await,
                End::Blocks => {
                    block_in_place(|| thread::sleep(MS * 1_000));
                    yield_now().await;
                    bail!("it is aborted before");
                }
            }
        }

        /// Supervises runs that end as they are chosen.
        async fn supervise(
            &self,
            mut round: Round,
            limits: Limits,
            token: CancellationToken,
            up_tx: watch::Sender<bool>,
            ends: &'static [End],
        ) -> Result<()> {
            let trial = self.clone();
            let seeds = round.rng.fork();
            let seed = round.seed;
            let runs_token = token.clone();
            let task = move |up_tx| {
                let run = trial.runs.fetch_add(1, SeqCst) as u64;
                let mut rng = seeds.clone();
                rng.seed(seed ^ run << 32);
                let end = rng.choice(ends).copied().expect("some");
                let time = MS.mul_f64(rng.f64());
                trial.clone().run(end, time, up_tx, runs_token.clone())
            };
            supervise("it", limits, token, up_tx, task).await
        }

        async fn assert_ends(&self) {
            let ended = async {
                while self.alive.load(SeqCst) > 0 {
                    sleep(MS).await;
                }
            };
            timeout(LONG, ended).await.expect("the task goes on");
        }
    }

    #[test]
    fn a_task_is_restarted_until_it_ends() {
        use End::{Ends, Fails, Panics};
        stress::rounds(|round| async move {
            let (trial, token) = (Trial::default(), CancellationToken::new());
            let (up_tx, up_rx) = watch::channel(false);
            let ends = &[Ends, Fails, Fails, Panics, Panics];
            let supervisor = trial.supervise(round, LIMITS, token, up_tx, ends);
            let end = timeout(LONG, supervisor).await.expect("it ends");
            end.expect("an intended end");
            assert_eq!(trial.alive.load(SeqCst), 0);
            assert!(!is_up(&up_rx));
        });
    }

    #[test]
    fn it_gives_up_after_the_restarts() {
        use End::{Fails, Panics};
        stress::rounds(|mut round| async move {
            let (trial, token) = (Trial::default(), CancellationToken::new());
            let (up_tx, up_rx) = watch::channel(false);
            let restarts = round.rng.u32(..5);
            let limits = Limits { restarts, backoff: MS, ..LIMITS };
            let ends = &[Fails, Panics];
            let supervisor = trial.supervise(round, limits, token, up_tx, ends);
            let end = timeout(LONG, supervisor).await.expect("it ends");
            end.expect_err("it fails each time");
            assert_eq!(trial.runs.load(SeqCst) as u32, restarts + 1);
            assert!(!is_up(&up_rx));
        });
    }

    #[test]
    fn a_task_that_hangs_is_aborted_before_the_next_one_starts() {
        use End::{Ends, Hangs};
        stress::rounds(|round| async move {
            let (trial, token) = (Trial::default(), CancellationToken::new());
            let (up_tx, _) = watch::channel(false);
            // A busy machine may abort a task that would have ended.
            let limits = Limits { silence: MS * 200, ..LIMITS };
            let ends = &[Ends, Hangs];
            let supervisor = trial.supervise(round, limits, token, up_tx, ends);
            let end = timeout(LONG, supervisor).await.expect("it ends");
            end.expect("an intended end");
            assert_eq!(trial.alive.load(SeqCst), 0);
        });
    }

    #[test]
    fn no_task_starts_beside_one_that_blocks_its_thread() {
        stress::rounds(|round| async move {
            let (trial, token) = (Trial::default(), CancellationToken::new());
            let (up_tx, up_rx) = watch::channel(false);
            let limits = Limits { silence: MS * 100, ..LIMITS };
            let ends = &[End::Blocks];
            let supervisor = trial.supervise(round, limits, token, up_tx, ends);
            let error = timeout(LONG, supervisor).await.expect("it ends");
            let error = error.expect_err("it blocks").to_string();
            assert_eq!(error, "it cannot be aborted");
            assert_eq!(trial.runs.load(SeqCst), 1);
            assert!(!is_up(&up_rx) || trial.alive.load(SeqCst) > 0);
            trial.assert_ends().await;
        });
    }

    #[test]
    fn a_token_ends_task_and_supervisor() {
        use End::{Fails, Panics};
        stress::rounds(|mut round| async move {
            let (trial, token) = (Trial::default(), CancellationToken::new());
            let (up_tx, up_rx) = watch::channel(false);
            let backoff = round.choice([NONE, MS, LONG]);
            let limits = Limits { backoff, ..LIMITS };
            let (at, fork) = (round.duration(NONE..MS * 5), round.fork());
            let ends = &[Fails, Panics];
            let supervisor =
                trial.supervise(fork, limits, token.clone(), up_tx, ends);
            let cancel = async {
                sleep(at).await;
                token.cancel();
            };
            let both = async { tokio::join!(supervisor, cancel) };
            _ = timeout(SLACK, both).await.expect("it does not end");
            assert_eq!(trial.alive.load(SeqCst), 0);
            assert!(!is_up(&up_rx));
        });
    }

    #[test]
    fn an_owner_of_tasks_ends_supervisor_and_task() {
        stress::rounds(|mut round| async move {
            let trial = Trial::default();
            let (up_tx, up_rx) = watch::channel(false);
            let hung = trial.clone();
            let task = move |up_tx| {
                let (token, time) = (CancellationToken::new(), NONE);
                hung.clone().run(End::Hangs, time, up_tx, token)
            };
            let time = round.duration(NONE..MS * 5);
            let left = super::owner::supervised(LIMITS, up_tx, task, time);
            assert_eq!(left.await, 0);
            trial.assert_ends().await;
            assert!(!is_up(&up_rx));
        });
    }

    #[test]
    fn a_supervisor_that_is_dropped_aborts_its_task() {
        use End::{Fails, Hangs, Panics};
        stress::rounds(|mut round| async move {
            let (trial, token) = (Trial::default(), CancellationToken::new());
            let (up_tx, up_rx) = watch::channel(false);
            let fork = round.fork();
            let ends = &[Fails, Hangs, Panics];
            let supervisor = trial.supervise(fork, LIMITS, token, up_tx, ends);
            let end = round.cancel(MS * 5, supervisor).await;
            assert!(end.is_none(), "it goes on until it is dropped");
            let down = async {
                while is_up(&up_rx) {
                    sleep(MS).await;
                }
            };
            timeout(LONG, down).await.expect("it is up for ever");
            trial.assert_ends().await;
            let runs = trial.runs.load(SeqCst);
            sleep(MS * 5).await;
            assert_eq!(trial.runs.load(SeqCst), runs, "it is restarted");
        });
    }
}
