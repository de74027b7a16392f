//! `run_all` with tasks that return, fail, panic, block and wait forever, and
//! with a caller that gives up: how each has ended is returned once.

include!("../../../../snippets/pitfalls/errors-in-a-join/errors_in_a_join.rs");

mod stress {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::time::{Instant, sleep};

    use super::{End, run_all};

    const MS: Duration = Duration::from_millis(1);

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Return,
        Fail,
        Panic,
        Wait,
    }

    /// How many tasks are alive, and what each has done at its end.
    #[derive(Default)]
    struct Tasks {
        alive: AtomicUsize,
        acts: Mutex<Vec<(usize, Act)>>,
    }

    struct Alive(Arc<Tasks>);

    impl Drop for Alive {
        fn drop(&mut self) {
            thread::sleep(MS / 10); // time to be seen
            self.0.alive.fetch_sub(1, SeqCst);
        }
    }

    impl Tasks {
        fn take(&self) -> Vec<(usize, Act)> {
            self.acts.lock().expect("no panic within").drain(..).collect()
        }
    }

    /// Acts after up to 3 ms. Some block their thread for a moment first.
    fn task(
        round: &mut Round,
        tasks: &Arc<Tasks>,
        index: usize,
        act: Act,
    ) -> impl Future<Output = Result<usize>> + Send + 'static + use<> {
        tasks.alive.fetch_add(1, SeqCst);
        let alive = Alive(Arc::clone(tasks));
        let time = round.duration(Duration::ZERO..3 * MS);
        let blocks = round.rng.u8(..4) == 0;
        async move {
            sleep(time).await;
            if blocks {
                thread::sleep(MS);
            }
            if act == Act::Wait {
                pending::<()>().await;
            }
            let acts = &alive.0.acts;
            acts.lock().expect("no panic within").push((index, act));
            match act {
                Act::Fail => bail!("task {index} fails"),
                Act::Panic => panic!("task {index} panics"),
                Act::Return | Act::Wait => Ok(index),
            }
        }
    }

    #[test]
    fn how_each_task_has_ended_is_there_once() {
        stress::rounds(|mut round| async move {
            let tasks = Arc::new(Tasks::default());
            let count = round.rng.usize(..30);
            // Without a failure no task may wait forever.
            let fails = count > 0 && round.rng.bool();
            let mut acts = vec![Act::Return; count];
            for act in &mut acts {
                if fails {
                    *act = round.choice([
                        Act::Return,
                        Act::Return,
                        Act::Fail,
                        Act::Panic,
                        Act::Wait,
                    ]);
                }
            }
            if fails {
                acts[round.rng.usize(..count)] =
                    round.choice([Act::Fail, Act::Panic]);
            }
            let list: Vec<_> = acts
                .iter()
                .enumerate()
                .map(|(index, act)| task(&mut round, &tasks, index, *act))
                .collect();

            let result = run_all(list).await;
            assert_eq!(tasks.alive.load(SeqCst), 0, "a task runs on");
            let mut acted = tasks.take();
            acted.sort_by_key(|(index, _)| *index);
            let failed = match result {
                Ok(values) => {
                    assert!(!fails);
                    assert_eq!(values, (0..count).collect::<Vec<_>>());
                    return;
                }
                Err(failed) => failed,
            };
            assert_eq!(failed.ends.len(), count);
            let first = &failed.ends[failed.first];
            assert!(matches!(first, End::Failed(_) | End::Panicked(_)));
            for (index, end) in failed.ends.iter().enumerate() {
                let found = acted.binary_search_by_key(&index, |(it, _)| *it);
                let act = found.ok().map(|at| acted[at].1);
                let text = end.to_string();
                match (end, act) {
                    (End::Done(value), Some(Act::Return)) => {
                        assert_eq!(*value, index);
                    }
                    (End::Failed(_), Some(Act::Fail)) => {
                        assert_eq!(text, format!("task {index} fails"));
                    }
                    (End::Panicked(_), Some(Act::Panic)) => {
                        assert!(text.contains(&format!("{index} panics")));
                    }
                    (End::Cancelled, None) => {}
                    (end, act) => panic!("{index}: {end:?}, but {act:?}"),
                }
            }
        });
    }

    #[test]
    fn a_caller_that_gives_up_aborts_them() {
        stress::rounds(|mut round| async move {
            let tasks = Arc::new(Tasks::default());
            let acts = [Act::Return, Act::Return, Act::Wait];
            let list: Vec<_> = (0..10)
                .map(|index| {
                    let act = round.choice(acts);
                    task(&mut round, &tasks, index, act)
                })
                .collect();
            let _ = round.cancel(5 * MS, run_all(list)).await;
            let start = Instant::now();
            while tasks.alive.load(SeqCst) > 0 {
                assert!(start.elapsed() < SLACK, "a task runs on");
                sleep(MS).await;
            }
        });
    }
}
