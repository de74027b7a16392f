// ANCHOR: all
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// `cat` repeats its input until the input ends.
fn cat() -> std::io::Result<Child> {
    let mut cat = Command::new("cat");
    cat.stdin(Stdio::piped()).stdout(Stdio::piped());
    cat.kill_on_drop(true).spawn()
}

const MOMENT: Duration = Duration::from_millis(100);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let scans = vec![b'7'; 1_000_000];

    // Broken: the pipes to and from `cat` are full. It waits for a reader.
    let mut child = cat()?;
    let mut stdin = child.stdin.take().expect("piped");
    let sent = timeout(MOMENT, stdin.write_all(&scans)).await;
    println!("not read: {}", sent.unwrap_err());

    // Broken: `cat` waits for the end of its input.
    let mut child = cat()?;
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"7").await?;
    let mut stdout = child.stdout.take().expect("piped");
    let mut copy = Vec::new();
    let read = timeout(MOMENT, stdout.read_to_end(&mut copy)).await;
    println!("its input is open: {}", read.unwrap_err());

    // Fixed: read while you write, and drop the input at its end.
    let mut child = cat()?;
    let mut stdin = child.stdin.take().expect("piped");
    let write = async move { stdin.write_all(&scans).await };
    let (sent, output) = tokio::join!(write, child.wait_with_output());
    sent?;
    let len = output?.stdout.len();
    println!("read, input dropped: {len} bytes");
    assert_eq!(len, 1_000_000);
    Ok(())
}
// ANCHOR_END: all
