// ANCHOR: all
use std::future::Future;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;
use std::{io, pin::pin, task::Poll};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A teleprinter prints a line and stays. Its lamp is on while it is there.
fn teleprinter(lamp: OwnedFd) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' PIPE; echo Rain; exec sleep 1000"]);
    command.stdout(Stdio::piped()).stderr(lamp);
    command
}

async fn first_line(child: &mut Child) -> io::Result<Option<String>> {
    let paper = child.stdout.take().expect("piped above");
    BufReader::new(paper).lines().next_line().await
}

// ANCHOR: send
async fn send(lamp: OwnedFd) -> io::Result<Option<String>> {
    let mut child = teleprinter(lamp).kill_on_drop(true).spawn()?;
    let line = first_line(&mut child).await?;
    child.kill().await?; // and waits until it is gone
    Ok(line)
}
// ANCHOR_END: send

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: dropped, the handle lets the process go.
    let (lamp, _) = pipe::pipe()?;
    let mut child = teleprinter(lamp.into_blocking_fd()?).spawn()?;
    let id = child.id().expect("it has not ended").to_string();
    first_line(&mut child).await?;
    drop(child);
    let kill = Command::new("kill").arg(id).status().await?;
    assert!(kill.success(), "there was somebody to kill");
    println!("kill_on_drop(false): still there");
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: wherever the future is dropped, the lamp goes out.
    let mut polls = 0;
    loop {
        let (lamp, mut watch) = pipe::pipe()?;
        let sent = drop_after(polls, send(lamp.into_blocking_fd()?)).await;
        let mut told = String::new();
        let dark = watch.read_to_string(&mut told);
        timeout(Duration::from_secs(10), dark).await??;
        if let Some(line) = sent {
            assert_eq!(line?.as_deref(), Some("Rain"));
            break;
        }
        polls += 1;
    }
    assert!(polls > 1, "some were dropped on the way");
    println!("kill_on_drop(true): gone, wherever it was dropped");
    // ANCHOR_END: fixed
    Ok(())
}

async fn drop_after<T>(polls: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    for _ in 0..polls {
        if let Poll::Ready(done) = futures::poll!(&mut work) {
            return Some(done);
        }
        futures::pending!();
    }
    None
}
// ANCHOR_END: all
