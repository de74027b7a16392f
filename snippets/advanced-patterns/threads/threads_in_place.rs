// ANCHOR: all
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::timeout;

fn read_scan() -> &'static str {
    thread::sleep(Duration::from_millis(100));
    "scan"
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let limit = Duration::from_millis(10);
    // ANCHOR: broken
    let read = async { block_in_place(read_scan) };
    let result = timeout(limit, read).await;
    // ANCHOR_END: broken
    assert_eq!(result, Ok("scan"));
    println!("block_in_place: {result:?} after 100 ms");

    // ANCHOR: fixed
    let read = spawn_blocking(read_scan);
    let result = timeout(limit, read).await;
    // ANCHOR_END: fixed
    assert!(result.is_err());
    println!("spawn_blocking: a timeout after 10 ms");

    let on_one_thread = || {
        let runtime = Builder::new_current_thread().build()?;
        let task = runtime.spawn(async { block_in_place(read_scan) });
        anyhow::Ok(runtime.block_on(task))
    };
    let result = spawn_blocking(on_one_thread).await??;
    assert!(result.is_err_and(|error| error.is_panic()));
    println!("block_in_place on a current_thread runtime: a panic");
    Ok(())
}
// ANCHOR_END: all
