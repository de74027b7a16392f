// ANCHOR: all
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

const DAY: Duration = Duration::from_secs(86_400);

type Room = mpsc::Sender<Find>;

struct Find {
    coat: &'static str,
    answer: oneshot::Sender<&'static str>,
    /// By the other cloakroom, which does not have it.
    passed_on: bool,
}

async fn attend(
    mut requests: mpsc::Receiver<Find>,
    own: &'static str,
    other: Room,
    elsewhere: impl AsyncFn(&Room, Find),
) {
    while let Some(mut find) = requests.recv().await {
        if find.coat == own {
            _ = find.answer.send("found");
        } else if find.passed_on {
            _ = find.answer.send("lost");
        } else {
            find.passed_on = true;
            elsewhere(&other, find).await;
        }
    }
}

// ANCHOR: broken
// Broken: waits for the answer, and meanwhile answers nobody.
async fn ask(other: &Room, find: Find) {
    let (answer, answered) = oneshot::channel();
    _ = other.send(Find { answer, ..find }).await;
    _ = find.answer.send(answered.await.expect("it is there"));
}

// Broken under load: the answer goes to the guest, but a full queue waits.
async fn pass_on(other: &Room, find: Find) {
    _ = other.send(find).await;
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: waits for nothing. Who cannot be passed on is told so.
async fn try_to_pass_on(other: &Room, find: Find) {
    if let Err(full) = other.try_send(find) {
        _ = full.into_inner().answer.send("busy");
    }
}
// ANCHOR_END: fixed

/// Guests on each side, all of them at the wrong one. How many are told that
/// their coat is found, how many that it is too busy?
async fn evening(
    elsewhere: impl AsyncFn(&Room, Find),
    guests: usize,
) -> Option<[usize; 2]> {
    let (left, at_left) = mpsc::channel(2);
    let (right, at_right) = mpsc::channel(2);
    let find = async |room: &Room, coat| {
        let (answer, answered) = oneshot::channel();
        let find = Find { coat, answer, passed_on: false };
        room.send(find).await.expect("it is open");
        answered.await.expect("it is open")
    };
    let guests = (0..guests)
        .flat_map(|_| [find(&left, "hung right"), find(&right, "hung left")]);
    let answers = tokio::select! {
        biased;
        answers = timeout(DAY, join_all(guests)) => answers.ok()?,
        () = attend(at_left, "hung left", right.clone(), &elsewhere) => vec![],
        () = attend(at_right, "hung right", left.clone(), &elsewhere) => vec![],
    };
    let told = |what| answers.iter().filter(|answer| **answer == what).count();
    Some([told("found"), told("busy")])
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let few = evening(ask, 1).await;
    println!("asks: {few:?}");
    assert_eq!(few, None, "it stands still");

    let few = evening(pass_on, 1).await;
    let many = evening(pass_on, 3).await;
    println!("passes on: {few:?}, under load {many:?}");
    assert_eq!((few, many), (Some([2, 0]), None));

    let few = evening(try_to_pass_on, 1).await;
    let many = evening(try_to_pass_on, 3).await;
    println!("tries to: {few:?}, under load {many:?}");
    assert_eq!((few, many), (Some([2, 0]), Some([3, 3])));
}
// ANCHOR_END: all
