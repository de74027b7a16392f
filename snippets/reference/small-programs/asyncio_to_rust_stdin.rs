use std::env::{args, current_exe};
use std::process::Stdio;
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{self, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

// ANCHOR: child
/// Asks for a parcel, and does not wait for the answer.
async fn ask() -> anyhow::Result<()> {
    let mut lines = BufReader::new(io::stdin()).lines();
    assert!(lines.next_line().now_or_never().is_none());
    // This job begins after the one that reads.
    spawn_blocking(|| println!("main returns")).await?;
    Ok(())
}
// ANCHOR_END: child

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if args().nth(1).as_deref() == Some("ask") {
        return ask().await;
    }
    // ANCHOR: parent
    // The program runs itself.
    let mut child = Command::new(current_exe()?)
        .arg("ask")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().expect("piped");
    let stdout = child.stdout.take().expect("piped");
    let line = BufReader::new(stdout).lines().next_line().await?;
    assert_eq!(line.as_deref(), Some("main returns"));
    let wait = timeout(Duration::from_millis(300), child.wait());
    assert!(wait.await.is_err(), "it still reads");
    stdin.write_all(b"7\n").await?;
    assert!(child.wait().await?.success());
    println!("the process ends after the next line");
    // ANCHOR_END: parent
    Ok(())
}
