// ANCHOR: all
type Reel = Vec<u32>;

async fn shoot(mut scene: impl AsyncFnMut(&mut Reel)) {
    scene(&mut Reel::new()).await;
}

#[tokio::main]
async fn main() {
    shoot(|reel: &mut Reel| async move { reel.push(1) }).await;
}
// ANCHOR_END: all
