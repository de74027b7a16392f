// ANCHOR: all
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

const MINUTE: Duration = Duration::from_secs(60);

/// A limit for each account.
type Limits = RateLimiter<
    u32,
    DashMapStateStore<u32>,
    FakeRelativeClock,
    NoOpMiddleware<Nanos>,
>;

const BUSY: u32 = 0;

/// For an hour, 100 new accounts a minute, with a request each, and one account
/// that sends as many as it may. How many keys are kept, and how many requests
/// of the busy account are admitted.
fn hour(tidy: impl Fn(&Limits)) -> (usize, u32) {
    let quota = Quota::per_minute(NonZeroU32::new(4).expect("not zero"));
    let clock = FakeRelativeClock::default();
    let limits = RateLimiter::dashmap_with_clock(quota, clock.clone());
    let (mut accounts, mut admitted) = (1.., 0);
    for _ in 0..60 {
        for account in accounts.by_ref().take(100) {
            assert!(limits.check_key(&account).is_ok());
        }
        while limits.check_key(&BUSY).is_ok() {
            admitted += 1;
        }
        clock.advance(MINUTE / 2);
        tidy(&limits);
        clock.advance(MINUTE / 2);
    }
    (limits.len(), admitted)
}

fn main() {
    // ANCHOR: broken
    let (keys, admitted) = hour(|_| {}); // nothing is removed
    // ANCHOR_END: broken
    println!("kept: {keys} keys, the busy account: {admitted} requests");
    assert_eq!((keys, admitted), (6001, 240));

    // ANCHOR: fixed
    // Each minute:
    let (keys, admitted) = hour(|limits| {
        limits.retain_recent();
        limits.shrink_to_fit();
    });
    // ANCHOR_END: fixed
    println!("removed: {keys} key, the busy account: {admitted} requests");
    assert_eq!((keys, admitted), (1, 240));
}
// ANCHOR_END: all
