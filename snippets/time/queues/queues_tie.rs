// ANCHOR: all
use std::cmp::Reverse;
use std::collections::BinaryHeap;

struct Patient {
    name: &'static str,
}

fn main() {
    // Urgency, number, patient.
    let dog = Reverse((2, 1, Patient { name: "dog" }));
    let parrot = Reverse((2, 2, Patient { name: "parrot" }));
    let room = BinaryHeap::from([dog, parrot]);
    assert_eq!(room.len(), 2);
}
// ANCHOR_END: all
