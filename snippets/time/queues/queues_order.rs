// ANCHOR: all
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

struct Hours(f64);

// ANCHOR: broken
impl Ord for Hours {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap_or(Ordering::Equal)
    }
}
// ANCHOR_END: broken

struct TotalHours(f64);

// ANCHOR: fixed
impl Ord for TotalHours {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
// ANCHOR_END: fixed

/// What follows from `cmp`.
macro_rules! compare_by_cmp {
    ($priority:ty) => {
        impl PartialOrd for $priority {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl PartialEq for $priority {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }

        impl Eq for $priority {}
    };
}

compare_by_cmp!(Hours);
compare_by_cmp!(TotalHours);

/// The priorities of four jobs, in the order in which they are received.
fn received<P: Ord>(priority: fn(f64) -> P, value: fn(P) -> f64) -> Vec<f64> {
    let mut jobs = BinaryHeap::new();
    for (hours, number) in [2.0, f64::NAN, f64::NAN, 1.0].into_iter().zip(1..) {
        jobs.push(Reverse((priority(hours), number)));
    }
    let next = || jobs.pop().map(|Reverse((priority, _))| value(priority));
    std::iter::from_fn(next).collect()
}

fn main() {
    let broken = received(Hours, |priority| priority.0);
    println!("partial_cmp: {broken:?}");
    assert_eq!((broken[0], broken[3]), (2.0, 1.0));
    let fixed = received(TotalHours, |priority| priority.0);
    println!("total_cmp: {fixed:?}");
    assert_eq!(fixed[..2], [1.0, 2.0]);
    assert!(fixed[2].is_nan() && fixed[3].is_nan());

    // A heap gives the greatest first.
    let mut jobs = BinaryHeap::from([1, 9]);
    assert_eq!(jobs.pop(), Some(9));
    let mut jobs = BinaryHeap::from([Reverse(1), Reverse(9)]);
    assert_eq!(jobs.pop(), Some(Reverse(1)));
}
// ANCHOR_END: all
