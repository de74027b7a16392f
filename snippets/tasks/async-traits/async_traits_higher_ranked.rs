// ANCHOR: all
use tokio::task::JoinHandle;

async fn retry(mut function: impl AsyncFnMut() -> bool) {
    while !function().await {}
}

// ANCHOR: broken
fn start(mut requests: u32) -> JoinHandle<()> {
    tokio::spawn(async move {
        let counted = async || {
            requests += 1;
            requests == 3
        };
        retry(counted).await;
    })
}
// ANCHOR_END: broken

#[tokio::main]
async fn main() {
    start(0).await.expect("no panic");
}
// ANCHOR_END: all
