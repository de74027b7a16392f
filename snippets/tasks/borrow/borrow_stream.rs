// ANCHOR: all
use futures::stream::{self, StreamExt};

async fn paint(part: &mut [char], colour: char) {
    part.fill(colour);
}

async fn day() {
    let mut wall = ['.'; 6];
    let parts = stream::iter(wall.chunks_mut(2));
    let work = parts.map(|part| paint(part, '~'));
    work.buffer_unordered(2).collect::<()>().await;
}

#[tokio::main]
async fn main() {
    tokio::spawn(day()).await.expect("no panic");
}
// ANCHOR_END: all
