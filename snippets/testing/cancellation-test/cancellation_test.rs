// ANCHOR: all
// ANCHOR: keep
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
        // ANCHOR: moment
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
        // ANCHOR_END: moment
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
        // ANCHOR: scenario
        let (side, poll) = (["before", "after"][moment % 2], moment / 2 + 1);
        let mut cancel = Cancel { moment, completed: false };
        let result = select! {
            biased;
            () = sleep(TIMEOUT) => bail!("{side} poll {poll}: it hangs"),
            result = scenario(&mut cancel) => result,
        };
        // ANCHOR_END: scenario
        if cancel.completed {
            results.push(("never".into(), result));
            return Ok(results);
        }
        results.push((format!("{side} poll {poll}"), result));
    }
    bail!("it has not completed after {POLLS} polls")
}
// ANCHOR_END: keep

// The functions under test.
use std::cell::Cell;
use std::future::pending;

use tokio::spawn;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: broken
async fn loses(events_rx: &mut Receiver<u32>, store_tx: &Sender<u32>) {
    while let Some(event) = events_rx.recv().await {
        store_tx.send(event).await.expect("the store is open");
    }
}
// ANCHOR_END: broken

/// There is room for all. What is stored, if a second call stores the rest.
async fn store_twice(cancel: &mut Cancel) -> Vec<u32> {
    let (events_tx, mut events_rx) = channel(3);
    for event in 1..=3 {
        events_tx.send(event).await.expect("it is open");
    }
    drop(events_tx);
    let (store_tx, mut store_rx) = channel(4);
    cancel.run(loses(&mut events_rx, &store_tx)).await;
    loses(&mut events_rx, &store_tx).await;
    drop(store_tx);
    let mut stored = Vec::new();
    store_rx.recv_many(&mut stored, 4).await;
    stored
}

type Reply = oneshot::Sender<u32>;
type Pending = Option<oneshot::Receiver<u32>>;

// ANCHOR: broken_reply
async fn next(requests_tx: &Sender<Reply>) -> u32 {
    let (reply_tx, reply_rx) = oneshot::channel();
    requests_tx.send(reply_tx).await.expect("the actor runs");
    reply_rx.await.expect("a reply")
}
// ANCHOR_END: broken_reply

// ANCHOR: fixed_reply
async fn next_or_last(
    requests_tx: &Sender<Reply>,
    last_rx: &mut Option<oneshot::Receiver<u32>>,
) -> u32 {
    if last_rx.is_none() {
        let (reply_tx, reply_rx) = oneshot::channel();
        requests_tx.send(reply_tx).await.expect("the actor runs");
        *last_rx = Some(reply_rx);
    }
    let event = last_rx.as_mut().expect("set above").await;
    *last_rx = None;
    event.expect("a reply")
}
// ANCHOR_END: fixed_reply

/// Hands out its events. One that has no receiver is kept.
async fn actor(mut requests_rx: Receiver<Reply>) {
    let mut events = vec![3, 2, 1];
    while let Some(reply_tx) = requests_rx.recv().await {
        let event = events.pop().expect("three are enough");
        events.extend(reply_tx.send(event).err());
    }
}

/// The first event that two calls get, if the first one may be cancelled.
async fn ask_twice(
    cancel: &mut Cancel,
    next: impl AsyncFn(&Sender<Reply>, &mut Pending) -> u32,
) -> u32 {
    let (requests_tx, requests_rx) = channel(1);
    let actor = spawn(actor(requests_rx));
    let mut last_rx = None;
    let first = cancel.run(next(&requests_tx, &mut last_rx)).await;
    let second = next(&requests_tx, &mut last_rx).await;
    drop(requests_tx);
    actor.await.expect("no panic");
    first.unwrap_or(second)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let results = cancel_everywhere(store_twice).await?;
    assert_eq!(results.len(), 16);
    let (complete, lost): (Vec<_>, Vec<_>) =
        results.into_iter().partition(|(_, stored)| *stored == [1, 2, 3]);
    for (cancelled, stored) in &lost {
        println!("loses, cancelled {cancelled}: {stored:?}");
    }
    assert_eq!(lost[0], ("after poll 2".to_owned(), vec![2, 3]));
    assert_eq!((complete.len(), lost.len()), (10, 6));

    // ANCHOR: broken_moment
    let (events_tx, mut events_rx) = channel(3);
    let (store_tx, mut store_rx) = channel(1);
    events_tx.send(7).await.expect("it is open");
    let work = loses(&mut events_rx, &store_tx);
    assert!(timeout(SECOND, work).await.is_err());
    assert_eq!(store_rx.recv().await, Some(7));
    // ANCHOR_END: broken_moment
    println!("loses, cancelled after 1 s: [7]");

    let local = async |requests_tx: &_, _: &mut _| next(requests_tx).await;
    let broken = async |cancel: &mut Cancel| ask_twice(cancel, local).await;
    let mut events = cancel_everywhere(broken).await?;
    events.retain(|(_, event)| *event != 1);
    assert_eq!(events, [("before poll 3".to_owned(), 2)]);
    println!("next, cancelled before poll 3: [2]");
    let fixed =
        async |cancel: &mut Cancel| ask_twice(cancel, next_or_last).await;
    let events = cancel_everywhere(fixed).await?;
    assert!(events.iter().all(|(_, event)| *event == 1));
    println!("next_or_last: [1] in each of {} runs", events.len());

    let forever = async |cancel: &mut Cancel| cancel.run(pending::<()>()).await;
    for _ in 0..20 {
        let start = Instant::now();
        let error = cancel_everywhere(forever).await.expect_err("a hang");
        assert_eq!(error.to_string(), "before poll 3: it hangs");
        assert_eq!(start.elapsed(), 60 * SECOND);
    }
    println!("waits forever: before poll 3: it hangs");

    let runs = Cell::new(0);
    let spins = async |cancel: &mut Cancel| {
        runs.set(runs.get() + 1);
        let spins = async {
            loop {
                yield_now().await;
            }
        };
        cancel.run(spins).await
    };
    let error = cancel_everywhere::<Option<()>>(spins).await;
    let error = error.expect_err("a limit");
    println!("wakes itself forever: {error}");
    assert_eq!(error.to_string(), "it has not completed after 100 polls");
    assert_eq!(runs.get(), 200);
    Ok(())
}
// ANCHOR_END: all
