//! A group whose end races with spawns from other threads, and with errors,
//! panics, cancellations, tasks that repeat and groups within groups.

include!("../../../../snippets/tasks/task-group/task_group_spawn.rs");

mod stress {
    use std::future::pending;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use stress::Round;
    use tokio::task::{JoinHandle, yield_now};
    use tokio::time::{Instant, sleep, timeout};

    use super::TaskGroup;

    const MS: Duration = Duration::from_millis(1);

    /// A task that was accepted: what it has done, and its handle.
    struct Task {
        state: Arc<State>,
        handle: JoinHandle<Option<()>>,
        aborted: bool,
    }

    #[derive(Default)]
    struct State {
        completed: AtomicBool,
        dropped: AtomicBool,
    }

    /// What the future of a task owns.
    struct Owned(Arc<State>);

    impl Drop for Owned {
        fn drop(&mut self) {
            thread::sleep(MS / 10); // time to be seen
            self.0.dropped.store(true, SeqCst);
        }
    }

    /// The tasks that were accepted, and how many have failed.
    #[derive(Clone, Default)]
    struct Tasks {
        accepted: Arc<Mutex<Vec<Task>>>,
        failed: Arc<AtomicUsize>,
    }

    impl Tasks {
        /// Spawns a task. It counts as accepted if `spawn` says so.
        fn spawn(
            &self,
            group: &TaskGroup,
            aborted: bool,
            task: impl Future<Output = Result<()>> + Send + 'static,
        ) -> Result<()> {
            let state = Arc::new(State::default());
            let owned = Owned(Arc::clone(&state));
            let handle = group.spawn(async move {
                task.await?;
                owned.0.completed.store(true, SeqCst);
                Ok(())
            })?;
            if aborted {
                handle.abort();
            }
            let task = Task { state, handle, aborted };
            self.accepted.lock().expect("no holder panics").push(task);
            Ok(())
        }

        fn fail<T>(&self) -> Result<T> {
            self.failed.fetch_add(1, SeqCst);
            bail!("it fails")
        }

        /// Tasks that have been accepted are not alive.
        fn assert_dropped(&self) {
            let accepted = self.accepted.lock().expect("no holder panics");
            let dropped = |task: &Task| task.state.dropped.load(SeqCst);
            assert!(accepted.iter().all(dropped), "a task outlives its group");
        }

        fn take(&self) -> Vec<Task> {
            let mut accepted = self.accepted.lock().expect("no holder panics");
            accepted.drain(..).collect()
        }

        /// Each handle says whether its task has run to its end. Returns how
        /// many have, and how many have not.
        async fn handles(&self) -> (usize, usize) {
            let accepted = self.take();
            let (mut completed, mut cancelled) = (0, 0);
            for Task { state, handle, aborted } in accepted {
                let says = match handle.await {
                    Ok(value) => value.is_some(),
                    Err(error) => {
                        assert!(aborted && error.is_cancelled());
                        continue;
                    }
                };
                assert_eq!(says, state.completed.load(SeqCst));
                completed += usize::from(says);
                cancelled += usize::from(!says);
            }
            (completed, cancelled)
        }
    }

    /// Spawns from outside of the group, once a millisecond, until it refuses.
    /// The group ends when it has no task for a moment.
    async fn spawn_on(tasks: Tasks, group: TaskGroup) -> usize {
        let mut spawned = 0;
        while tasks.spawn(&group, false, yield_now().map(Ok)).is_ok() {
            spawned += 1;
            sleep(MS).await;
        }
        spawned
    }

    #[test]
    fn a_spawn_at_the_end_runs_or_is_refused() {
        stress::rounds(|_| async {
            for _ in 0..10 {
                let tasks = Tasks::default();
                let mut spawners = Vec::new();
                let body = async |group: TaskGroup| {
                    for _ in 0..4 {
                        let spawner = spawn_on(tasks.clone(), group.clone());
                        spawners.push(tokio::spawn(spawner));
                    }
                    sleep(MS).await;
                    Ok(())
                };
                TaskGroup::default().group(body).await.expect("none fails");
                tasks.assert_dropped();
                let mut spawned = 0;
                for spawner in spawners {
                    spawned += spawner.await.expect("no panic");
                }
                assert_eq!(tasks.handles().await, (spawned, 0), "one is lost");
            }
        });
    }

    /// What a task does after up to 3 ms, and what it spawns.
    fn work(
        mut round: Round,
        tasks: Tasks,
        group: TaskGroup,
        depth: usize,
    ) -> BoxFuture<'static, Result<()>> {
        async move {
            sleep(round.duration(Duration::ZERO..3 * MS)).await;
            match round.rng.u8(..20) {
                0 => tasks.fail()?,
                1 => {
                    tasks.failed.fetch_add(1, SeqCst);
                    panic!("it panics")
                }
                2..8 if depth < 4 => {
                    for _ in 0..round.rng.usize(..4) {
                        let aborted = round.rng.u8(..5) == 0;
                        let work = work(
                            round.fork(),
                            tasks.clone(),
                            group.clone(),
                            depth + 1,
                        );
                        tasks.spawn(&group, aborted, work)?;
                    }
                }
                8..12 if depth < 4 => {
                    let body = async |inner: TaskGroup| {
                        for _ in 0..round.rng.usize(..4) {
                            let work = work(
                                round.fork(),
                                tasks.clone(),
                                inner.clone(),
                                depth + 1,
                            );
                            tasks.spawn(&inner, false, work)?;
                        }
                        sleep(round.duration(Duration::ZERO..3 * MS)).await;
                        Ok(())
                    };
                    group.group(body).await?;
                }
                _ => {}
            }
            Ok(())
        }
        .boxed()
    }

    async fn body(
        mut round: Round,
        tasks: Tasks,
        group: TaskGroup,
    ) -> Result<()> {
        for _ in 0..round.rng.usize(..8) {
            let work = work(round.fork(), tasks.clone(), group.clone(), 0);
            tasks.spawn(&group, false, work)?;
        }
        work(round, tasks, group, 0).await
    }

    #[test]
    fn all_have_ended_and_their_handles_say_how() {
        stress::rounds(|mut round| async move {
            let tasks = Tasks::default();
            let root = TaskGroup::default();
            let body =
                async |group| body(round.fork(), tasks.clone(), group).await;
            let result = root.group(body).await;
            tasks.assert_dropped();
            let failed = tasks.failed.load(SeqCst);
            assert_eq!(result.is_err(), failed > 0);
            let (_, cancelled) = tasks.handles().await;
            assert!(failed > 0 || cancelled == 0);
        });
    }

    #[test]
    fn a_group_that_is_dropped_cancels_its_tasks() {
        stress::rounds(|mut round| async move {
            let (tasks, root) = (Tasks::default(), TaskGroup::default());
            let mut fork = round.fork();
            let body = async |group: TaskGroup| {
                tasks.spawn(&group, false, pending())?;
                body(fork.fork(), tasks.clone(), group).await
            };
            let _ = round.cancel(5 * MS, root.group(body)).await;
            let ends = timeout(1000 * MS, tasks.handles()).await;
            ends.expect("they have been cancelled");
        });
    }

    #[test]
    fn a_task_that_is_aborted_at_once_has_ended_too() {
        stress::rounds(|_| async {
            for _ in 0..10 {
                let tasks = Tasks::default();
                let body = async |group: TaskGroup| {
                    tasks.spawn(&group, true, pending())
                };
                TaskGroup::default().group(body).await.expect("none fails");
                tasks.assert_dropped();
            }
        });
    }

    fn repeat(
        tasks: Tasks,
        group: TaskGroup,
    ) -> BoxFuture<'static, Result<()>> {
        async move {
            yield_now().await;
            tasks.clone().spawn(&group, false, repeat(tasks, group.clone()))
        }
        .boxed()
    }

    #[test]
    fn tasks_that_repeat_do_not_delay_the_body() {
        stress::rounds(|_| async {
            let (tasks, start) = (Tasks::default(), Instant::now());
            let body = async |group: TaskGroup| {
                for _ in 0..8 {
                    let repeat = repeat(tasks.clone(), group.clone());
                    tasks.spawn(&group, false, repeat)?;
                }
                timeout(20 * MS, pending::<()>()).await?;
                Ok(())
            };
            let error = TaskGroup::default().group(body).await;
            let error = error.expect_err("a limit").to_string();
            assert!(error.contains("deadline has elapsed"), "{error}");
            assert!(start.elapsed() < 500 * MS, "{:?}", start.elapsed());
            tasks.assert_dropped();
            tasks.handles().await;
        });
    }
}
