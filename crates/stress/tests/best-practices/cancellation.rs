//! Tasks that return, fail, panic, ignore the token or block their thread, and
//! are stopped: each is returned once, as it has ended.

include!("../../../../snippets/best-practices/cancellation/cancellation.rs");

mod stress {
    use std::collections::BTreeMap;
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex, mpsc};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::task::block_in_place;
    use tokio::time::{Instant, sleep};
    use tokio_util::sync::CancellationToken;

    use super::{End, Ends, Tasks};

    const MS: Duration = Duration::from_millis(1);
    /// Never reached, unless something hangs.
    const LONG: Duration = Duration::from_secs(60);

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Return,
        Fail,
        Panic,
        PanicInDrop,
        Ignore,
    }

    /// How many tasks are alive, and what each did at its end.
    #[derive(Default)]
    struct Seen {
        alive: AtomicUsize,
        acts: Mutex<BTreeMap<String, Act>>,
    }

    struct Alive(Arc<Seen>);

    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.alive.fetch_sub(1, SeqCst);
        }
    }

    struct PanicInDrop;

    impl Drop for PanicInDrop {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }

    /// Acts after up to 3 ms, or when it sees the token. Some block their
    /// thread for a moment.
    fn task(
        round: &mut Round,
        seen: &Arc<Seen>,
        token: &CancellationToken,
        name: &str,
        act: Act,
    ) -> impl Future<Output = Result<String>> + Send + 'static + use<> {
        seen.alive.fetch_add(1, SeqCst);
        let (alive, token) = (Alive(Arc::clone(seen)), token.clone());
        let time = round.duration(Duration::ZERO..3 * MS);
        let (early, blocks) = (round.rng.bool(), round.rng.u8(..4) == 0);
        let name = name.to_owned();
        async move {
            match early {
                true => sleep(time).await,
                false => token.cancelled().await,
            }
            if blocks {
                thread::sleep(MS);
            }
            let _broken = (act == Act::PanicInDrop).then(|| PanicInDrop);
            if matches!(act, Act::Ignore | Act::PanicInDrop) {
                pending::<()>().await;
            }
            let acts = &alive.0.acts;
            let earlier =
                acts.lock().expect("no panic").insert(name.clone(), act);
            assert_eq!(earlier, None);
            match act {
                Act::Fail => bail!("{name} fails"),
                Act::Panic => panic!("{name} panics"),
                _ => Ok(name),
            }
        }
    }

    /// Some tasks, and how each must end.
    fn spawn_some(
        round: &mut Round,
        seen: &Arc<Seen>,
        tasks: &mut Tasks<String>,
    ) -> BTreeMap<String, Act> {
        let mut acts = BTreeMap::new();
        for index in 0..round.rng.usize(..200) {
            let act = round.choice([
                Act::Return,
                Act::Return,
                Act::Fail,
                Act::Panic,
                Act::PanicInDrop,
                Act::Ignore,
            ]);
            let name = format!("task {index}");
            let task = task(round, seen, &tasks.token, &name, act);
            tasks.spawn(&name, task);
            acts.insert(name, act);
        }
        acts
    }

    /// Each name is there once, and its end is what the task did.
    fn check(
        seen: &Seen,
        expected: &BTreeMap<String, Act>,
        ends: Ends<String>,
    ) {
        let done = seen.acts.lock().expect("no panic");
        let count = ends.len();
        let ends: BTreeMap<_, _> = ends.into_iter().collect();
        assert_eq!(ends.len(), count, "a task is returned twice");
        assert!(ends.keys().eq(expected.keys()), "{ends:?}");
        for (name, end) in ends {
            match (end, done.get(&name)) {
                (End::Done(value), Some(Act::Return)) => {
                    assert_eq!(value, name);
                }
                (End::Failed(error), Some(Act::Fail)) => {
                    assert_eq!(error.to_string(), format!("{name} fails"));
                }
                (End::Panicked(error), Some(Act::Panic)) => {
                    let text = error.to_string();
                    assert!(text.contains(&format!("{name} panics")), "{text}");
                }
                (End::Panicked(_), None) => {
                    assert_eq!(expected[&name], Act::PanicInDrop);
                }
                (End::Aborted, None) => {}
                (end, act) => panic!("{name}: {end:?}, but {act:?}"),
            }
        }
    }

    async fn no_task_is_alive(seen: &Seen) {
        let start = Instant::now();
        while seen.alive.load(SeqCst) > 0 {
            assert!(start.elapsed() < SLACK, "a task runs on");
            sleep(MS).await;
        }
    }

    #[test]
    fn each_task_is_returned_once() {
        stress::rounds(|mut round| async move {
            let seen = Arc::new(Seen::default());
            let mut tasks = Tasks::new(CancellationToken::new());
            let expected = spawn_some(&mut round, &seen, &mut tasks);
            sleep(round.duration(Duration::ZERO..3 * MS)).await;
            let grace = round.choice([Duration::ZERO, MS, 5 * MS]);
            let ends = tasks.stop(grace, LONG).await;
            assert_eq!(seen.alive.load(SeqCst), 0, "a task runs on");
            check(&seen, &expected, ends);
            assert!(tasks.stop(grace, LONG).await.is_empty());
        });
    }

    /// No task is left to the abort if it ends in time.
    #[test]
    fn a_task_that_ends_in_time_is_not_aborted() {
        stress::rounds(|mut round| async move {
            let seen = Arc::new(Seen::default());
            let mut tasks = Tasks::new(CancellationToken::new());
            let mut expected = BTreeMap::new();
            for index in 0..round.rng.usize(..200) {
                let act = round.choice([Act::Return, Act::Fail, Act::Panic]);
                let name = format!("task {index}");
                let token = &tasks.token.clone();
                let task = task(&mut round, &seen, token, &name, act);
                tasks.spawn(&name, task);
                expected.insert(name, act);
            }
            let start = Instant::now();
            let ends = tasks.stop(LONG, LONG).await;
            assert!(start.elapsed() < SLACK * 2, "it waits for the limit");
            let aborted = |(_, end): &_| matches!(end, End::Aborted);
            assert!(!ends.iter().any(aborted), "{ends:?}");
            check(&seen, &expected, ends);
        });
    }

    /// The caller gives up at a random await, some times, and calls again.
    #[test]
    fn a_caller_that_gives_up_loses_nothing() {
        stress::rounds(|mut round| async move {
            let seen = Arc::new(Seen::default());
            let mut tasks = Tasks::new(CancellationToken::new());
            let expected = spawn_some(&mut round, &seen, &mut tasks);
            let mut ends = Vec::new();
            for _ in 0..round.rng.u8(..4) {
                let stop = tasks.stop(2 * MS, LONG);
                if let Some(some) = round.cancel(5 * MS, stop).await {
                    ends.extend(some);
                }
            }
            ends.extend(tasks.stop(2 * MS, LONG).await);
            check(&seen, &expected, ends);
        });
    }

    #[test]
    fn the_parent_stops_them_and_a_drop_aborts_them() {
        stress::rounds(|mut round| async move {
            let parent = CancellationToken::new();
            let seen = Arc::new(Seen::default());
            let mut tasks = Tasks::new(parent.child_token());
            spawn_some(&mut round, &seen, &mut tasks);
            let token = tasks.token.clone();
            if round.rng.bool() {
                parent.cancel();
                assert!(token.is_cancelled());
            }
            match round.rng.bool() {
                true => drop(tasks),
                false => {
                    let stop = async move { tasks.stop(LONG, LONG).await };
                    _ = round.cancel(3 * MS, stop).await;
                }
            }
            no_task_is_alive(&seen).await;
        });
    }

    /// A task blocks its thread, or runs on a thread of its own. It is named
    /// as long as it runs, and its value is returned once.
    #[test]
    fn a_task_that_blocks_is_still_running() {
        stress::rounds(|mut round| async move {
            let mut tasks = Tasks::new(CancellationToken::new());
            let (release_tx, release) = mpsc::channel::<()>();
            let (begun_tx, mut begun) = tokio::sync::mpsc::channel(1);
            let wait = move || {
                begun_tx.try_send(()).expect("a place");
                _ = release.recv();
                Ok("released".to_owned())
            };
            match round.rng.bool() {
                // The other rounds go on, on another thread.
                true => tasks.spawn("blocks", async { block_in_place(wait) }),
                false => {
                    let task = tasks.set.spawn_blocking(wait);
                    tasks.names.insert(task.id(), "blocks".to_owned());
                }
            }
            tasks.spawn("ignores it", pending());
            begun.recv().await.expect("it begins");

            // The other task is dropped when it is polled next, perhaps later.
            let mut ends = tasks.stop(MS, 20 * MS).await;
            ends.retain(|(name, _)| name == "blocks");
            assert!(matches!(&ends[..], [(_, End::StillRunning)]), "{ends:?}");
            drop(release_tx);
            let mut ends = tasks.stop(LONG, LONG).await;
            ends.retain(|(name, _)| name == "blocks");
            let [(_, End::Done(value))] = &ends[..] else {
                panic!("{ends:?}");
            };
            assert_eq!(value, "released");
            assert!(tasks.names.is_empty() && tasks.set.is_empty());
        });
    }
}
