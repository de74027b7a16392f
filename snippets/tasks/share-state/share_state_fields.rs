// ANCHOR: all
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

/// All that were ever made.
const BIDS: [(u32, &str); 2] = [(100, "Ada"), (120, "Ben")];

async fn call_out<T>(word: T) -> T {
    sleep(2 * SECOND).await;
    word
}

// ANCHOR: broken
// Broken: a lock for each field, and two looks with a bid in between.
struct Apart {
    price: Mutex<u32>,
    bidder: Mutex<&'static str>,
}

impl Apart {
    fn bid(&self, price: u32, bidder: &'static str) {
        *self.price.lock().expect("never poisoned") = price;
        *self.bidder.lock().expect("never poisoned") = bidder;
    }

    async fn announce(&self) -> (u32, &'static str) {
        let price = *self.price.lock().expect("never poisoned");
        let price = call_out(price).await;
        let bidder = *self.bidder.lock().expect("never poisoned");
        (price, call_out(bidder).await)
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: one lock for what belongs together, and one look.
struct Together(Mutex<(u32, &'static str)>);

impl Together {
    fn bid(&self, price: u32, bidder: &'static str) {
        *self.0.lock().expect("never poisoned") = (price, bidder);
    }

    async fn announce(&self) -> (u32, &'static str) {
        let (price, bidder) = *self.0.lock().expect("never poisoned");
        (call_out(price).await, call_out(bidder).await)
    }
}
// ANCHOR_END: fixed

async fn a_second_later(bid: impl Fn(u32, &'static str)) {
    sleep(SECOND).await;
    bid(120, "Ben");
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let auction = Apart { price: 100.into(), bidder: "Ada".into() };
    let bid = a_second_later(|price, bidder| auction.bid(price, bidder));
    let (said, ()) = tokio::join!(auction.announce(), bid);
    println!("two locks: {said:?}");
    assert!(!BIDS.contains(&said), "nobody has ever made this bid");

    let auction = Together((100, "Ada").into());
    let bid = a_second_later(|price, bidder| auction.bid(price, bidder));
    let (said, ()) = tokio::join!(auction.announce(), bid);
    println!("one lock: {said:?}");
    assert!(BIDS.contains(&said));
}
// ANCHOR_END: all
