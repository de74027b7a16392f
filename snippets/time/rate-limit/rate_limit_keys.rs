// ANCHOR: all
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

const MINUTE: Duration = Duration::from_secs(60);

/// A door for each visitor, by the number of his pass.
type Doors = RateLimiter<
    u32,
    HashMapStateStore<u32>,
    FakeRelativeClock,
    NoOpMiddleware<Nanos>,
>;

const BUSY: u32 = 0;

/// A hundred strangers a minute for an hour, and one who comes in whenever he
/// may. How many doors are there at the end, and how often did he come in?
fn hour(tidy: impl Fn(&Doors)) -> (usize, u32) {
    let quota = Quota::per_minute(NonZeroU32::new(4).expect("not zero"));
    let clock = FakeRelativeClock::default();
    let doors = RateLimiter::hashmap_with_clock(quota, clock.clone());
    let (mut strangers, mut came) = (1.., 0);
    for _ in 0..60 {
        for stranger in strangers.by_ref().take(100) {
            assert!(doors.check_key(&stranger).is_ok());
        }
        while doors.check_key(&BUSY).is_ok() {
            came += 1;
        }
        clock.advance(MINUTE / 2);
        tidy(&doors);
        clock.advance(MINUTE / 2);
    }
    (doors.len(), came)
}

fn main() {
    // ANCHOR: broken
    // Broken: nobody is ever forgotten.
    let (doors, came) = hour(|_| {});
    // ANCHOR_END: broken
    println!("kept: {doors} doors, the busy one came in {came} times");
    assert_eq!((doors, came), (6001, 240));

    // ANCHOR: fixed
    // Fixed: each minute, those go that could as well be new.
    let (doors, came) = hour(|doors| {
        doors.retain_recent();
        doors.shrink_to_fit();
    });
    // ANCHOR_END: fixed
    println!("tidied: {doors} doors, the busy one came in {came} times");
    assert_eq!((doors, came), (1, 240));
}
// ANCHOR_END: all
