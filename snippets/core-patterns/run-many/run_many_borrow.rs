// ANCHOR: all
use tokio::task::JoinSet;

struct Carrier;

impl Carrier {
    async fn track(&self, _parcel: &str) {}
}

#[tokio::main]
async fn main() {
    // ANCHOR: broken
    let carrier = Carrier;
    let mut tasks = JoinSet::new();
    for parcel in ["parcel 7", "parcel 8"] {
        tasks.spawn(async { carrier.track(parcel).await });
    }
    // ANCHOR_END: broken
    tasks.join_all().await;
}
// ANCHOR_END: all
