//! `inherit` and `inherit_sync`: requests that share four threads, whose tasks
//! and jobs start others, panic, and are aborted at any await.

include!("../../../../snippets/tasks/context/context.rs");

mod stress {
    use std::cell::Cell;
    use std::future::Future;
    use std::panic::resume_unwind;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use stress::Round;
    use tokio::task::{JoinSet, spawn_blocking, yield_now};
    use tokio::time::sleep;

    use super::{CONTEXT, Context, current, inherit, inherit_sync};

    const NONE: Duration = Duration::ZERO;
    const MS: Duration = Duration::from_millis(1);

    /// The request that this code works for.
    fn id() -> Option<usize> {
        current().map(|context| context.request_id.parse().expect("a number"))
    }

    fn context(id: usize) -> Option<Arc<Context>> {
        let (request_id, language) = (id.to_string(), "en".to_owned());
        Some(Arc::new(Context { request_id, language }))
    }

    /// Asserts, where it is dropped, that the request is still its own.
    struct Mine {
        id: usize,
        right: Arc<AtomicUsize>,
    }

    impl Drop for Mine {
        fn drop(&mut self) {
            let right = id() == Some(self.id);
            self.right.fetch_add(usize::from(right), SeqCst);
        }
    }

    /// Waits, and starts tasks and jobs that do the same, `depth` times.
    fn work(
        mut round: Round,
        own: Option<usize>,
        depth: u32,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            for _ in 0..round.rng.u32(1..3) {
                assert_eq!(id(), own);
                match round.rng.u8(..3) {
                    0 => yield_now().await,
                    1 => sleep(round.duration(NONE..MS)).await,
                    _ => {
                        let job = spawn_blocking(inherit_sync(id));
                        assert_eq!(job.await.expect("no panic"), own);
                        let job = spawn_blocking(id);
                        assert_eq!(job.await.expect("no panic"), None);
                    }
                }
                assert_eq!(id(), own, "after an await");
                if depth == 0 {
                    continue;
                }
                let mut child = |own| work(round.fork(), own, depth - 1);
                let mut tasks = JoinSet::new();
                tasks.spawn(inherit(child(own)));
                tasks.spawn(child(None));
                let other = CONTEXT.scope(context(0), child(Some(0)));
                tokio::join!(child(own), other);
                while let Some(end) = tasks.join_next().await {
                    end.expect("its own request");
                }
            }
        })
    }

    #[test]
    fn each_task_finds_its_own_request() {
        stress::rounds(|mut round| async move {
            let mut requests = JoinSet::new();
            for id in 1..=8 {
                let work = work(round.fork(), Some(id), 2);
                requests.spawn(CONTEXT.scope(context(id), work));
            }
            while let Some(end) = requests.join_next().await {
                end.expect("its own request");
            }
        });
    }

    /// Tasks that are aborted at any moment, and tasks and jobs that panic.
    #[test]
    fn what_is_dropped_finds_its_own_request_and_the_thread_none_after_it() {
        stress::rounds(|mut round| async move {
            let right = Arc::<AtomicUsize>::default();
            for id in 1..=50 {
                let mine = || Mine { id, right: Arc::clone(&right) };
                let (waits, panics, job) = (mine(), mine(), mine());
                let start = || {
                    let waits = tokio::spawn(inherit(async move {
                        let _mine = waits;
                        loop {
                            yield_now().await;
                        }
                    }));
                    let panics = tokio::spawn(inherit(async move {
                        let _mine = panics;
                        yield_now().await;
                        resume_unwind(Box::new("a task"))
                    }));
                    let job = spawn_blocking(inherit_sync(move || {
                        let _mine = job;
                        resume_unwind(Box::new("a job"))
                    }));
                    (waits, panics, job)
                };
                let started = CONTEXT.sync_scope(context(id), start);
                let (waits, panics, job) = started;
                if round.rng.bool() {
                    sleep(round.duration(NONE..MS)).await;
                }
                waits.abort();
                let waits: Result<(), _> = waits.await;
                assert!(waits.is_err_and(|end| end.is_cancelled()));
                let panics: Result<(), _> = panics.await;
                assert!(panics.is_err_and(|end| end.is_panic()));
                let job: Result<(), _> = job.await;
                assert!(job.is_err_and(|end| end.is_panic()));
                let task = tokio::spawn(async { super::id() });
                assert_eq!(task.await.expect("no panic"), None);
                let job = spawn_blocking(super::id);
                assert_eq!(job.await.expect("no panic"), None);
            }
            assert_eq!(right.load(SeqCst), 150);
        });
    }

    /// What the page says of `thread_local!`: requests get mixed up.
    #[test]
    fn a_variable_of_the_thread_has_another_request_s_value() {
        thread_local! {
            static REQUEST_ID: Cell<usize> = const { Cell::new(0) };
        }
        stress::rounds(|_| async {
            let mixed_up = Arc::<AtomicUsize>::default();
            let mut requests = JoinSet::new();
            for id in 1..=20 {
                let mixed_up = Arc::clone(&mixed_up);
                requests.spawn(async move {
                    while mixed_up.load(SeqCst) == 0 {
                        REQUEST_ID.set(id);
                        yield_now().await;
                        let same = REQUEST_ID.get() == id;
                        mixed_up.fetch_add(usize::from(!same), SeqCst);
                    }
                });
            }
            requests.join_all().await;
        });
    }
}
