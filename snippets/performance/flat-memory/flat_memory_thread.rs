// ANCHOR: all
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

// ANCHOR: revenue
async fn revenue(export: impl Read + Send + 'static) -> anyhow::Result<u64> {
    let stop = CancellationToken::new();
    let _stops = stop.clone().drop_guard(); // when nobody waits any more
    spawn_blocking(move || {
        let mut input = BufReader::with_capacity(256 * 1024, export);
        let (mut order, mut cents) = (String::new(), 0);
        while input.read_line(&mut order)? > 0 {
            let price = order.trim_end().rsplit(';').next();
            let price = price.and_then(|price| price.parse::<u64>().ok());
            cents += price.with_context(|| format!("price of {order}"))?;
            order.clear(); // one string for all the lines
            ensure!(!stop.is_cancelled(), "stopped");
        }
        Ok(cents)
    })
    .await?
}
// ANCHOR_END: revenue

/// An export without end. It tells when it is closed.
struct Endless(Option<oneshot::Sender<()>>);

impl Read for Endless {
    fn read(&mut self, mut buffer: &mut [u8]) -> io::Result<usize> {
        buffer.write(b"8;sofa;99900\n")
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.0.take().expect("dropped once").send(());
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // 1 MB in lines of 250 bytes.
    let orders = format!("7;{:242};2499\n", "lamp").repeat(4_000);
    let mut export = tempfile::NamedTempFile::new()?;
    for _ in 0..100 {
        export.write_all(orders.as_bytes())?;
    }
    let cents = revenue(File::open(export.path())?).await?;
    println!("100 MB of orders: {cents} cents");
    assert_eq!(cents, 400_000 * 2_499);

    let (closed, is_closed) = oneshot::channel();
    let endless = revenue(Endless(Some(closed)));
    assert!(timeout(Duration::from_millis(1), endless).await.is_err());
    is_closed.await?;
    println!("nobody waits: the thread has stopped");
    Ok(())
}
// ANCHOR_END: all
