// The helper of the page.
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::task::coop::{has_budget_remaining, poll_proceed};
use tokio::{select, time::sleep};

const TIMEOUT: Duration = Duration::from_secs(60); // of one run
const POLLS: usize = 100; // that the work may take

/// Cancels the work of one run, before a poll or after it.
struct Cancel {
    moment: usize,
    completed: bool,
}

impl Cancel {
    /// Awaits `work`, or drops it at the moment of this run.
    async fn run<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let (mut work, mut left) = (pin!(work), self.moment);
        poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None); // not begun, or woken
            }
            use_up_budget(cx, left < self.moment);
            let poll = work.as_mut().poll(cx).map(Some);
            self.completed = poll.is_ready();
            if left == 1 && !self.completed {
                return Poll::Ready(None); // it begins to wait
            }
            left = left.saturating_sub(2);
            poll
        })
        .await
    }
}

/// Uses up tokio's budget for this poll. One operation may be left.
fn use_up_budget(cx: &mut Context, leave_one: bool) {
    while let Poll::Ready(operation) = poll_proceed(cx) {
        if leave_one && !has_budget_remaining() {
            break; // dropping `operation` gives it back
        }
        operation.made_progress();
    }
}

/// When the work of each run was cancelled, and what its scenario returned.
async fn cancel_everywhere<T>(
    scenario: impl AsyncFn(&mut Cancel) -> T,
) -> Result<Vec<(String, T)>> {
    let mut results = Vec::new();
    for moment in 0..2 * POLLS {
        let (side, poll) = (["before", "after"][moment % 2], moment / 2 + 1);
        let mut cancel = Cancel { moment, completed: false };
        let result = select! {
            biased;
            () = sleep(TIMEOUT) => bail!("{side} poll {poll}: it hangs"),
            result = scenario(&mut cancel) => result,
        };
        if cancel.completed {
            results.push(("never".into(), result));
            return Ok(results);
        }
        results.push((format!("{side} poll {poll}"), result));
    }
    bail!("it has not completed after {POLLS} polls")
}

use tokio::sync::mpsc::{Receiver, Sender, channel};

// ANCHOR: test
/// Takes events, and passes them on to the store.
async fn store_all(events_rx: &mut Receiver<u32>, store_tx: &Sender<u32>) {
    while let Ok(permit) = store_tx.reserve().await {
        let Some(event) = events_rx.recv().await else { return };
        permit.send(event);
    }
}

#[tokio::test(start_paused = true)]
async fn no_event_is_lost() -> Result<()> {
    let scenario = async |cancel: &mut Cancel| {
        let (events_tx, mut events_rx) = channel(3);
        for event in 1..=3 {
            events_tx.send(event).await.expect("it is open");
        }
        drop(events_tx);
        let (store_tx, mut store_rx) = channel(4);
        cancel.run(store_all(&mut events_rx, &store_tx)).await;
        store_all(&mut events_rx, &store_tx).await; // what is left
        drop(store_tx);
        let mut stored = Vec::new();
        store_rx.recv_many(&mut stored, 4).await;
        stored
    };
    let results = cancel_everywhere(scenario).await?;
    assert_eq!(results.len(), 18);
    for (cancelled, stored) in results {
        assert_eq!(stored, [1, 2, 3], "cancelled {cancelled}");
    }
    Ok(())
}
// ANCHOR_END: test

mod cases {
    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use tokio::spawn;
    use tokio::sync::Semaphore;
    use tokio::task::yield_now;
    use tokio::time::Instant;

    use super::{
        Cancel, Duration, Receiver, Result, Sender, cancel_everywhere, channel,
        sleep, store_all,
    };

    const SECOND: Duration = Duration::from_secs(1);

    async fn loses(events_rx: &mut Receiver<u32>, store_tx: &Sender<u32>) {
        while let Some(event) = events_rx.recv().await {
            store_tx.send(event).await.expect("the store is open");
        }
    }

    /// Cancels a function that stores three events, calls it again, and returns
    /// what is stored. An event comes after each pause; if there is none, all
    /// are there before. The store takes one after five pauses.
    async fn stored(
        cancel: &mut Cancel,
        pause: Duration,
        room: usize,
        work: impl AsyncFn(&mut Receiver<u32>, &Sender<u32>),
    ) -> Vec<u32> {
        let (events_tx, mut events_rx) = channel(3);
        let (store_tx, mut store_rx) = channel(room);
        let mut producer = spawn(async move {
            for event in 1..=3 {
                sleep(pause).await;
                events_tx.send(event).await.expect("it is open");
            }
        });
        if pause.is_zero() {
            (&mut producer).await.expect("no panic");
        }
        let store = spawn(async move {
            let mut stored = Vec::new();
            while let Some(event) = store_rx.recv().await {
                stored.push(event);
                sleep(pause * 5).await;
            }
            stored
        });
        cancel.run(work(&mut events_rx, &store_tx)).await;
        work(&mut events_rx, &store_tx).await;
        drop(store_tx);
        store.await.expect("no panic")
    }

    /// With the name of each run that has lost an event, or changed the order.
    async fn faults(
        pause: Duration,
        room: usize,
        work: impl AsyncFn(&mut Receiver<u32>, &Sender<u32>),
    ) -> Result<(usize, Vec<String>)> {
        let scenario = async |cancel: &mut Cancel| {
            stored(cancel, pause, room, &work).await
        };
        let results = cancel_everywhere(scenario).await?;
        let count = results.len();
        let lost = results.into_iter().filter(|(_, it)| *it != [1, 2, 3]);
        Ok((count, lost.map(|(cancelled, _)| cancelled).collect()))
    }

    #[tokio::test(start_paused = true)]
    async fn peers_are_slow() -> Result<()> {
        assert_eq!(faults(SECOND, 1, store_all).await?, (22, vec![]));
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn several_threads() -> Result<()> {
        for room in [1, 2, 3] {
            let ms = Duration::from_millis(1);
            let (_, faults) = faults(ms, room, store_all).await?;
            assert!(faults.is_empty(), "{faults:?}");
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_lost() -> Result<()> {
        let (_, lost) = faults(Duration::ZERO, 4, loses).await?;
        let first = ["after poll 2", "before poll 3", "after poll 4"];
        assert_eq!(lost[..3], first);
        Ok(())
    }

    /// The event is taken without an await, so its only await is the first.
    #[tokio::test(start_paused = true)]
    async fn the_first_await() -> Result<()> {
        let take = async |events_rx: &mut Receiver<u32>,
                          store_tx: &Sender<_>| {
            while let Ok(event) = events_rx.try_recv() {
                store_tx.send(event).await.expect("the store is open");
            }
        };
        let (_, lost) = faults(Duration::ZERO, 4, take).await?;
        assert_eq!(lost[0], "after poll 1");
        Ok(())
    }

    #[tokio::test]
    async fn it_wakes_itself() -> Result<()> {
        let scenario = async |cancel: &mut Cancel| {
            let yields = async {
                yield_now().await;
                yield_now().await;
                7
            };
            cancel.run(yields).await
        };
        let results = cancel_everywhere(scenario).await?;
        let moments = [
            ("before poll 1", None),
            ("after poll 1", None),
            ("before poll 2", None),
            ("after poll 2", None),
            ("before poll 3", None),
            ("never", Some(7)),
        ];
        let moments = moments.map(|(moment, it)| (moment.to_owned(), it));
        assert_eq!(results, moments);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn timers() -> Result<()> {
        let scenario = async |cancel: &mut Cancel| {
            let start = Instant::now();
            let sleeps = async {
                sleep(SECOND).await;
                sleep(SECOND).await;
            };
            cancel.run(sleeps).await;
            start.elapsed().as_secs()
        };
        let results = cancel_everywhere(scenario).await?.into_iter();
        let seconds: Vec<_> = results.map(|(_, seconds)| seconds).collect();
        // The second sleep begins in the fourth poll.
        assert_eq!(seconds, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
        Ok(())
    }

    #[tokio::test]
    async fn nothing_waits() -> Result<()> {
        let scenario = async |cancel: &mut Cancel| cancel.run(async {}).await;
        let results = cancel_everywhere(scenario).await?;
        assert_eq!(results.len(), 2);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn it_spawns_a_task() -> Result<()> {
        let ended = Arc::new(AtomicUsize::new(0));
        let scenario = async |cancel: &mut Cancel| {
            let ended = Arc::clone(&ended);
            let task = async move {
                sleep(SECOND).await;
                ended.fetch_add(1, SeqCst);
            };
            let work = async { spawn(task).await.expect("no panic") };
            cancel.run(work).await;
            sleep(2 * SECOND).await;
        };
        let runs = cancel_everywhere(scenario).await?.len();
        // In the first run, the work had not begun.
        assert_eq!((runs, ended.load(SeqCst)), (6, 5));
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_forever() {
        let start = Instant::now();
        let scenario =
            async |cancel: &mut Cancel| cancel.run(pending::<()>()).await;
        let error = cancel_everywhere(scenario).await.expect_err("a hang");
        assert_eq!(error.to_string(), "before poll 3: it hangs");
        assert_eq!(start.elapsed(), 60 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_is_not_returned() {
        let scenario = async |cancel: &mut Cancel| {
            let semaphore = Semaphore::new(1);
            let work = async {
                semaphore.acquire().await.expect("open").forget();
                sleep(SECOND).await;
                semaphore.add_permits(1);
            };
            cancel.run(work).await;
            semaphore.acquire().await.is_ok()
        };
        let error = cancel_everywhere(scenario).await.expect_err("a hang");
        assert_eq!(error.to_string(), "after poll 2: it hangs");
    }

    #[tokio::test(start_paused = true)]
    async fn it_never_completes() {
        let busy = async |cancel: &mut Cancel| {
            let busy = async {
                loop {
                    yield_now().await;
                }
            };
            cancel.run(busy).await
        };
        let error = cancel_everywhere(busy).await.expect_err("a limit");
        let text = "it has not completed after 100 polls";
        assert_eq!(error.to_string(), text);

        let error = cancel_everywhere(async |_: &mut Cancel| {}).await;
        assert_eq!(error.expect_err("a limit").to_string(), text);
    }

    #[tokio::test]
    #[should_panic(expected = "a bug")]
    async fn it_panics() {
        let scenario = async |cancel: &mut Cancel| {
            cancel.run(async { panic!("a bug") }).await
        };
        let _ = cancel_everywhere::<Option<()>>(scenario).await;
    }
}
