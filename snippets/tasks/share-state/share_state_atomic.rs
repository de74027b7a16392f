// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

const THREADS: u32 = 4;
const EACH: u32 = 100_000;

fn broken(count: &AtomicU32) {
    // ANCHOR: broken
    let before = count.load(Relaxed);
    count.store(before + 1, Relaxed);
    // ANCHOR_END: broken
}

fn fixed(count: &AtomicU32) {
    // ANCHOR: fixed
    count.fetch_add(1, Relaxed);
    // ANCHOR_END: fixed
}

/// Counts to a limit. `false`: it is reached.
fn limited(count: &AtomicU32, limit: u32) -> bool {
    // ANCHOR: fixed_limit
    let add = |n| if n < limit { Some(n + 1) } else { None };
    count.try_update(Relaxed, Relaxed, add).is_ok()
    // ANCHOR_END: fixed_limit
}

/// What four threads have counted.
fn counted(add: impl Fn(&AtomicU32) + Sync) -> u32 {
    let count = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..EACH).for_each(|_| add(&count)));
        }
    });
    count.into_inner()
}

fn main() {
    let all = THREADS * EACH;
    // Whether two threads meet depends on the machine, so it tries again.
    while counted(broken) == all {}
    println!("load and store: less than {all}");

    let count = counted(fixed);
    println!("fetch_add: {count}");
    assert_eq!(count, all);

    let refused = AtomicU32::new(0);
    let count = counted(|count| {
        let refusal = !limited(count, 100);
        refused.fetch_add(refusal.into(), Relaxed);
    });
    println!("try_update: {count}");
    assert_eq!((count, refused.into_inner()), (100, all - 100));
}
// ANCHOR_END: all
