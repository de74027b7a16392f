// ANCHOR: all
use tokio::task::yield_now;

async fn draw() -> u8 {
    let mut plan = [0; 16 * 1024];
    yield_now().await;
    plan[0] += 1;
    plan[0]
}

#[tokio::main]
async fn main() {
    println!("{}", draw().await);
}
// ANCHOR_END: all
