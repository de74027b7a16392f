// ANCHOR: all
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use governor::{Quota, RateLimiter};

const SECOND: Duration = Duration::from_secs(1);
const FOUR: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

// ANCHOR: broken
fn by_window(clock: FakeRelativeClock) -> impl FnMut() -> bool {
    let (mut minute, mut count) = (0, 0);
    move || {
        let now = Duration::from(clock.now()).as_secs() / 60;
        if now != minute {
            (minute, count) = (now, 0);
        }
        count += 1;
        count <= 4
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
fn by_governor(
    clock: FakeRelativeClock,
    burst: NonZeroU32,
) -> impl FnMut() -> bool {
    let quota = Quota::per_minute(FOUR).allow_burst(burst);
    let limiter = RateLimiter::direct_with_clock(quota, clock);
    move || limiter.check().is_ok()
}
// ANCHOR_END: fixed

/// From the 59th second on, ten requests come each second. How many are
/// admitted, at most, within two seconds, and within a minute.
fn most<F>(limit: impl Fn(FakeRelativeClock) -> F) -> [usize; 2]
where
    F: FnMut() -> bool,
{
    let clock = FakeRelativeClock::default();
    let mut admits = limit(clock.clone());
    let mut admitted = Vec::new();
    clock.advance(59 * SECOND);
    for second in 59..300 {
        admitted.extend((0..10).filter(|_| admits()).map(|_| second));
        clock.advance(SECOND);
    }
    [2, 60].map(|length| {
        let within = |from| {
            let window = from..from + length;
            admitted.iter().filter(|at| window.contains(*at)).count()
        };
        (59..300).map(within).max().unwrap_or(0)
    })
}

fn main() {
    let [two, minute] = most(by_window);
    println!("a window: {two} in two seconds, {minute} in a minute");
    assert_eq!([two, minute], [8, 8]);

    let [two, minute] = most(|clock| by_governor(clock, FOUR));
    println!("a burst of 4: {two} in two seconds, {minute} in a minute");
    assert_eq!([two, minute], [4, 7]);

    let [two, minute] = most(|clock| by_governor(clock, NonZeroU32::MIN));
    println!("a burst of 1: {two} in two seconds, {minute} in a minute");
    assert_eq!([two, minute], [1, 4]);
}
// ANCHOR_END: all
