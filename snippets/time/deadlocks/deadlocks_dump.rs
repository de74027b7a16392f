// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

#[derive(Default)]
struct State {
    parcels: Mutex<Vec<u32>>,
    labels: Mutex<Vec<u32>>,
}

async fn add_label(state: Arc<State>) {
    let mut parcels = state.parcels.lock().await;
    sleep(Duration::from_millis(100)).await;
    state.labels.lock().await.extend(parcels.pop());
}

async fn remove_label(state: Arc<State>) {
    let mut labels = state.labels.lock().await;
    sleep(Duration::from_millis(100)).await;
    state.parcels.lock().await.extend(labels.pop());
}

// ANCHOR: broken
async fn dump_tasks(limit: Duration) -> anyhow::Result<()> {
    let dump = timeout(limit, Handle::current().dump()).await?;
    for task in dump.tasks().iter() {
        println!("task {}\n{}", task.id(), task.trace());
    }
    Ok(())
}
// ANCHOR_END: broken

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let state = Arc::new(State::default());
    let adds = tokio::spawn(add_label(state.clone()));
    let removes = tokio::spawn(remove_label(state));
    sleep(Duration::from_secs(1)).await;
    dump_tasks(Duration::from_secs(10)).await?;
    assert!(!adds.is_finished() && !removes.is_finished());
    Ok(())
}
// ANCHOR_END: all
