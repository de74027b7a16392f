// ANCHOR: all
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::sync::{mpsc, oneshot};

type Keeper = mpsc::Sender<oneshot::Sender<u32>>;
type Answer = Option<oneshot::Receiver<u32>>;

/// Hands out suitcases; what is not wanted stays on the belt.
async fn keep(mut asked: mpsc::Receiver<oneshot::Sender<u32>>) -> Vec<u32> {
    let mut belt = vec![3, 2, 1];
    while let Some(reply) = asked.recv().await {
        let suitcase = belt.pop().expect("nobody asks so often");
        belt.extend(reply.send(suitcase).err());
    }
    belt
}

/// Has a mistake: an answer that nobody looks at is gone, and its suitcase.
async fn next(keeper: &Keeper) -> u32 {
    next_or_last(keeper, &mut None).await
}

/// The answer is kept until somebody has looked at it.
async fn next_or_last(keeper: &Keeper, last: &mut Answer) -> u32 {
    if last.is_none() {
        let (reply, answer) = oneshot::channel();
        keeper.send(reply).await.expect("a keeper");
        *last = Some(answer);
    }
    let suitcase = last.as_mut().expect("one is there").await;
    *last = None;
    suitcase.expect("an answer")
}

/// Drops the work in its only wait: at once, or when it is woken from it.
async fn drop_in_wait(when_woken: bool, work: impl Future) {
    let (mut work, mut waits) = (pin!(work), false);
    poll_fn(|context| {
        if waits {
            return Poll::Ready(()); // woken
        }
        waits = work.as_mut().poll(context).is_pending();
        assert!(waits, "it has to wait");
        if when_woken { Poll::Pending } else { Poll::Ready(()) }
    })
    .await
}

async fn check(when_woken: bool) {
    let (keeper, asked) = mpsc::channel(1);
    let belt = tokio::spawn(keep(asked));
    drop_in_wait(when_woken, next(&keeper)).await;
    drop(keeper);
    assert_eq!(belt.await.expect("no panic"), [3, 2, 1]);
}

// ANCHOR: broken
// Broken: dropped as soon as it waits. The keeper sees that nobody listens.
#[tokio::test]
async fn broken_at_once_passes() {
    check(false).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: dropped when the answer is there, and nobody has looked at it yet.
#[tokio::test]
#[should_panic(expected = "left: [3, 2]\n")]
async fn fixed_when_woken_fails() {
    check(true).await;
}

// And the cure: the next one to ask gets the last answer.
#[tokio::test]
async fn mended_the_answer_is_kept() {
    for when_woken in [false, true] {
        let (keeper, asked) = mpsc::channel(1);
        let belt = tokio::spawn(keep(asked));
        let mut last = None;
        drop_in_wait(when_woken, next_or_last(&keeper, &mut last)).await;
        assert_eq!(next_or_last(&keeper, &mut last).await, 1);
        drop(keeper);
        assert_eq!(belt.await.expect("no panic"), [3, 2]);
    }
}
// ANCHOR_END: fixed
// ANCHOR_END: all
