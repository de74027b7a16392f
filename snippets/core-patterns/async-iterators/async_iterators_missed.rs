// ANCHOR: all
use std::future::ready;

use futures::{StreamExt, stream::iter};

#[tokio::main]
async fn main() {
    let morning = [Some(18.5), None, Some(19.0), Some(21.5)];

    // ANCHOR: broken
    // Broken: the pattern fails at the missed reading, and that ends the loop.
    let (mut readings, mut seen) = (iter(morning), vec![]);
    while let Some(Some(degrees)) = readings.next().await {
        seen.push(degrees);
    }
    println!("broken: {seen:?}");
    assert_eq!(seen, [18.5]);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the outer Option ends the loop, the inner one is data.
    let (mut readings, mut seen) = (iter(morning).filter_map(ready), vec![]);
    while let Some(degrees) = readings.next().await {
        seen.push(degrees);
    }
    println!("fixed:  {seen:?}");
    assert_eq!(seen, [18.5, 19.0, 21.5]);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
