// ANCHOR: all
use std::cmp::Reverse;
use std::collections::BinaryHeap;

struct Patient {
    name: &'static str,
}

fn main() {
    let dog = Reverse((1, Patient { name: "dog" }));
    let parrot = Reverse((1, Patient { name: "parrot" }));
    let room = BinaryHeap::from([dog, parrot]);
    assert_eq!(room.len(), 2);
}
// ANCHOR_END: all
