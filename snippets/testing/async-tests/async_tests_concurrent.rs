// ANCHOR: all
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep};

/// Counts the satellites that are listened to at the same time.
#[derive(Default)]
struct Dish {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Dish {
    async fn listen(&self, satellite: u32) -> u32 {
        let now = 1 + self.now.fetch_add(1, Relaxed);
        self.peak.fetch_max(now, Relaxed);
        sleep(Duration::from_secs(1)).await;
        self.now.fetch_sub(1, Relaxed);
        500 + satellite
    }
}

// ANCHOR: surveys
/// The dish has three receivers.
async fn three_at_once(dish: &Dish, satellites: u32) -> Vec<u32> {
    let calls = (0..satellites).map(|satellite| dish.listen(satellite));
    stream::iter(calls).buffered(3).collect().await
}

async fn four_at_once(dish: &Dish, satellites: u32) -> Vec<u32> {
    let calls = (0..satellites).map(|satellite| dish.listen(satellite));
    stream::iter(calls).buffered(4).collect().await
}

async fn one_by_one(dish: &Dish, satellites: u32) -> Vec<u32> {
    let mut heights = Vec::new();
    for satellite in 0..satellites {
        heights.push(dish.listen(satellite).await);
    }
    heights
}

async fn three_and_then_one_by_one(dish: &Dish, satellites: u32) -> Vec<u32> {
    let mut heights = three_at_once(dish, 3).await;
    for satellite in 3..satellites {
        heights.push(dish.listen(satellite).await);
    }
    heights
}
// ANCHOR_END: surveys

// ANCHOR: broken
// Broken: five answers, whenever they came.
#[tokio::test(start_paused = true)]
async fn broken_one_by_one_passes() {
    let heights = one_by_one(&Dish::default(), 5).await;
    assert_eq!(heights, [500, 501, 502, 503, 504]);
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: how many at once, and for how long.
async fn check(survey: impl AsyncFn(&Dish, u32) -> Vec<u32>) {
    let (dish, start) = (Dish::default(), Instant::now());
    assert_eq!(survey(&dish, 5).await, [500, 501, 502, 503, 504]);
    let took = (dish.peak.into_inner(), start.elapsed());
    assert_eq!(took, (3, Duration::from_secs(2)));
}

#[tokio::test(start_paused = true)]
async fn fixed_three_at_once_pass() {
    check(three_at_once).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "left: (1, 5s)")]
async fn fixed_one_by_one_fails() {
    check(one_by_one).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "left: (4, 2s)")]
async fn fixed_four_at_once_fail() {
    check(four_at_once).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "left: (3, 3s)")]
async fn fixed_three_and_then_one_by_one_fail() {
    check(three_and_then_one_by_one).await;
}
// ANCHOR_END: fixed
// ANCHOR_END: all
