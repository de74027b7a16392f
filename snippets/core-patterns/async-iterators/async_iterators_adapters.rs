// ANCHOR: all
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use futures::{StreamExt, stream::iter};

#[tokio::main]
async fn main() {
    let morning =
        [None, Some(18.5), Some(19.0), None, Some(21.5), Some(22.0), Some(9.9)];
    let reads = AtomicUsize::new(0);

    // ANCHOR: chain
    let fahrenheit = iter(morning)
        .inspect(|_| _ = reads.fetch_add(1, Relaxed))
        .filter_map(ready) // drops the None, unwraps the Some
        .filter(|degrees| ready(*degrees > 18.5))
        .map(|degrees| degrees * 1.8 + 32.0)
        .take(3)
        .chunks(2);
    assert_eq!(reads.load(Relaxed), 0, "so far it is a plan");
    let fahrenheit: Vec<Vec<f64>> = fahrenheit.collect().await;
    // ANCHOR_END: chain

    assert_eq!(fahrenheit.len(), 2, "the last chunk is what is left");
    for (degrees, expected) in fahrenheit.iter().flatten().zip([66., 71., 72.])
    {
        assert_eq!(degrees.round(), expected);
    }
    assert_eq!(reads.load(Relaxed), 6, "take(3) does not ask for a fourth");
    println!("{fahrenheit:.1?} from {reads:?} of {} readings", morning.len());
}
// ANCHOR_END: all
