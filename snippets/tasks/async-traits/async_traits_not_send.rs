// ANCHOR: all
use tokio::task::JoinHandle;

fn second_unit(scene: impl AsyncFn(u32) + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move { scene(1).await })
}

#[tokio::main]
async fn main() {
    second_unit(async |take| println!("take {take}")).await.expect("no panic");
}
// ANCHOR_END: all
