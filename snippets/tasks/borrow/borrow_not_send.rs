// ANCHOR: all
use std::rc::Rc;

use tokio::task::yield_now;

async fn paint() {
    let pot = Rc::new("blue");
    println!("a coat of {pot}");
    drop(pot);
    yield_now().await; // it dries
}

#[tokio::main]
async fn main() {
    tokio::spawn(paint()).await.expect("no panic");
}
// ANCHOR_END: all
