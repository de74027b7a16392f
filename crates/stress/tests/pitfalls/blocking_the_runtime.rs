//! `detect` and `watch` with tasks that wait, end, panic and are aborted, on four
//! workers. A few block, with a name, a name in a name, or none, or when they are
//! dropped. Each is logged, and no other.
//!
//! That no other is logged is not sure on a machine without a free core: a worker
//! that waits for a core in the middle of a poll is blocked, too. So the threshold
//! is longer here.

include!(
    "../../../../snippets/pitfalls/blocking-the-runtime/blocking_the_runtime.rs"
);

mod stress {
    use std::collections::BTreeMap;
    use std::future::pending;
    use std::panic::resume_unwind;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use stress::{Round, SLACK};
    use tokio::runtime::Handle;
    use tokio::task::{JoinSet, block_in_place, spawn_blocking, yield_now};
    use tokio::time::sleep;

    use super::{detect, from_task, log_lines, watch};

    const MS: Duration = Duration::from_millis(1);
    const THRESHOLD: Duration = Duration::from_millis(300);

    /// Blocks until it is logged.
    struct Block(Receiver<()>);

    impl Block {
        fn block(&self) {
            let logged = self.0.recv_timeout(THRESHOLD + SLACK);
            logged.expect("it is logged while it blocks");
        }
    }

    struct BlockInDrop(Block);

    impl Drop for BlockInDrop {
        fn drop(&mut self) {
            self.0.block();
        }
    }

    /// The tasks that block, by the names that are logged.
    type Blocked = Arc<Mutex<BTreeMap<String, Sender<()>>>>;

    /// Reads the log on a thread, which no task can block. Ends each task that is
    /// logged. Returns the names that are not expected.
    fn read(
        lines: Receiver<String>,
        blocked: Blocked,
    ) -> Arc<Mutex<Vec<String>>> {
        let unexpected = Arc::new(Mutex::new(Vec::new()));
        let others = Arc::clone(&unexpected);
        thread::spawn(move || {
            for line in lines {
                let task = from_task(&line).trim_start_matches("task=");
                let name = task.split(' ').next().expect("a name");
                let blocked = blocked.lock().expect("no panic inside");
                match blocked.get(name) {
                    // It may be logged again before it ends.
                    Some(logged_tx) => drop(logged_tx.send(())),
                    None => others.lock().expect("no panic").push(line),
                }
            }
        });
        unexpected
    }

    /// Tasks that do not block: they wait, and end in some way.
    fn others(round: &mut Round, end: &Arc<AtomicBool>) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for index in 0..20 {
            let mut round = round.fork();
            let end = Arc::clone(end);
            let panics = round.rng.u8(..4) == 0;
            let life = round.duration(Duration::ZERO..100 * MS);
            let work = async move {
                while !end.load(SeqCst) {
                    let time = round.duration(MS..20 * MS);
                    sleep(time).await;
                    let part = watch("part", async {
                        yield_now().await;
                        if panics {
                            // The message and the backtrace of a panic may
                            // block for longer than the threshold.
                            resume_unwind(Box::new("this task panics"));
                        }
                    });
                    let _ = round.cancel(2 * MS, part).await;
                }
            };
            let abort = tasks.spawn(watch(format!("other {index}"), work));
            if index % 5 == 0 {
                tasks.spawn(async move {
                    sleep(life).await;
                    abort.abort();
                });
            }
        }
        tasks
    }

    #[test]
    fn what_blocks_is_logged_by_its_name_and_no_other() {
        stress::processes(|mut round| async move {
            let metrics = Handle::current().metrics();
            let detector = detect(metrics, THRESHOLD);
            let blocked = Blocked::default();
            let unexpected = read(log_lines(), Arc::clone(&blocked));
            let end = Arc::new(AtomicBool::new(false));
            let mut others = others(&mut round, &end);

            let mut blocking = JoinSet::new();
            let count = round.rng.usize(1..=3);
            // One name stands for all that have none.
            let unnamed = round.rng.usize(..4);
            for index in 0..count {
                let (logged_tx, logged_rx) = channel();
                let block = Block(logged_rx);
                let time = round.duration(Duration::ZERO..50 * MS);
                let name = format!("blocks-{index}");
                let known = if index == unnamed { "unknown" } else { &name };
                let mut map = blocked.lock().expect("no panic inside");
                map.insert(known.to_owned(), logged_tx);
                if index != unnamed {
                    let nested = round.rng.bool();
                    let outer = if nested { "outer" } else { &*name };
                    let name = name.clone();
                    let outer = outer.to_owned();
                    blocking.spawn(watch(outer, async move {
                        sleep(time).await;
                        if nested {
                            watch(name, async move { block.block() }).await;
                        } else {
                            block.block();
                        }
                    }));
                } else if round.rng.bool() {
                    blocking.spawn(async move {
                        sleep(time).await;
                        block.block();
                    });
                } else {
                    let abort = blocking.spawn(watch("dropped", async move {
                        let _block = BlockInDrop(block);
                        pending::<()>().await
                    }));
                    blocking.spawn(async move {
                        sleep(time).await;
                        abort.abort();
                    });
                }
            }
            while let Some(ended) = blocking.join_next().await {
                assert!(!ended.is_err_and(|error| error.is_panic()));
            }
            drop(detector);
            end.store(true, SeqCst);
            while others.join_next().await.is_some() {}
            let unexpected = unexpected.lock().expect("no panic inside");
            assert!(unexpected.is_empty(), "{unexpected:?}");
        });
    }

    #[test]
    fn what_blocks_beside_the_workers_is_not_logged() {
        stress::processes(|mut round| async move {
            let metrics = Handle::current().metrics();
            let detector = detect(metrics, THRESHOLD);
            let unexpected = read(log_lines(), Blocked::default());
            let end = Arc::new(AtomicBool::new(false));
            let mut others = others(&mut round, &end);
            let mut tasks = JoinSet::new();
            for _ in 0..round.rng.usize(1..8) {
                let time = round.duration(THRESHOLD..3 * THRESHOLD);
                let in_place = round.rng.bool();
                tasks.spawn(watch("beside", async move {
                    if in_place {
                        block_in_place(|| thread::sleep(time));
                    } else {
                        let work = spawn_blocking(move || thread::sleep(time));
                        work.await.expect("no panic inside");
                    }
                }));
            }
            tasks.join_all().await;
            drop(detector);
            end.store(true, SeqCst);
            while others.join_next().await.is_some() {}
            let unexpected = unexpected.lock().expect("no panic inside");
            assert!(unexpected.is_empty(), "{unexpected:?}");
        });
    }
}
