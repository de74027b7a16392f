//! `run_all` with tasks that fail, panic and block, and with a caller that
//! gives up.

include!("../../../../snippets/tasks/task-group/task_group.rs");

mod stress {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::Round;
    use tokio::time::{Instant, sleep};

    use super::run_all;

    const MS: Duration = Duration::from_millis(1);

    /// How many tasks are alive, and how many have failed.
    #[derive(Default)]
    struct Tasks {
        alive: AtomicUsize,
        failed: AtomicUsize,
    }

    struct Alive(Arc<Tasks>);

    impl Drop for Alive {
        fn drop(&mut self) {
            thread::sleep(MS / 10); // time to be seen
            self.0.alive.fetch_sub(1, SeqCst);
        }
    }

    /// A task in ten fails, and one in ten panics, after up to 5 ms.
    fn task(
        round: &mut Round,
        tasks: &Arc<Tasks>,
        index: usize,
    ) -> impl Future<Output = Result<usize>> + Send + 'static + use<> {
        tasks.alive.fetch_add(1, SeqCst);
        let alive = Alive(Arc::clone(tasks));
        let (ends, time) =
            (round.rng.u8(..10), round.duration(Duration::ZERO..5 * MS));
        async move {
            sleep(time).await;
            if ends < 2 {
                alive.0.failed.fetch_add(1, SeqCst);
            }
            match ends {
                0 => bail!("it fails"),
                1 => panic!("it panics"),
                _ => Ok(index),
            }
        }
    }

    #[test]
    fn every_task_has_ended_and_every_error_is_returned() {
        stress::rounds(|mut round| async move {
            let tasks = Arc::new(Tasks::default());
            let count = round.rng.usize(..10);
            let list = (0..count).map(|i| task(&mut round, &tasks, i));
            let result = run_all(list.collect::<Vec<_>>()).await;
            assert_eq!(tasks.alive.load(SeqCst), 0);
            let failed = tasks.failed.load(SeqCst);
            match result {
                Ok(values) => {
                    assert_eq!(values, (0..count).collect::<Vec<_>>());
                    assert_eq!(failed, 0);
                }
                Err(error) => assert_eq!(error.0.len(), failed),
            }
        });
    }

    #[test]
    fn a_caller_that_gives_up_aborts_them() {
        stress::rounds(|mut round| async move {
            let tasks = Arc::new(Tasks::default());
            let list = (0..10).map(|i| task(&mut round, &tasks, i));
            let all = run_all(list.collect::<Vec<_>>());
            let _ = round.cancel(5 * MS, all).await;
            let start = Instant::now();
            while tasks.alive.load(SeqCst) > 0 {
                assert!(start.elapsed() < 1000 * MS);
                sleep(MS).await;
            }
        });
    }
}
