// ANCHOR: all
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::time::{Instant, sleep};

const HOUR: Duration = Duration::from_secs(3600);

struct House {
    front: [char; 3],
    back: [char; 3],
}

// ANCHOR: paint
/// A metre an hour, after the sketch.
async fn paint(part: &mut [char], sketch: &[char]) -> usize {
    for (metre, colour) in part.iter_mut().zip(sketch) {
        sleep(HOUR).await;
        *metre = *colour;
    }
    part.len()
}
// ANCHOR_END: paint

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let sketch = ['~', '~', '~', '^', '^', '^'];
    let hours = |start: Instant| start.elapsed().as_secs() / 3600;

    // ANCHOR: two
    // Two painters, each with a half of the wall.
    let (mut wall, start) = (['.'; 6], Instant::now());
    // ANCHOR: halves
    let (left, right) = wall.split_at_mut(3);
    tokio::join!(paint(left, &sketch[..3]), paint(right, &sketch[3..]));
    // ANCHOR_END: halves
    // ANCHOR: evening
    assert_eq!(wall, sketch);
    // ANCHOR_END: evening
    println!("two halves: {} h", hours(start));
    assert_eq!(hours(start), 3);
    // ANCHOR_END: two

    // ANCHOR: each
    // A painter for every two metres.
    let (mut wall, start) = (['.'; 6], Instant::now());
    let parts = wall.chunks_mut(2).zip(sketch.chunks(2));
    join_all(parts.map(|(part, sketch)| paint(part, sketch))).await;
    assert_eq!(wall, sketch);
    println!("three parts, all at once: {} h", hours(start));
    assert_eq!(hours(start), 2);
    // ANCHOR_END: each

    // ANCHOR: capped
    // The same three parts, and only two ladders.
    let (mut wall, start) = (['.'; 6], Instant::now());
    let parts = wall.chunks_mut(2).zip(sketch.chunks(2));
    let work = stream::iter(parts).map(|(part, sketch)| paint(part, sketch));
    let metres: Vec<usize> = work.buffer_unordered(2).collect().await;
    assert_eq!(wall, sketch);
    println!("three parts, two at a time: {} h", hours(start));
    assert_eq!((hours(start), metres.len()), (4, 3));
    // ANCHOR_END: capped

    // ANCHOR: fields
    // Two sides of a house.
    let mut house = House { front: ['.'; 3], back: ['.'; 3] };
    let (front, back) = (&mut house.front, &mut house.back);
    tokio::join!(paint(front, &sketch[..3]), paint(back, &sketch[3..]));
    assert_eq!([house.front, house.back].concat(), sketch);
    // ANCHOR_END: fields
}
// ANCHOR_END: all
