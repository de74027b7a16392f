// ANCHOR: all
use std::io::Write;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;
use tokio::time::{Instant, error::Elapsed, sleep, timeout};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn signal(mut line: impl AsyncRead + Unpin) -> Result<u8, Elapsed> {
    timeout(HOUR, async { line.read_u8().await.expect("an open line") }).await
}

// ANCHOR: broken
// Broken: somebody at the other end of a socket is about to answer. The
// runtime does not know; all its tasks wait, so the clock jumps.
#[tokio::test(start_paused = true)]
async fn broken_over_a_socket_the_hour_is_over_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let (gave_up, wait) = std::sync::mpsc::channel();
    let satellite = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("a caller");
        wait.recv().expect("a word that the hour is over");
        line.write_all(&[42]).expect("an open line");
    });

    let mut line = TcpStream::connect(address).await.expect("a line");
    let really = std::time::Instant::now();
    assert!(signal(&mut line).await.is_err());
    assert!(really.elapsed() < HOUR / 2, "that was no hour");

    gave_up.send(()).expect("it waits");
    assert_eq!(line.read_u8().await.expect("an open line"), 42);
    satellite.join().expect("no panic");
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a line in memory. Every wait is one that the runtime knows of.
#[tokio::test(start_paused = true)]
async fn fixed_in_memory_the_times_are_exact() {
    let start = Instant::now();
    let (mut satellite, line) = duplex(16);
    let sends = async {
        sleep(HOUR / 2).await;
        satellite.write_u8(42).await.expect("an open line");
    };
    let (answer, ()) = tokio::join!(signal(line), sends);
    assert_eq!(answer, Ok(42));
    assert_eq!(start.elapsed(), HOUR / 2);

    let (_silent, line) = duplex(16);
    assert!(signal(line).await.is_err());
    assert_eq!(start.elapsed(), HOUR / 2 + HOUR);
}
// ANCHOR_END: fixed
// ANCHOR_END: all
