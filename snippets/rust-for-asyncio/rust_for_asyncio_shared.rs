//! Tasks on several threads count in one map.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::task::JoinSet;

// ANCHOR: fixed
type Scans = Arc<Mutex<HashMap<&'static str, u32>>>;

async fn count(scans: &Scans, cities: Vec<&'static str>) {
    let mut tasks = JoinSet::new();
    for city in cities {
        let scans = Arc::clone(scans); // the pointer, not the map
        tasks.spawn(async move {
            let mut scans = scans.lock().expect("no task panics here");
            *scans.entry(city).or_insert(0) += 1;
        });
    }
    tasks.join_all().await;
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() {
    let scans = Scans::default();
    count(&scans, ["Oslo", "Bergen", "Oslo"].repeat(1_000)).await;
    let scans = scans.lock().expect("no task has panicked").clone();
    assert_eq!(scans, HashMap::from([("Oslo", 2_000), ("Bergen", 1_000)]));
    println!("one map: {} in Oslo", scans["Oslo"]);

    // Each task with a clone of the map, as the compiler's help suggests.
    let scans = HashMap::new();
    let mut tasks = JoinSet::new();
    for city in ["Oslo", "Bergen", "Oslo"] {
        let mut value = scans.clone();
        tasks.spawn(async move {
            *value.entry(city).or_insert(0) += 1;
            value[city]
        });
    }
    assert_eq!(tasks.join_all().await, [1, 1, 1]);
    assert!(scans.is_empty());
    println!("a clone of the map for each task: {} in it", scans.len());
}
