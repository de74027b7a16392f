// ANCHOR: all
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use tokio::task::spawn_blocking;

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: three threads are idle, and yet the archivist does not start. Its
    // place is the one that only this thread looks at.
    let scanner = tokio::spawn(async {
        let (filed, is_filed) = channel();
        let archivist = tokio::spawn(async move { filed.send("letter") });
        let answer = is_filed.recv_timeout(Duration::from_millis(200));
        (answer, archivist)
    });
    let (answer, archivist) = scanner.await?;
    println!("blocking:       {answer:?}");
    assert_eq!(answer, Err(RecvTimeoutError::Timeout));
    assert!(archivist.await?.is_err(), "it started when nobody listened");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: the thread that waits is not one of the four.
    let scanner = tokio::spawn(async {
        let (filed, is_filed) = channel();
        let archivist = tokio::spawn(async move { filed.send("letter") });
        let patience = Duration::from_secs(30);
        let wait = spawn_blocking(move || is_filed.recv_timeout(patience));
        (wait.await, archivist)
    });
    let (answer, archivist) = scanner.await?;
    let answer = answer?;
    println!("spawn_blocking: {answer:?}");
    assert_eq!(answer, Ok("letter"));
    archivist.await?.expect("the scanner listens");
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
