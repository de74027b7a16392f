// ANCHOR: all
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, FakeRelativeClock};
use governor::{Quota, RateLimiter};

const SECOND: Duration = Duration::from_secs(1);
const FOUR: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

// ANCHOR: broken
/// Broken: counts to four, and begins anew with each minute.
fn by_the_minute(clock: FakeRelativeClock) -> impl FnMut() -> bool {
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
/// Fixed: what has been used comes back bit by bit.
fn by_the_bucket(
    clock: FakeRelativeClock,
    burst: NonZeroU32,
) -> impl FnMut() -> bool {
    let quota = Quota::per_minute(FOUR).allow_burst(burst);
    let door = RateLimiter::direct_with_clock(quota, clock);
    move || door.check().is_ok()
}
// ANCHOR_END: fixed

/// From the 59th second on, ten a second want to come in. How many do so, at
/// most, within two seconds, and within a minute?
fn most<F>(limit: impl Fn(FakeRelativeClock) -> F) -> [usize; 2]
where
    F: FnMut() -> bool,
{
    let clock = FakeRelativeClock::default();
    let mut may_enter = limit(clock.clone());
    let mut entered = Vec::new();
    clock.advance(59 * SECOND);
    for second in 59..300 {
        entered.extend((0..10).filter(|_| may_enter()).map(|_| second));
        clock.advance(SECOND);
    }
    [2, 60].map(|length| {
        let within = |from| {
            let window = from..from + length;
            entered.iter().filter(|at| window.contains(*at)).count()
        };
        (59..300).map(within).max().unwrap_or(0)
    })
}

fn main() {
    let [two, minute] = most(by_the_minute);
    println!("by the minute: {two} in two seconds, {minute} in a minute");
    assert_eq!([two, minute], [8, 8]);

    let [two, minute] = most(|clock| by_the_bucket(clock, FOUR));
    println!("a bucket of 4: {two} in two seconds, {minute} in a minute");
    assert_eq!([two, minute], [4, 7]);

    let [two, minute] = most(|clock| by_the_bucket(clock, NonZeroU32::MIN));
    println!("a bucket of 1: {two} in two seconds, {minute} in a minute");
    assert_eq!([two, minute], [1, 4]);
}
// ANCHOR_END: all
