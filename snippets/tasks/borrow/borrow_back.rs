// ANCHOR: all
use std::time::Duration;

use tokio::time::{sleep, timeout};

const HOUR: Duration = Duration::from_secs(3600);

async fn paint(wall: &mut [char]) {
    for metre in wall {
        sleep(HOUR).await;
        *metre = '~';
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let rain = 5 * HOUR / 2;

    // ANCHOR: broken
    // Broken: the wall is in the task, and it is stopped with the task.
    let mut wall = vec!['.'; 4];
    let mut painter = tokio::spawn(async move {
        paint(&mut wall).await;
        wall
    });
    assert!(timeout(rain, &mut painter).await.is_err());
    painter.abort();
    let wall = painter.await.ok();
    println!("moved: {wall:?}");
    assert_eq!(wall, None);
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the wall is mine, and half of it is painted.
    let mut wall = vec!['.'; 4];
    assert!(timeout(rain, paint(&mut wall)).await.is_err());
    println!("lent: {wall:?}");
    assert_eq!(wall, ['~', '~', '.', '.']);
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
