// ANCHOR: all
use std::collections::BTreeMap;

fn main() {
    let mut jobs = BTreeMap::new();
    // ANCHOR: broken
    jobs.insert((0.5, 1), "label 7");
    // ANCHOR_END: broken
    assert_eq!(jobs.len(), 1);
}
// ANCHOR_END: all
