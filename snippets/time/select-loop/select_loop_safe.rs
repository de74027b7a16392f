// ANCHOR: all
use futures::FutureExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::io::{BufReader, duplex};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // `now_or_never` polls once and drops, as a lost turn does.
    let (mut wire, office) = duplex(64);
    let mut office = BufReader::new(office);
    let mut line = String::new();
    wire.write_all(b"send ").await?;
    assert!(office.read_line(&mut line).now_or_never().is_none());
    wire.write_all(b"help\n").await?;
    office.read_line(&mut line).await?;
    println!("read_line: {line:?}");
    assert_eq!(line, "help\n");

    // The half line is in `lines`, which stays.
    let mut lines = office.lines();
    wire.write_all(b"send ").await?;
    assert!(lines.next_line().now_or_never().is_none());
    wire.write_all(b"help\n").await?;
    let line = lines.next_line().await?.expect("a line");
    println!("next_line: {line:?}");
    assert_eq!(line, "send help");

    // Nobody knows how much is gone, so it begins again.
    let (mut office, mut line) = duplex(4);
    assert!(office.write_all(b"send help").now_or_never().is_none());
    let twice = async {
        office.write_all(b"send help").await?;
        office.shutdown().await
    };
    let mut tape = String::new();
    tokio::try_join!(twice, line.read_to_string(&mut tape))?;
    println!("write_all: {tape:?}");
    assert_eq!(tape, "sendsend help");

    // The buffer knows.
    let (mut office, mut line) = duplex(4);
    let mut rest = &b"send help"[..];
    assert!(office.write_all_buf(&mut rest).now_or_never().is_none());
    assert_eq!(rest, b" help");
    let goes_on = async {
        office.write_all_buf(&mut rest).await?;
        office.shutdown().await
    };
    let mut tape = String::new();
    tokio::try_join!(goes_on, line.read_to_string(&mut tape))?;
    println!("write_all_buf: {tape:?}");
    assert_eq!(tape, "send help");

    // `send` takes the telegram along.
    let (line, mut codes) = mpsc::channel(1);
    line.send("first").await?;
    assert!(line.send("second").now_or_never().is_none());
    assert_eq!(codes.recv().await, Some("first"));
    assert!(codes.recv().now_or_never().is_none());
    println!("send: \"second\" is gone");

    // `reserve` has nothing to lose but its place in the queue.
    line.send("first").await?;
    assert!(line.reserve().now_or_never().is_none());
    let mut other = Box::pin(line.reserve());
    assert!(other.as_mut().now_or_never().is_none());
    let mut again = Box::pin(line.reserve());
    assert!(again.as_mut().now_or_never().is_none());
    assert_eq!(codes.recv().await, Some("first"));
    assert!(again.now_or_never().is_none());
    assert!(other.now_or_never().is_some());
    println!("reserve: behind those who came later");
    Ok(())
}
// ANCHOR_END: all
