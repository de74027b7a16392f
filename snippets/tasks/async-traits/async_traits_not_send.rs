// ANCHOR: all
use tokio::task::JoinHandle;

// ANCHOR: broken
fn start(handler: impl AsyncFn(u32) + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move { handler(7).await })
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    start(async |id| println!("parcel {id}")).await.expect("no panic");
}
// ANCHOR_END: all
