// ANCHOR: all
use std::pin::pin;
use std::sync::{Barrier, Mutex};

use futures::future::join_all;
use futures::poll;
use tokio::task::JoinSet;

static DIARY: Mutex<Vec<String>> = Mutex::new(Vec::new());
static TWO_AT_WORK: Barrier = Barrier::new(2);

fn note(what: &str, tile: u8) {
    DIARY.lock().expect("no panic").push(format!("{what} {tile}"));
}

// ANCHOR: broken
// Broken: there is nothing to await in it, so nobody else gets a turn.
async fn shade(tile: u8) -> u8 {
    note("begin", tile);
    let shaded = tile.reverse_bits();
    note("end", tile);
    shaded
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a plain function, on a thread.
fn shade_on_thread(tile: u8) -> u8 {
    TWO_AT_WORK.wait(); // goes on when two threads stand here
    tile.reverse_bits()
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() {
    let shaded = join_all([shade(1), shade(2)]).await;
    assert_eq!(shaded, [128, 64]);
    let diary = DIARY.lock().expect("no panic").join(", ");
    println!("async fn: {diary}");
    assert_eq!(diary, "begin 1, end 1, begin 2, end 2");

    // It is what a plain call is: done when it is polled for the first time.
    assert!(poll!(pin!(shade(3))).is_ready());

    let mut threads = JoinSet::new();
    for tile in [1, 2] {
        threads.spawn_blocking(move || shade_on_thread(tile));
    }
    let mut shaded = threads.join_all().await;
    shaded.sort_unstable();
    assert_eq!(shaded, [64, 128]);
    println!("threads:  both at work at the same moment");
}
// ANCHOR_END: all
