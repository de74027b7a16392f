// ANCHOR: all
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::future::FutureExt;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

type Wall = RefCell<String>;

// ANCHOR: broken
/// Broken: the wall is borrowed while the first coat dries.
#[expect(clippy::await_holding_refcell_ref, reason = "this is what goes wrong")]
async fn stays(wall: &Wall, colour: char) {
    let mut wall = wall.borrow_mut();
    wall.push(colour);
    sleep(HOUR).await;
    wall.push(colour);
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: borrowed for a stroke, and again for the next one.
async fn steps_back(wall: &Wall, colour: char) {
    wall.borrow_mut().push(colour);
    sleep(HOUR).await;
    wall.borrow_mut().push(colour);
}
// ANCHOR_END: fixed

// ANCHOR: lost
/// Still broken: what the other has written meanwhile is overwritten.
async fn counts(coats: &RefCell<u32>) {
    let before = *coats.borrow();
    sleep(HOUR).await;
    *coats.borrow_mut() = before + 1;
}
// ANCHOR_END: lost

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let wall = Wall::default();
    let both = async { tokio::join!(stays(&wall, '~'), stays(&wall, '^')) };
    let panic = AssertUnwindSafe(both).catch_unwind().await.unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a message");
    println!("stays at the wall: {message}");
    assert!(message.contains("already borrowed"));

    let wall = Wall::default();
    tokio::join!(steps_back(&wall, '~'), steps_back(&wall, '^'));
    let wall = wall.into_inner();
    println!("steps back: {} strokes", wall.len());
    assert_eq!((wall.matches('~').count(), wall.len()), (2, 4));

    let coats = RefCell::default();
    tokio::join!(counts(&coats), counts(&coats));
    let coats = coats.into_inner();
    println!("looks, waits and writes: {coats} of 2 coats");
    assert_eq!(coats, 1);
}
// ANCHOR_END: all
