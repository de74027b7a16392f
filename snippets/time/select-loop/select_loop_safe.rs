// ANCHOR: all
use futures::FutureExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::io::{BufReader, duplex};
use tokio::sync::{Mutex, mpsc, oneshot};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: lines
    // `now_or_never` polls once and drops, as a branch that loses is dropped.
    let (mut carrier, stream) = duplex(64);
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    carrier.write_all(b"scan ").await?;
    assert!(reader.read_line(&mut line).now_or_never().is_none());
    carrier.write_all(b"7\n").await?;
    reader.read_line(&mut line).await?;
    println!("read_line: {line:?}");
    // ANCHOR_END: lines
    assert_eq!(line, "7\n");

    // The part of the line is in `lines`, which stays.
    let mut lines = reader.lines();
    carrier.write_all(b"scan ").await?;
    assert!(lines.next_line().now_or_never().is_none());
    carrier.write_all(b"7\n").await?;
    let line = lines.next_line().await?.expect("a line");
    println!("next_line: {line:?}");
    assert_eq!(line, "scan 7");

    let (mut carrier, mut reader) = duplex(64);
    let mut scan = [0; 4];
    carrier.write_all(b"sc").await?;
    assert!(reader.read_exact(&mut scan).now_or_never().is_none());
    carrier.write_all(b"an 7").await?;
    reader.read_exact(&mut scan).await?;
    println!("read_exact: {:?}", str::from_utf8(&scan)?);
    assert_eq!(&scan, b"an 7");

    let mut scan = Vec::with_capacity(4);
    carrier.write_all(b"sc").await?;
    reader.read_buf(&mut scan).await?;
    assert!(reader.read_buf(&mut scan).now_or_never().is_none());
    carrier.write_all(b"an").await?;
    reader.read_buf(&mut scan).await?;
    println!("read_buf: {:?}", str::from_utf8(&scan)?);
    assert_eq!(scan, b"scan");

    // How much was written is not known, so it begins again.
    let (mut writer, mut carrier) = duplex(4);
    assert!(writer.write_all(b"scan 7").now_or_never().is_none());
    let again = async {
        writer.write_all(b"scan 7").await?;
        writer.shutdown().await
    };
    let mut received = String::new();
    tokio::try_join!(again, carrier.read_to_string(&mut received))?;
    println!("write_all: {received:?}");
    assert_eq!(received, "scanscan 7");

    // The buffer knows.
    let (mut writer, mut carrier) = duplex(4);
    let mut rest = &b"scan 7"[..];
    assert!(writer.write_all_buf(&mut rest).now_or_never().is_none());
    assert_eq!(rest, b" 7");
    let on = async {
        writer.write_all_buf(&mut rest).await?;
        writer.shutdown().await
    };
    let mut received = String::new();
    tokio::try_join!(on, carrier.read_to_string(&mut received))?;
    println!("write_all_buf: {received:?}");
    assert_eq!(received, "scan 7");

    // `send` owns the value.
    let (tx, mut rx) = mpsc::channel(1);
    tx.send("first").await?;
    assert!(tx.send("second").now_or_never().is_none());
    assert_eq!(rx.recv().await, Some("first"));
    assert!(rx.recv().now_or_never().is_none());
    println!("send: \"second\" is lost");

    // `recv` has taken nothing before it is ready.
    tx.send("third").await?;
    assert_eq!(rx.recv().await, Some("third"));
    println!("recv: \"third\" is received");

    // `reserve` loses only its place in the queue.
    tx.send("first").await?;
    assert!(tx.reserve().now_or_never().is_none());
    let mut other = Box::pin(tx.reserve());
    assert!(other.as_mut().now_or_never().is_none());
    let mut again = Box::pin(tx.reserve());
    assert!(again.as_mut().now_or_never().is_none());
    assert_eq!(rx.recv().await, Some("first"));
    assert!(again.now_or_never().is_none());
    assert!(other.now_or_never().is_some());
    println!("reserve: behind those that came later");

    let mutex = Mutex::new(());
    let guard = mutex.lock().await;
    assert!(mutex.lock().now_or_never().is_none());
    let mut other = Box::pin(mutex.lock());
    assert!(other.as_mut().now_or_never().is_none());
    let mut again = Box::pin(mutex.lock());
    assert!(again.as_mut().now_or_never().is_none());
    drop(guard);
    assert!(again.now_or_never().is_none());
    assert!(other.now_or_never().is_some());
    println!("lock: behind those that came later");

    // A oneshot receiver is a future: lend it to the branch.
    let (reply_tx, mut reply_rx) = oneshot::channel();
    assert!((&mut reply_rx).now_or_never().is_none());
    assert_eq!(reply_tx.send(7), Ok(()));
    assert_eq!(reply_rx.await, Ok(7));
    println!("&mut reply_rx: 7 is received");
    Ok(())
}
// ANCHOR_END: all
