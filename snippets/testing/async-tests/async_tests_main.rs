// ANCHOR: all
// ANCHOR: broken
// tests/track.rs of a package `parcels` that has only src/main.rs
use parcels::track;
// ANCHOR_END: broken

fn main() {
    let _ = track;
}
// ANCHOR_END: all
