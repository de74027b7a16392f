// ANCHOR: all
use std::cell::Cell;
use std::time::Duration;

use tokio::time::sleep;

const HOUR: Duration = Duration::from_secs(3600);

thread_local! {
    static DESK: Cell<u32> = const { Cell::new(0) };
}

tokio::task_local! {
    static CASE: u32;
}

// ANCHOR: broken
/// Broken: whoever comes in meanwhile puts his own number on the desk.
async fn on_the_desk(case: u32, hours: u32) -> u32 {
    DESK.set(case);
    sleep(hours * HOUR).await;
    DESK.get()
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: it is there when this future is polled, and at no other time.
async fn in_the_task(case: u32, hours: u32) -> u32 {
    let hearing = async {
        sleep(hours * HOUR).await;
        CASE.get()
    };
    CASE.scope(case, hearing).await
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let seven = tokio::spawn(on_the_desk(7, 2));
    let eight = tokio::spawn(on_the_desk(8, 1));
    let written = (seven.await?, eight.await?);
    println!("thread_local!: case 7 is written as {}", written.0);
    assert_eq!(written, (8, 8));

    let seven = tokio::spawn(in_the_task(7, 2));
    let eight = tokio::spawn(in_the_task(8, 1));
    let written = (seven.await?, eight.await?);
    println!("task_local!: case 7 is written as {}", written.0);
    assert_eq!(written, (7, 8));
    Ok(())
}
// ANCHOR_END: all
