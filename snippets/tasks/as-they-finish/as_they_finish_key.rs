// ANCHOR: all
use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

const BOXES: [(&str, u64); 3] = [("Old Town", 1), ("Harbour", 2), ("Hills", 3)];

async fn count(ballot_box: u64) -> u64 {
    sleep(Duration::from_secs(60 * ballot_box)).await;
    assert!(ballot_box != 2, "the seal is broken");
    100 * ballot_box
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: who panics returns nothing, not even its name.
    let mut counts = JoinSet::new();
    for (district, ballot_box) in BOXES {
        counts.spawn(async move { (district, count(ballot_box).await) });
    }
    let mut unknown = Vec::new();
    while let Some(ended) = counts.join_next().await {
        match ended {
            Ok((district, votes)) => println!("{district}: {votes}"),
            Err(error) => unknown.push(error),
        }
    }
    println!("one is missing: {}", unknown[0]);
    assert!(unknown.len() == 1 && unknown[0].is_panic());
    assert!(!unknown[0].to_string().contains("Harbour"));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the id is there before the task begins. Take it out with the
    // result: when a task has ended, another one may get its id.
    let (mut counts, mut names) = (JoinSet::new(), HashMap::new());
    for (district, ballot_box) in BOXES {
        names.insert(counts.spawn(count(ballot_box)).id(), district);
    }
    let mut failed = Vec::new();
    while let Some(ended) = counts.join_next_with_id().await {
        let id = ended.as_ref().map_or_else(|error| error.id(), |(id, _)| *id);
        let district = names.remove(&id).expect("spawned above");
        if ended.is_err() {
            println!("one is missing: {district}");
            failed.push(district);
        }
    }
    assert_eq!(failed, ["Harbour"]);
    assert!(names.is_empty());
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
