//! `first_success` with tasks that return, fail, panic, block and wait forever,
//! and with a caller that gives up: the value is a task's own, all errors are
//! returned, and no task runs on.

include!("../../../../snippets/tasks/first-success/first_success.rs");

mod stress {
    use std::collections::BTreeMap;
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::{Round, SLACK};
    use tokio::time::error::Elapsed;
    use tokio::time::{Instant, sleep};

    use super::{NoSuccess, first_success};

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
        acts: Mutex<BTreeMap<usize, Act>>,
    }

    struct Alive(Arc<Tasks>);

    impl Drop for Alive {
        fn drop(&mut self) {
            thread::sleep(MS / 10); // time to be seen
            self.0.alive.fetch_sub(1, SeqCst);
        }
    }

    impl Tasks {
        fn take(&self) -> BTreeMap<usize, Act> {
            std::mem::take(&mut self.acts.lock().expect("no panic within"))
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
            acts.lock().expect("no panic within").insert(index, act);
            match act {
                Act::Fail => bail!("task {index} fails"),
                Act::Panic => panic!("task {index} panics"),
                Act::Return | Act::Wait => Ok(index),
            }
        }
    }

    #[test]
    fn the_first_value_and_all_errors_are_returned() {
        stress::rounds(|mut round| async move {
            for _ in 0..10 {
                let tasks = Arc::new(Tasks::default());
                let count = round.rng.usize(1..30);
                let returns = round.rng.usize(..count);
                let among = [Act::Return, Act::Fail, Act::Panic, Act::Wait];
                let list = (0..count).map(|index| {
                    let act = round.choice(among);
                    let act = if index == returns { Act::Return } else { act };
                    task(&mut round, &tasks, index, act)
                });
                let list: Vec<_> = list.collect();

                let start = Instant::now();
                let result = first_success(list, 2 * SLACK).await;
                assert!(start.elapsed() < SLACK, "it waits for the losers");
                assert_eq!(tasks.alive.load(SeqCst), 0, "a task runs on");
                let acts = tasks.take();
                let (value, errors) = result.expect("one succeeds");
                assert_eq!(acts[&value], Act::Return);
                let is_error = |act| matches!(act, Act::Fail | Act::Panic);
                let failed = acts.iter().filter(|(_, act)| is_error(**act));
                let failed: Vec<_> = failed.map(|(index, _)| *index).collect();
                let found: Vec<_> = errors.keys().copied().collect();
                assert_eq!(found, failed);
                for (index, error) in errors {
                    let text = error.to_string();
                    assert!(text.contains(&format!("task {index} ")), "{text}");
                    assert_eq!(
                        acts[&index] == Act::Panic,
                        text.contains("panics")
                    );
                }
            }
        });
    }

    #[test]
    fn without_a_success_there_is_an_error_of_each() {
        stress::rounds(|mut round| async move {
            let tasks = Arc::new(Tasks::default());
            let count = round.rng.usize(..30);
            let among = [Act::Fail, Act::Panic, Act::Wait];
            let list = (0..count).map(|index| {
                let act = round.choice(among);
                task(&mut round, &tasks, index, act)
            });
            let list: Vec<_> = list.collect();
            let result = first_success(list, 20 * MS).await;
            assert_eq!(tasks.alive.load(SeqCst), 0, "a task runs on");
            let NoSuccess(errors) = result.expect_err("none succeeds");
            let acts = tasks.take();
            assert!(errors.keys().copied().eq(0..count));
            for (index, error) in errors {
                let text = error.to_string();
                match acts.get(&index) {
                    Some(Act::Fail) => {
                        assert_eq!(text, format!("task {index} fails"));
                    }
                    Some(_) => assert!(text.contains("panics"), "{text}"),
                    None => assert!(error.is::<Elapsed>(), "{text}"),
                }
            }
        });
    }

    #[test]
    fn a_caller_that_gives_up_aborts_them() {
        stress::rounds(|mut round| async move {
            let tasks = Arc::new(Tasks::default());
            let among = [Act::Fail, Act::Panic, Act::Wait];
            let list = (0..10).map(|index| {
                let act = round.choice(among);
                task(&mut round, &tasks, index, act)
            });
            let list: Vec<_> = list.collect();
            let race = first_success(list, 1000 * SLACK);
            let _ = round.cancel(5 * MS, race).await;
            let start = Instant::now();
            while tasks.alive.load(SeqCst) > 0 {
                assert!(start.elapsed() < SLACK, "a task runs on");
                sleep(MS).await;
            }
        });
    }
}
