//! A bridge that many threads call at once, with futures that return, fail,
//! panic, block and wait forever, or whose own timeouts and tasks fail, and that
//! is closed or dropped meanwhile: every caller gets its own value or error, told
//! apart from those of the bridge, and no future runs on. So do futures that run
//! on their callers' threads.

include!("../../../../snippets/tasks/sync-border/sync_border.rs");

mod stress {
    use std::future::pending;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::runtime::Runtime;
    use tokio::task::{JoinError, JoinSet, spawn_blocking, yield_now};
    use tokio::time::error::Elapsed;
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::sync::CancellationToken;

    use super::{Bridge, RunError, run_here};

    /// What a caller gets.
    type End = Result<Result<usize>, RunError>;

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(20);

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Return,
        Fail,
        Panic,
        Wait,
        OwnTimeout,
        OwnTask,
    }

    const ACTS: [Act; 6] = [
        Act::Return,
        Act::Fail,
        Act::Panic,
        Act::Wait,
        Act::OwnTimeout,
        Act::OwnTask,
    ];

    /// A future that has not ended.
    struct Alive(Arc<AtomicUsize>);

    impl Alive {
        fn new(alive: &Arc<AtomicUsize>) -> Self {
            alive.fetch_add(1, SeqCst);
            Alive(Arc::clone(alive))
        }
    }

    impl Drop for Alive {
        fn drop(&mut self) {
            thread::sleep(MS / 10); // time to be seen
            self.0.fetch_sub(1, SeqCst);
        }
    }

    /// Acts after up to 3 ms. Some yield, and some block their thread.
    async fn call(
        mut round: Round,
        act: Act,
        value: usize,
        _alive: Alive,
    ) -> Result<usize> {
        match round.rng.u8(..4) {
            0 => yield_now().await,
            1 => thread::sleep(MS / 2),
            _ => sleep(round.duration(Duration::ZERO..3 * MS)).await,
        }
        match act {
            Act::Return => Ok(value),
            Act::Fail => bail!("call {value} fails"),
            Act::Panic => panic!("call {value} panics"),
            Act::Wait => pending().await,
            Act::OwnTimeout => Ok(timeout(MS, pending()).await?),
            Act::OwnTask => {
                let task = tokio::spawn(pending());
                task.abort();
                Ok(task.await?)
            }
        }
    }

    /// Whether the end of a call is that of its own future.
    fn is_own(act: Act, value: usize, end: &End) -> bool {
        match (act, end) {
            (Act::Return, Ok(Ok(other))) => *other == value,
            (Act::Fail, Ok(Err(error))) => {
                error.to_string() == format!("call {value} fails")
            }
            (Act::Panic, Err(RunError::Panicked(error))) => {
                let panics = format!("call {value} panics");
                error.to_string().contains(&panics)
            }
            (Act::Wait, Err(RunError::Timeout)) => true,
            (Act::OwnTimeout, Ok(Err(error))) => error.is::<Elapsed>(),
            (Act::OwnTask, Ok(Err(error))) => error.is::<JoinError>(),
            _ => false,
        }
    }

    /// Threads that call, and what each of them gets.
    fn callers(
        round: &mut Round,
        bridge: &Arc<Bridge>,
        alive: &Arc<AtomicUsize>,
        timeout: Duration,
    ) -> JoinSet<(Act, usize, End)> {
        let mut callers = JoinSet::new();
        for value in 0..round.rng.usize(1..8) {
            let act = round.choice(ACTS);
            let timeout = if act == Act::Wait { timeout } else { LONG };
            let (bridge, alive) = (Arc::clone(bridge), Arc::clone(alive));
            let mut round = round.fork();
            callers.spawn_blocking(move || {
                if round.rng.bool() {
                    thread::sleep(round.duration(Duration::ZERO..3 * MS));
                }
                let future = call(round, act, value, Alive::new(&alive));
                (act, value, bridge.run(timeout, future))
            });
        }
        callers
    }

    /// Waits until no future is alive, and fails if one runs on.
    async fn none(alive: &AtomicUsize) {
        let start = Instant::now();
        while alive.load(SeqCst) > 0 {
            assert!(start.elapsed() < SLACK, "a future runs on");
            sleep(MS).await;
        }
    }

    #[test]
    fn each_caller_gets_the_end_of_its_own_future() {
        stress::rounds(|mut round| async move {
            let bridge = Arc::new(Bridge::new().expect("a runtime"));
            let alive = Arc::default();
            for _ in 0..5 {
                let callers = callers(&mut round, &bridge, &alive, 10 * MS);
                for (act, value, end) in callers.join_all().await {
                    assert!(is_own(act, value, &end), "{act:?}: {end:?}");
                }
                none(&alive).await;
            }
        });
    }

    #[test]
    fn a_closed_bridge_ends_every_call() {
        stress::rounds(|mut round| async move {
            for _ in 0..5 {
                let bridge = Arc::new(Bridge::new().expect("a runtime"));
                let alive = Arc::default();
                let callers = callers(&mut round, &bridge, &alive, 50 * SLACK);
                sleep(round.duration(Duration::ZERO..4 * MS)).await;
                bridge.close();
                for (act, value, end) in callers.join_all().await {
                    let closed = matches!(end, Err(RunError::Closed));
                    let own = act != Act::Wait && is_own(act, value, &end);
                    assert!(closed || own, "{act:?}: {end:?}");
                }
                none(&alive).await;
            }
        });
    }

    #[test]
    fn the_last_owner_may_be_async() {
        stress::rounds(|mut round| async move {
            for _ in 0..5 {
                let bridge = Arc::new(Bridge::new().expect("a runtime"));
                let alive = Arc::default();
                let callers = callers(&mut round, &bridge, &alive, 2 * MS);
                // A future that never ends, and that no caller awaits.
                let waits = Alive::new(&alive);
                let spawn = async {
                    tokio::spawn(async {
                        let _waits = waits;
                        pending::<()>().await
                    });
                };
                let owner = Arc::clone(&bridge);
                let spawned = spawn_blocking(move || owner.run(LONG, spawn));
                spawned.await.expect("no panic").expect("it is spawned");
                let ends = if round.rng.bool() {
                    drop(bridge); // a caller may be the last owner
                    callers.join_all().await
                } else {
                    let ends = callers.join_all().await;
                    drop(bridge);
                    ends
                };
                for (act, value, end) in ends {
                    assert!(is_own(act, value, &end), "{act:?}: {end:?}");
                }
                none(&alive).await;
            }
        });
    }

    #[test]
    fn a_timeout_or_a_token_ends_the_futures_on_their_callers_threads() {
        stress::rounds(|mut round| async move {
            let token = CancellationToken::new();
            let cancels = round.rng.bool();
            let runtime = Arc::new(Runtime::new().expect("a runtime"));
            let alive: Arc<AtomicUsize> = Arc::default();
            let mut callers = JoinSet::new();
            for value in 0..round.rng.usize(1..8) {
                let act = round.choice(ACTS);
                let times_out = act == Act::Wait && !cancels;
                let limit = if times_out { 10 * MS } else { LONG };
                let (runtime, token) = (Arc::clone(&runtime), token.clone());
                let (mut round, alive) = (round.fork(), Arc::clone(&alive));
                callers.spawn_blocking(move || {
                    if round.rng.bool() {
                        thread::sleep(round.duration(Duration::ZERO..3 * MS));
                    }
                    let future = call(round, act, value, Alive::new(&alive));
                    let here = || run_here(&runtime, &token, limit, future);
                    (act, value, catch_unwind(AssertUnwindSafe(here)))
                });
            }
            if cancels {
                sleep(round.duration(Duration::ZERO..8 * MS)).await;
                token.cancel();
            }
            for (act, value, end) in callers.join_all().await {
                match end {
                    Err(_) => assert_eq!(act, Act::Panic),
                    Ok(Err(RunError::Closed)) => assert!(cancels),
                    Ok(end) => {
                        let own = is_own(act, value, &end);
                        let waits = act == Act::Wait && cancels;
                        assert!(own && !waits, "{act:?}: {end:?}");
                    }
                }
            }
            // Each future is dropped before its caller goes on.
            assert_eq!(alive.load(SeqCst), 0);
            let runtime = Arc::into_inner(runtime).expect("the last owner");
            runtime.shutdown_background();
        });
    }
}
