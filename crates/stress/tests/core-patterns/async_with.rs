//! Connections whose bodies end, fail, panic, hang and are cancelled, with a
//! `close` that does the same, and a shutdown at any moment.

include!("../../../../snippets/core-patterns/async-with/async_with.rs");

mod stress {
    use std::collections::BTreeSet;
    use std::future::pending;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use stress::Round;
    use tokio::runtime::{Builder, Handle};
    use tokio::task::{JoinError, JoinSet};
    use tokio::time::{Instant, sleep, timeout};
    use tokio_util::task::{AbortOnDropHandle, TaskTracker};

    use super::{Close, Closer};

    const MS: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(20);

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum End {
        Ends,
        Fails,
        Panics,
        Hangs,
    }

    async fn take(time: Duration, end: End, what: &'static str) -> Result<()> {
        sleep(time).await;
        match end {
            End::Ends => Ok(()),
            End::Fails => bail!("{what} fails"),
            End::Panics => panic!("{what} panics"),
            End::Hangs => pending().await,
        }
    }

    /// The connections that were opened, closed and dropped.
    #[derive(Clone, Default)]
    struct Server(Arc<Mutex<[BTreeSet<usize>; 4]>>);

    const OPENED: usize = 0;
    const CLOSING: usize = 1;
    const CLOSED: usize = 2;
    const DROPPED: usize = 3;

    impl Server {
        fn note(&self, what: usize, id: usize) {
            let is_new = self.0.lock().expect("no panic")[what].insert(id);
            assert!(is_new, "{id}: twice: {what}");
        }

        fn noted(&self, what: usize) -> BTreeSet<usize> {
            self.0.lock().expect("no panic")[what].clone()
        }

        /// Each connection was closed once, and none is left.
        fn check(&self) {
            let opened = self.noted(OPENED);
            assert_eq!(self.noted(CLOSING), opened);
            assert_eq!(self.noted(DROPPED), opened);
        }
    }

    /// What becomes of a connection.
    #[derive(Clone, Copy, Debug)]
    struct Plan {
        id: usize,
        times: [Duration; 3],
        body: End,
        close: End,
    }

    impl Plan {
        fn new(id: usize, round: &mut Round) -> Self {
            use End::{Ends, Fails, Hangs, Panics};
            let times = [(); 3].map(|()| round.duration(MS / 100..MS * 3));
            let body = round.choice([Ends, Ends, Fails, Panics, Hangs]);
            let mut close = round.choice([Ends, Ends, Ends, Fails, Panics]);
            if round.rng.u8(..50) == 0 {
                close = Hangs;
            }
            Plan { id, times, body, close }
        }
    }

    struct Conn(Server, Plan);

    impl Close for Conn {
        async fn close(self) -> Result<()> {
            let Conn(server, plan) = &self;
            server.note(CLOSING, plan.id);
            take(plan.times[2], plan.close, "close").await?;
            server.note(CLOSED, plan.id);
            Ok(())
        }
    }

    impl Drop for Conn {
        fn drop(&mut self) {
            thread::sleep(MS / 10); // time to be seen
            self.0.note(DROPPED, self.1.id);
        }
    }

    async fn connect(server: Server, plan: Plan) -> Result<Conn> {
        sleep(plan.times[0]).await;
        server.note(OPENED, plan.id);
        Ok(Conn(server, plan))
    }

    async fn run(closer: Closer, server: Server, plan: Plan) -> Result<usize> {
        let connect = connect(server, plan);
        let body = async |conn: &mut Conn| {
            take(plan.times[1], plan.body, "body").await?;
            Ok(conn.1.id)
        };
        closer.with_connection(connect, body).await
    }

    fn closer() -> Closer {
        let (tracker, runtime) = (TaskTracker::new(), Handle::current());
        Closer { tracker, runtime, timeout: MS * 2_000 }
    }

    /// A task gets the body's end, and that of `close` if the body succeeds.
    fn check(plan: Plan, end: Result<Result<usize>, JoinError>) {
        match (plan.body, plan.close, end) {
            (End::Panics, _, Err(panic)) => assert!(panic.is_panic()),
            (End::Fails, _, Ok(Err(error))) => {
                assert_eq!(error.to_string(), "body fails");
            }
            (End::Ends, End::Ends, Ok(Ok(id))) => assert_eq!(id, plan.id),
            (End::Ends, End::Fails, Ok(Err(error))) => {
                assert_eq!(error.to_string(), "close fails");
            }
            (End::Ends, End::Panics, Ok(Err(error))) => {
                assert!(error.is::<JoinError>());
            }
            (End::Ends, End::Hangs, Ok(Err(error))) => {
                assert_eq!(error.to_string(), "deadline has elapsed");
            }
            (_, _, end) => panic!("{plan:?}: {end:?}"),
        }
    }

    /// Tasks end by themselves, or are cancelled at some await.
    #[test]
    fn each_connection_is_closed_once() {
        stress::rounds(|mut round| async move {
            let (closer, server) = (closer(), Server::default());
            let mut tasks = JoinSet::new();
            for id in 0..40 {
                let plan = Plan::new(id, &mut round);
                let mut round = round.fork();
                let run = run(closer.clone(), server.clone(), plan);
                tasks.spawn(async move {
                    if plan.body == End::Hangs || round.rng.bool() {
                        let task = AbortOnDropHandle::new(tokio::spawn(run));
                        round.cancel(MS * 10, task).await;
                        return;
                    }
                    check(plan, tokio::spawn(run).await);
                });
            }
            tasks.join_all().await;
            let end = timeout(LONG, closer.shut_down()).await;
            end.expect("a connection is not closed");
            server.check();
        });
    }

    /// The shutdown begins while connections are opened, used and closed.
    #[test]
    fn a_shutdown_loses_no_connection() {
        stress::rounds(|mut round| async move {
            let (closer, server) = (closer(), Server::default());
            let mut tasks = JoinSet::new();
            for id in 0..40 {
                let plan = Plan::new(id, &mut round);
                let plan = Plan { body: End::Ends, close: End::Ends, ..plan };
                let time = round.duration(Duration::ZERO..MS * 10);
                let run = run(closer.clone(), server.clone(), plan);
                tasks.spawn(async move {
                    sleep(time).await;
                    (plan, run.await)
                });
            }
            sleep(round.duration(Duration::ZERO..MS * 15)).await;
            if round.rng.bool() {
                tasks.abort_all();
            }
            let end = timeout(LONG, closer.shut_down()).await;
            end.expect("a connection is not closed");
            let opened = server.noted(OPENED);
            assert_eq!(server.noted(CLOSED), opened);
            server.check();
            while let Some(end) = tasks.join_next().await {
                match end {
                    Ok((plan, Ok(_))) => assert!(opened.contains(&plan.id)),
                    Ok((plan, Err(error))) => {
                        assert_eq!(error.to_string(), "shutting down");
                        assert!(!opened.contains(&plan.id));
                    }
                    Err(error) => assert!(error.is_cancelled()),
                }
            }
            assert_eq!(server.noted(OPENED), opened, "one was opened later");
        });
    }

    /// A future is dropped on a thread that has no runtime.
    #[test]
    fn a_thread_without_a_runtime_drops_it() {
        stress::rounds(|mut round| async move {
            let (closer, server) = (closer(), Server::default());
            for id in 0..10 {
                let plan = Plan::new(id, &mut round);
                let plan = Plan { body: End::Hangs, close: End::Ends, ..plan };
                let run = run(closer.clone(), server.clone(), plan);
                let mut run = Box::pin(run);
                round.cancel(MS * 10, &mut run).await;
                let thread = thread::spawn(move || drop(run));
                thread.join().expect("drop does not panic");
            }
            let end = timeout(LONG, closer.shut_down()).await;
            end.expect("a connection is not closed");
            assert_eq!(server.noted(CLOSED), server.noted(OPENED));
            server.check();
        });
    }

    /// The runtime ends while connections are opened, used and closed: what
    /// `close` cannot do, `Drop` does.
    #[test]
    fn the_runtime_ends_before_them() {
        stress::rounds(|mut round| async move {
            let server = Server::default();
            let left = server.clone();
            let rounds = move || {
                let mut runtime = Builder::new_multi_thread();
                let runtime = runtime.worker_threads(4).enable_time().build();
                let runtime = runtime.expect("a runtime");
                runtime.block_on(async {
                    let closer = closer();
                    for id in 0..40 {
                        let plan = Plan::new(id, &mut round);
                        tokio::spawn(run(closer.clone(), server.clone(), plan));
                    }
                    sleep(round.duration(Duration::ZERO..MS * 10)).await;
                });
            };
            let start = Instant::now();
            tokio::task::spawn_blocking(rounds).await.expect("no panic");
            assert!(start.elapsed() < LONG);
            assert_eq!(left.noted(DROPPED), left.noted(OPENED));
        });
    }
}
