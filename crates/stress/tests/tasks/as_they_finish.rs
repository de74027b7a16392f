//! `as_completed` with work that returns, fails, panics, blocks and waits
//! forever, and with a caller that is slow, cancels `next`, or leaves: each item
//! has one result, the limit is kept, and no task runs on.

include!("../../../../snippets/tasks/as-they-finish/as_they_finish.rs");

mod stress {
    use std::future::{Future, pending};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use anyhow::{Result, bail};
    use futures::FutureExt;
    use stress::{Round, SLACK};
    use tokio::sync::oneshot;
    use tokio::task::JoinError;
    use tokio::time::{Instant, sleep};

    use super::{Late, as_completed};

    const MS: Duration = Duration::from_millis(1);

    type Reply = Arc<Mutex<Option<oneshot::Receiver<()>>>>;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Act {
        Return,
        Fail,
        Panic,
        /// There is no future yet.
        PanicBefore,
        Wait,
    }

    /// An item: what its work does, and when.
    #[derive(Clone, Debug)]
    struct Item {
        index: usize,
        act: Act,
        time: Duration,
        blocks: bool,
    }

    fn items<const N: usize>(round: &mut Round, acts: [Act; N]) -> Vec<Item> {
        let count = round.rng.usize(..30);
        let mut item = |index| Item {
            index,
            act: round.choice(acts),
            time: round.duration(Duration::ZERO..3 * MS),
            blocks: round.rng.u8(..4) == 0,
        };
        (0..count).map(&mut item).collect()
    }

    /// How much work runs.
    #[derive(Clone, Default)]
    struct Work(Arc<AtomicUsize>);

    struct Running(Work);

    impl Drop for Running {
        fn drop(&mut self) {
            self.0.0.fetch_sub(1, SeqCst);
        }
    }

    impl Work {
        /// Does an item, if the limit is kept.
        fn run(
            self,
            item: Item,
            limit: usize,
        ) -> impl Future<Output = Result<usize>> + Send + 'static {
            if item.act == Act::PanicBefore {
                panic!("item {} panics", item.index);
            }
            let work = self;
            async move {
                let before = work.0.fetch_add(1, SeqCst);
                let _running = Running(work);
                assert!(before < limit, "over the limit");
                sleep(item.time).await;
                if item.blocks {
                    thread::sleep(MS / 2);
                }
                match item.act {
                    Act::Return => Ok(item.index),
                    Act::Fail => bail!("item {} fails", item.index),
                    Act::Panic | Act::PanicBefore => {
                        panic!("item {} panics", item.index)
                    }
                    Act::Wait => pending().await,
                }
            }
        }

        /// Waits until none runs, and fails if one runs on.
        async fn none(&self) {
            let start = Instant::now();
            while self.0.load(SeqCst) > 0 {
                assert!(start.elapsed() < SLACK, "a task runs on");
                sleep(MS).await;
            }
        }
    }

    /// Whether a result is that of its own item.
    fn is_own(item: &Item, result: &Result<usize>) -> bool {
        let index = item.index;
        match (item.act, result) {
            (Act::Return, Ok(value)) => *value == index,
            (Act::Fail, Err(error)) => {
                error.to_string() == format!("item {index} fails")
            }
            (Act::Panic | Act::PanicBefore, Err(error)) => {
                let panics = format!("item {index} panics");
                error.is::<JoinError>() && error.to_string().contains(&panics)
            }
            (Act::Wait, Err(error)) => error.is::<Late>(),
            _ => false,
        }
    }

    #[test]
    fn each_item_has_one_result() {
        stress::rounds(|mut round| async move {
            let acts = [Act::Return, Act::Fail, Act::Panic, Act::PanicBefore];
            let (items, work) = (items(&mut round, acts), Work::default());
            let limit = round.rng.usize(1..8);
            let run = {
                let work = work.clone();
                move |item| work.run(item, limit)
            };
            let deadline = Instant::now() + 100 * SLACK;
            let mut results = as_completed(items.clone(), limit, deadline, run);
            let mut got = Vec::new();
            // A caller that is slow, and cancels `next`.
            loop {
                match round.cancel(2 * MS, results.next()).await {
                    Some(Some((item, result))) => {
                        assert!(is_own(&item, &result), "{item:?}: {result:?}");
                        got.push(item.index);
                        if round.rng.bool() {
                            sleep(round.duration(Duration::ZERO..MS)).await;
                        }
                    }
                    Some(None) => break,
                    None => {}
                }
            }
            got.sort_unstable();
            assert!(got.into_iter().eq(0..items.len()));
            work.none().await;
        });
    }

    #[test]
    fn the_deadline_ends_the_others() {
        stress::rounds(|mut round| async move {
            let acts = [Act::Return, Act::Fail, Act::Panic, Act::Wait];
            let (items, work) = (items(&mut round, acts), Work::default());
            let limit = round.rng.usize(1..8);
            let run = {
                let work = work.clone();
                move |item| work.run(item, limit)
            };
            let time = round.duration(Duration::ZERO..20 * MS);
            let deadline = Instant::now() + time;
            let mut results = as_completed(items.clone(), limit, deadline, run);
            let mut got = Vec::new();
            while let Some((item, result)) = results.next().await {
                let late =
                    result.as_ref().is_err_and(|error| error.is::<Late>());
                assert!(late || is_own(&item, &result), "{item:?}: {result:?}");
                assert!(!late || Instant::now() >= deadline);
                got.push(item.index);
            }
            assert!(deadline.elapsed() < SLACK, "it waits after the deadline");
            got.sort_unstable();
            assert!(got.into_iter().eq(0..items.len()));
            work.none().await;
        });
    }

    #[test]
    fn a_result_that_is_ready_at_the_deadline_is_not_late() {
        stress::rounds(|mut round| async move {
            let deadline = Instant::now() + 10 * MS;
            let mut replies = Vec::new();
            let items = (0..8).map(|index| {
                let (reply_tx, reply_rx) = oneshot::channel();
                replies.push(reply_tx);
                (index, Arc::new(Mutex::new(Some(reply_rx))))
            });
            let items = items.collect::<Vec<_>>();
            let work = |(index, reply_rx): (usize, Reply)| async move {
                // `None`: it has begun.
                let reply_rx = reply_rx.lock().expect("no panic").take();
                reply_rx.expect("it is asked once").await?;
                Ok(index)
            };
            let mut results = as_completed(items, 8, deadline, work);
            assert!(results.next().now_or_never().is_none()); // all start
            sleep(MS).await;
            // All threads are busy when the deadline passes.
            let busy = (0..8).map(|_| {
                tokio::spawn(async move {
                    while Instant::now() < deadline + 2 * MS {
                        thread::sleep(MS / 4);
                    }
                })
            });
            let busy = busy.collect::<Vec<_>>();
            let time = round.duration(MS..10 * MS);
            let sends = thread::spawn(move || {
                thread::sleep(time);
                let mut sent = Vec::new();
                for reply_tx in replies {
                    _ = reply_tx.send(());
                    sent.push(Instant::now() < deadline);
                }
                sent
            });
            let mut late = [false; 8];
            while let Some(((index, reply_rx), result)) = results.next().await {
                let has_begun = reply_rx.lock().expect("no panic").is_none();
                let is_late = result.is_err_and(|error| error.is::<Late>());
                late[index] = has_begun && is_late;
            }
            for task in busy {
                task.await.expect("no panic");
            }
            let sent = sends.join().expect("no panic");
            for (sent, late) in sent.into_iter().zip(late) {
                assert!(!(sent && late), "it was ready, and is late");
            }
        });
    }

    #[test]
    fn a_caller_that_leaves_aborts_them() {
        stress::rounds(|mut round| async move {
            let acts = [Act::Return, Act::Fail, Act::Panic, Act::Wait];
            let (items, work) = (items(&mut round, acts), Work::default());
            let limit = round.rng.usize(1..8);
            let run = {
                let work = work.clone();
                move |item| work.run(item, limit)
            };
            let deadline = Instant::now() + 100 * SLACK;
            let mut results = as_completed(items, limit, deadline, run);
            let takes = async { while results.next().await.is_some() {} };
            _ = round.cancel(5 * MS, takes).await;
            drop(results);
            work.none().await;
        });
    }
}
