// ANCHOR: all
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() {
    let prices = Arc::new(vec![7, 9]);
    let mut tasks = JoinSet::new();
    for part in 0..2 {
        tasks.spawn(async move { prices[part] });
    }
    println!("{:?}", tasks.join_all().await);
}
// ANCHOR_END: all
