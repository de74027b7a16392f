// ANCHOR: all
use std::future::Future;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;
use std::{io, pin::pin, task::Poll};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

/// Prints a line and does not end. `alive` is open as long as it runs.
fn tail(alive: OwnedFd) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' PIPE; echo Bergen; exec sleep 1000"]);
    command.stdout(Stdio::piped()).stderr(alive);
    command
}

async fn line(stdout: Option<ChildStdout>) -> io::Result<Option<String>> {
    let stdout = stdout.expect("it is piped");
    BufReader::new(stdout).lines().next_line().await
}

// ANCHOR: broken
async fn first_line(mut command: Command) -> io::Result<Option<String>> {
    let mut child = command.spawn()?;
    line(child.stdout.take()).await
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn first_line_and_kill(
    mut command: Command,
) -> io::Result<Option<String>> {
    let mut child = command.kill_on_drop(true).spawn()?;
    let line = line(child.stdout.take()).await?;
    if let Err(error) = child.kill().await {
        tracing::warn!("it may run on: {error}"); // and the line is good
    }
    Ok(line)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let soon = Duration::from_millis(50);
    let (alive, mut closed) = pipe::pipe()?;
    // The shell tells its process id, so that the test can end the process.
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$; exec sleep 1000"]);
    command.stdout(Stdio::piped()).stderr(alive.into_blocking_fd()?);
    let id = first_line(command).await?.expect("a line");
    let mut rest = String::new();
    let ends = timeout(soon, closed.read_to_string(&mut rest)).await;
    let kill = Command::new("kill").arg(id).status().await?;
    assert!(kill.success() && ends.is_err());
    println!("kill_on_drop(false): it runs on");

    // Dropped after each poll, until it completes.
    for polls in 0.. {
        let (alive, mut closed) = pipe::pipe()?;
        let work = first_line_and_kill(tail(alive.into_blocking_fd()?));
        let line = drop_after(polls, work).await;
        let ended = closed.read_to_string(&mut rest);
        timeout(Duration::from_secs(10), ended).await??;
        if let Some(line) = line {
            assert_eq!(line?.as_deref(), Some("Bergen"));
            assert!(polls > 1, "some were dropped on the way");
            break;
        }
    }
    println!("kill_on_drop(true): it has ended");
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
