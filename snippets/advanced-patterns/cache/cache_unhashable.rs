// ANCHOR: all
// ANCHOR: broken
use std::hash::Hash;

#[derive(PartialEq, Eq)]
struct Parcel {
    degrees: i32,
    weight: u32,
}

fn remember<K: Hash + Eq>(_key: K, _price: u32) {}

fn main() {
    remember(Parcel { degrees: -1, weight: 5 }, 975);
}
// ANCHOR_END: broken
// ANCHOR_END: all
