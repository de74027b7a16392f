// ANCHOR: all
use std::hash::Hash;

#[derive(PartialEq, Eq)]
struct Delivery {
    floor: i32,
    weight: u32,
}

fn remember<K: Hash + Eq>(_key: K, _price: u32) {}

fn main() {
    remember(Delivery { floor: -1, weight: 5 }, 975);
}
// ANCHOR_END: all
