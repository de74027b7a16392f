// ANCHOR: all
use tokio::task::yield_now;

async fn render() -> u8 {
    let mut label = [0; 16 * 1024];
    yield_now().await;
    label[0] += 1;
    label[0]
}

#[tokio::main]
async fn main() {
    println!("{}", render().await);
}
// ANCHOR_END: all
