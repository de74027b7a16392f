//! Cycles of locks on four workers, all of which may be blocked, are logged whole.
//! Tasks that get their locks, give up, panic and are aborted leave no entry.

include!("../../../../snippets/time/deadlocks/deadlocks.rs");

mod stress {
    use std::collections::BTreeSet;
    use std::panic::resume_unwind;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use tokio::sync::{Barrier, Mutex, Semaphore, oneshot};
    use tokio::task::{JoinSet, yield_now};
    use tokio::time::sleep;

    use super::{Log, entries, hold, watchdog};

    const MS: Duration = Duration::from_millis(1);
    const LIMIT: Duration = Duration::from_millis(100);
    const NAMES: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

    /// The entries of a name that hold, and those that wait.
    fn count(name: &str) -> (usize, usize) {
        let entries = entries();
        let of_name = entries.values().filter(|entry| entry.name == name);
        let (hold, wait): (Vec<_>, Vec<_>) = of_name.partition(|it| it.holds);
        (hold.len(), wait.len())
    }

    #[test]
    fn no_entry_is_left() {
        stress::rounds(|mut round| async move {
            let name = &*format!("parcels {}", fastrand::u64(..)).leak();
            let permits = round.rng.usize(1..4);
            let parcels = Arc::new(Semaphore::new(permits));
            let mut tasks = JoinSet::new();
            for index in 0..20 {
                let mut round = round.fork();
                let parcels = Arc::clone(&parcels);
                let life = round.duration(Duration::ZERO..20 * MS);
                let abort = tasks.spawn(async move {
                    for _ in 0..10 {
                        let panics = round.rng.u8(..30) == 0;
                        let once = async {
                            let acquire = parcels.acquire();
                            let (permit, held) = hold(name, acquire).await;
                            // The mark is dropped before the permit.
                            let _held = (held, permit.expect("it is open"));
                            let (hold, wait) = count(name);
                            assert!((1..=permits).contains(&hold), "{hold}");
                            assert!(wait < 20, "{wait}");
                            yield_now().await;
                            if panics {
                                resume_unwind(Box::new("this task panics"));
                            }
                        };
                        let _ = round.cancel(3 * MS, once).await;
                    }
                });
                if index % 5 == 0 {
                    tasks.spawn(async move {
                        sleep(life).await;
                        abort.abort();
                    });
                }
            }
            while let Some(end) = tasks.join_next().await {
                // An assertion panics with a text of its own.
                let Err(error) = end else { continue };
                let Ok(panic) = error.try_into_panic() else { continue };
                let text = panic.downcast_ref::<&str>();
                assert_eq!(text, Some(&"this task panics"));
            }
            assert_eq!(count(name), (0, 0));
            assert_eq!(parcels.available_permits(), permits);
        });
    }

    /// Each task holds a lock, and waits for the one of the next task.
    #[test]
    fn a_cycle_is_logged_though_all_workers_are_blocked() {
        stress::processes(|mut round| async move {
            let mut log = Log::new();
            thread::spawn(|| watchdog(LIMIT));
            let length = round.rng.usize(2..=5);
            let locks: Vec<_> = NAMES[..length]
                .iter()
                .map(|name| (*name, Arc::new(Mutex::new(()))))
                .collect();
            let barrier = Arc::new(Barrier::new(length));
            let mut tasks = JoinSet::new();
            let mut expected = BTreeSet::new();
            for index in 0..length {
                let (name, lock) = locks[index].clone();
                let (next_name, next) = locks[(index + 1) % length].clone();
                let barrier = Arc::clone(&barrier);
                let task = tasks.spawn(async move {
                    let (_guard, _held) = hold(name, lock.lock()).await;
                    barrier.wait().await;
                    let _ = hold(next_name, next.lock()).await;
                });
                let id = task.id();
                let line = |name: &str, holds: bool| {
                    format!("name={name:?} holds={holds} task={id}")
                };
                expected.insert(line(name, true));
                expected.insert(line(next_name, false));
            }
            // No more than the cycle has names that are stuck.
            let other = Arc::new(Mutex::new(()));
            let kept = tasks.spawn(async move {
                let (_guard, _held) = hold("other", other.lock()).await;
                std::future::pending::<()>().await;
            });
            while entries().len() < 2 * length + 1 {
                yield_now().await;
            }

            let (release, blocked) = channel::<()>();
            let blocked = Arc::new(std::sync::Mutex::new(blocked));
            if round.rng.bool() {
                for _ in 0..4 {
                    let blocked = Arc::clone(&blocked);
                    tasks.spawn(async move {
                        let blocked = blocked.lock().expect("no panic");
                        blocked.recv().expect_err("nothing is sent");
                    });
                }
            }
            let (done_tx, done_rx) = oneshot::channel();
            thread::spawn(move || {
                let mut found = BTreeSet::new();
                while found != expected {
                    let line = log.0.blocking_recv().expect("a line");
                    let (_, line) = line.split_once("stuck ").expect("a line");
                    let (line, _) = line.split_once(" age=").expect("an age");
                    assert!(expected.contains(line), "{line}");
                    found.insert(line.to_owned());
                }
                drop(release);
                done_tx.send(()).expect("the round waits");
            });
            done_rx.await.expect("all lines are logged");
            assert!(!kept.is_finished());
            tasks.shutdown().await;
            assert!(entries().is_empty());
        });
    }
}
