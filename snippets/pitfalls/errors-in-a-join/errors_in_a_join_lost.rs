// ANCHOR: all
use std::iter::zip;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

const JOURNEY: [&str; 3] = ["flight", "hotel", "car"];

async fn book(part: &str) -> Result<u32, String> {
    sleep(Duration::from_secs(1)).await;
    if part == "hotel" { Ok(120) } else { Err(format!("no {part} left")) }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: collect() stops at the first error. The hotel is booked, the
    // second error was there, and both are thrown away.
    let outcomes = join_all(JOURNEY.map(book)).await;
    let prices: Result<Vec<u32>, String> = outcomes.into_iter().collect();
    println!("collect: {prices:?}");
    assert_eq!(prices, Err("no flight left".into()));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: keep both sides, and what was asked for.
    let (mut booked, mut refused) = (vec![], vec![]);
    for (part, outcome) in zip(JOURNEY, join_all(JOURNEY.map(book)).await) {
        match outcome {
            Ok(price) => booked.push((part, price)),
            Err(error) => refused.push((part, error)),
        }
    }
    println!("booked:  {booked:?}");
    println!("refused: {refused:?}");
    assert_eq!(booked, [("hotel", 120)]);
    assert_eq!(refused.len(), 2);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
