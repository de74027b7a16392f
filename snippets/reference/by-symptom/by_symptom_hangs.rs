// ANCHOR: all
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// A shop in which somebody waits for the bell.
fn shop() -> anyhow::Result<(Runtime, Sender<&'static str>)> {
    let shop = Builder::new_current_thread().build()?;
    let (ring, bell) = channel();
    let (begun, has_begun) = channel();
    shop.spawn_blocking(move || {
        begun.send(()).expect("`shop` waits");
        bell.recv()
    });
    has_begun.recv()?;
    Ok((shop, ring))
}

fn main() -> anyhow::Result<()> {
    // Broken: a runtime that is dropped waits for its blocking jobs, and so
    // does a `main` that returns.
    let (closing, ring) = shop()?;
    let (gone, is_gone) = channel();
    let closing = thread::spawn(move || {
        drop(closing);
        gone.send(())
    });
    let waited = is_gone.recv_timeout(Duration::from_millis(100));
    println!("drop: {waited:?}");
    assert_eq!(waited, Err(RecvTimeoutError::Timeout));
    ring.send("home time")?;
    closing.join().expect("no panic")?;

    // Fixed: this one does not.
    let (closing, ring) = shop()?;
    closing.shutdown_background();
    println!("shutdown_background: gone, and somebody is still there");
    ring.send("home time")?;
    Ok(())
}
// ANCHOR_END: all
