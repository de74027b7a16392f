// ANCHOR: all
use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_stream::try_stream;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{Instant, pause, timeout_at};
use tokio_stream::{Stream, StreamExt};
use tokio_util::bytes::Bytes;
use tokio_util::io::ReaderStream;

#[derive(Debug)]
pub enum Said {
    Stdout(Bytes),
    Stderr(Bytes),
    Exit(ExitStatus),
    TooLong,
    TooMuch,
}

// ANCHOR: listen
/// What a program says, as it comes, and how that ends.
pub fn listen(
    child: &mut Child,
    time: Duration,
    mut bytes: usize,
) -> impl Stream<Item = io::Result<Said>> + '_ {
    let end = Instant::now() + time;
    let stdout = ReaderStream::new(child.stdout.take().expect("piped"));
    let stderr = ReaderStream::new(child.stderr.take().expect("piped"));
    let stdout = stdout.map(|read| read.map(|b| (b.len(), Said::Stdout(b))));
    let stderr = stderr.map(|read| read.map(|b| (b.len(), Said::Stderr(b))));
    let mut pipes = stdout.merge(stderr);
    try_stream! {
        let last = loop {
            match timeout_at(end, pipes.next()).await {
                Ok(Some(read)) => {
                    let (length, said) = read?;
                    let Some(rest) = bytes.checked_sub(length) else {
                        break Said::TooMuch;
                    };
                    bytes = rest;
                    yield said;
                }
                // Both pipes are closed, and it may still be at work.
                Ok(None) => match timeout_at(end, child.wait()).await {
                    Ok(status) => break Said::Exit(status?),
                    Err(_) => break Said::TooLong,
                },
                Err(_) => break Said::TooLong,
            }
        };
        yield last;
    }
}
// ANCHOR_END: listen

const MINUTE: Duration = Duration::from_secs(60);

fn shell(script: &str) -> io::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut child = shell("echo on; read go; echo $go >&2; read x; exit 3")?;
    let mut stdin = child.stdin.take().expect("piped");
    let mut said = pin!(listen(&mut child, MINUTE, 1000));
    let first = said.try_next().await?;
    println!("{first:?}, and now it waits");
    assert!(matches!(first, Some(Said::Stdout(_))));
    stdin.write_all(b"steady\n").await?; // it has not ended
    let second = said.try_next().await?;
    println!("{second:?}");
    assert!(matches!(second, Some(Said::Stderr(_))));
    drop(stdin);
    let third = said.try_next().await?;
    assert!(matches!(third, Some(Said::Exit(it)) if it.code() == Some(3)));
    println!("it has ended with 3");

    let last = last_said("while echo on and on; do :; done").await?;
    println!("{last:?}");
    assert!(matches!(last, Some(Said::TooMuch)));

    pause(); // a minute passes as soon as nothing else is to be done
    let last = last_said("exec sleep 1000").await?;
    println!("{last:?}");
    assert!(matches!(last, Some(Said::TooLong)));
    Ok(())
}

async fn last_said(script: &str) -> io::Result<Option<Said>> {
    let mut child = shell(script)?;
    let said: Vec<_> = listen(&mut child, MINUTE, 1000).collect().await;
    child.kill().await?; // and waits until it is gone
    said.into_iter().next_back().transpose()
}
// ANCHOR_END: all
