// ANCHOR: all
use futures::stream::{self, StreamExt};

async fn paint(part: &mut [char], colour: char) {
    part.fill(colour);
}

/// No closure in the stream: the futures are made before.
async fn day() -> [char; 6] {
    let mut wall = ['.'; 6];
    let parts = wall.chunks_mut(2);
    let work: Vec<_> = parts.map(|part| paint(part, '~')).collect();
    stream::iter(work).buffer_unordered(2).collect::<()>().await;
    wall
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wall = tokio::spawn(day()).await?;
    println!("painted in a task: {}", String::from_iter(wall));
    assert_eq!(wall, ['~'; 6]);
    Ok(())
}
// ANCHOR_END: all
