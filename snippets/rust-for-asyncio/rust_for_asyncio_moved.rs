// ANCHOR: broken
use std::collections::HashMap;

#[tokio::main]
async fn main() {
    let mut scans = HashMap::new();
    for city in ["Oslo", "Bergen", "Oslo"] {
        tokio::spawn(async move {
            *scans.entry(city).or_insert(0) += 1;
        });
    }
}
// ANCHOR_END: broken
