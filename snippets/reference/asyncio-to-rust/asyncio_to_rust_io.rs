// ANCHOR: all
use std::process::Stdio;

use futures::{SinkExt, StreamExt};
use tokio::fs;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // TcpListener and TcpStream carry bytes; Framed makes lines of them.
    assert_eq!(LinesCodec::new().max_length(), usize::MAX, "no limit");
    let lines = || LinesCodec::new_with_max_length(80);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let harbour = tokio::spawn(async move {
        let (radio, _) = listener.accept().await?;
        let mut radio = Framed::new(radio, lines());
        while let Some(ship) = radio.next().await {
            radio.send(format!("welcome, {}", ship?)).await?;
        }
        Result::<_, LinesCodecError>::Ok(())
    });
    let mut radio = Framed::new(TcpStream::connect(address).await?, lines());
    radio.send("Vega").await?;
    let answer = radio.next().await.expect("an answer")?;
    assert_eq!(answer, "welcome, Vega");
    drop(radio);
    harbour.await??;
    println!("Framed: {answer}");

    // Command: by default a dropped child runs on.
    let mut horn = Command::new("sleep")
        .arg("1000")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut pipe = horn.stdout.take().expect("piped");
    drop(horn);
    let mut heard = String::new();
    pipe.read_to_string(&mut heard).await?; // ends with the child
    assert_eq!(heard, "");
    println!("kill_on_drop: gone");

    // signal: once you have listened, it no longer ends the program.
    let hang_up = async || {
        Command::new("sh").args(["-c", "kill -HUP $PPID"]).status().await
    };
    let mut hangups = signal(SignalKind::hangup())?;
    assert!(hang_up().await?.success());
    hangups.recv().await.expect("one");
    drop(hangups);
    assert!(hang_up().await?.success());
    println!("signal: received, and still here");

    // tokio::fs: each call goes to a thread, so make few.
    let log = tempfile::NamedTempFile::new()?;
    fs::write(log.path(), "Vega\nLyra\n").await?;
    let ships = fs::read_to_string(log.path()).await?;
    assert_eq!(ships.lines().count(), 2);
    println!("fs: two lines in one call");
    Ok(())
}
// ANCHOR_END: all
