// ANCHOR: all
use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{Mutex, OnceCell};

/// A line to the thermometer, and an attendant who puts on wood.
struct Stove {
    line: Mutex<TcpStream>,
    wood: Sender<u32>,
}

async fn build(address: SocketAddr) -> io::Result<Stove> {
    let line = Mutex::new(TcpStream::connect(address).await?);
    let (wood, mut logs) = channel(8);
    tokio::spawn(async move { while logs.recv().await.is_some() {} });
    Ok(Stove { line, wood })
}

/// What comes of a question to the thermometer, and of a log.
async fn try_out(stove: &Stove) -> [Option<String>; 2] {
    let asked = stove.line.lock().await.write_all(b"?").await;
    let log = stove.wood.send(1).await;
    [
        asked.err().map(|error| error.to_string()),
        log.err().map(|error| error.to_string()),
    ]
}

/// A runtime of its own, as every `#[tokio::test]` has.
fn day() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn main() -> anyhow::Result<()> {
    let thermometer = TcpListener::bind("127.0.0.1:0")?;
    let address = thermometer.local_addr()?;

    // ANCHOR: broken
    // Broken: built on the first day, for all days.
    static STOVE: OnceCell<Stove> = OnceCell::const_new();
    let enter = async || -> io::Result<_> {
        let stove = STOVE.get_or_try_init(|| build(address)).await?;
        Ok(try_out(stove).await)
    };
    let first = day()?.block_on(enter())?;
    let [asked, log] = day()?.block_on(enter())?;
    println!("first day: {first:?}");
    println!("second day: {asked:?}, {log:?}");
    assert_eq!(first, [None, None]);
    assert!(asked.is_some_and(|error| error.contains("being shutdown")));
    assert_eq!(log.as_deref(), Some("channel closed"));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: built where the runtime is, and passed on.
    let enter = async || -> io::Result<_> {
        let stove = build(address).await?;
        Ok(try_out(&stove).await)
    };
    let first = day()?.block_on(enter())?;
    let second = day()?.block_on(enter())?;
    println!("one each: {first:?}, {second:?}");
    assert_eq!((first, second), ([None, None], [None, None]));
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
