// ANCHOR: all
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

// ANCHOR: network
struct Network {
    celsius: BTreeMap<&'static str, f64>,
}
// ANCHOR_END: network

impl Network {
    // ANCHOR: read
    async fn read(&self, station: &str) -> f64 {
        sleep(Duration::from_secs(1)).await; // a slow radio link
        self.celsius[station]
    }
    // ANCHOR_END: read
}

// ANCHOR: run
#[tokio::main(flavor = "current_thread", start_paused = true)]
// ANCHOR_END: run
async fn main() -> anyhow::Result<()> {
    let celsius = BTreeMap::from([
        ("Bergen", 9.5),
        ("Hamar", 3.0),
        ("Oslo", 4.5),
        ("Røros", -7.0),
        ("Vardø", -2.5),
    ]);
    let stations = ["Bergen", "Hamar", "Oslo", "Røros", "Vardø"];
    let network = Arc::new(Network { celsius });
    let second = Duration::from_secs(1);

    // ANCHOR: one_by_one
    let start = Instant::now();
    let mut one_by_one = Vec::new();
    for station in stations {
        one_by_one.push(network.read(station).await);
    }
    println!("one by one: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), 5 * second);
    // ANCHOR_END: one_by_one

    // ANCHOR: join_all
    let start = Instant::now();
    let readings = join_all(stations.map(|name| network.read(name))).await;
    println!("join_all: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), second);
    assert_eq!(readings, one_by_one);
    // ANCHOR_END: join_all

    // ANCHOR: stream
    let start = Instant::now();
    let reads = stream::iter(stations)
        .map(async |name| (name, network.read(name).await));
    let map: BTreeMap<_, _> = reads.buffer_unordered(5).collect().await;
    println!("buffer_unordered: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), second);
    assert_eq!(map, network.celsius);
    // ANCHOR_END: stream

    // ANCHOR: join_set
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for name in stations {
        let network = Arc::clone(&network);
        tasks.spawn(async move { (name, network.read(name).await) });
    }
    let mut map = BTreeMap::new();
    while let Some(joined) = tasks.join_next().await {
        map.extend([joined?]);
    }
    println!("JoinSet: {:?}", start.elapsed());
    assert_eq!(start.elapsed(), second);
    assert_eq!(map, network.celsius);
    // ANCHOR_END: join_set
    Ok(())
}
// ANCHOR_END: all
