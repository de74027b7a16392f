// ANCHOR: all
use std::pin::pin;
use std::ptr::from_ref;

use async_stream::stream;
use futures::{Stream, StreamExt, stream::iter};

/// Yields each reading, and where in memory it lies.
fn replay() -> impl Stream<Item = (f64, usize)> {
    stream! {
        let log = [18.5, 19.0, 21.5]; // lives inside the stream
        for degrees in &log { // a pointer to it, kept across the yield
            yield (*degrees, from_ref(degrees).addr());
        }
    }
}

#[tokio::main]
async fn main() {
    // ANCHOR: inside
    // The stream holds a pointer into itself: it must stay where it is.
    let mut readings = pin!(replay());
    let start = from_ref(&*readings).addr();
    let stream = start..start + size_of_val(&*readings);
    let (degrees, place) = readings.next().await.expect("three readings");
    assert_eq!(degrees, 18.5);
    assert!(stream.contains(&place));
    println!("pin!: the reading lies inside the stream");
    // ANCHOR_END: inside

    // ANCHOR: boxed
    // Box::pin: the pointer moves, the stream does not.
    let mut readings = Box::pin(replay());
    let place = from_ref(&*readings);
    let (_, first) = readings.next().await.expect("three readings");
    let mut roof = [readings]; // moved, halfway through
    let (degrees, second) = roof[0].next().await.expect("three readings");
    assert_eq!(degrees, 19.0);
    assert_eq!(from_ref(&*roof[0]), place);
    assert_eq!(second - first, size_of::<f64>());
    println!("Box::pin: moved, and at the same place");
    // ANCHOR_END: boxed

    // ANCHOR: dyn
    // boxed(): any stream of f64, one type; for a Vec, a field, a return type.
    let live = replay().map(|(degrees, _)| degrees);
    let stations = vec![live.boxed(), iter([4.0, 4.5]).boxed()];
    let all: Vec<f64> = iter(stations).flatten().collect().await;
    assert_eq!(all, [18.5, 19.0, 21.5, 4.0, 4.5]);
    println!("boxed(): {all:?}");
    // ANCHOR_END: dyn
}
// ANCHOR_END: all
