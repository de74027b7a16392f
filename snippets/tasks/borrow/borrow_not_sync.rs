// ANCHOR: all
use std::cell::Cell;

use tokio::task::yield_now;

async fn paint(pot: &Cell<u32>) {
    pot.set(pot.get() - 1);
    yield_now().await; // the first coat dries
    pot.set(pot.get() - 1);
}

async fn day() -> u32 {
    let pot = Cell::new(4);
    paint(&pot).await;
    pot.get()
}

#[tokio::main]
async fn main() {
    tokio::spawn(day()).await.expect("no panic");
}
// ANCHOR_END: all
