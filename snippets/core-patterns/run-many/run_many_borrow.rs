// ANCHOR: all
use tokio::task::JoinSet;

struct Network;

impl Network {
    async fn read(&self, _station: &str) {}
}

#[tokio::main]
async fn main() {
    let network = Network;
    let mut tasks = JoinSet::new();
    for station in ["Bergen", "Oslo"] {
        tasks.spawn(async { network.read(station).await });
    }
    tasks.join_all().await;
}
// ANCHOR_END: all
