// ANCHOR: all
use std::env;
use std::future::pending;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

fn fingerprint(scan: &[u8]) -> u32 {
    assert!(!scan.is_empty(), "an empty scan");
    7
}

async fn uncaught(pool: &ThreadPool, scan: &'static [u8]) -> Option<u32> {
    let (reply_tx, reply_rx) = oneshot::channel();
    // ANCHOR: broken
    pool.spawn(|| {
        let _ = reply_tx.send(fingerprint(scan));
    });
    // ANCHOR_END: broken
    reply_rx.await.ok()
}

async fn caught(pool: &ThreadPool, scan: &'static [u8]) -> Option<u32> {
    let (reply_tx, reply_rx) = oneshot::channel();
    // ANCHOR: fixed
    pool.spawn(|| {
        let job = || reply_tx.send(fingerprint(scan));
        forget(catch_unwind(AssertUnwindSafe(job)));
    });
    // ANCHOR_END: fixed
    reply_rx.await.ok()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
    // The broken way runs in a process of its own: this program, once more.
    if env::args().nth(1).as_deref() == Some("uncaught") {
        uncaught(&pool, b"").await;
        pending::<()>().await;
    }
    let child = Command::new(env::current_exe()?).arg("uncaught").output()?;
    assert!(!child.status.success());
    assert_ne!(child.status.code(), Some(101), "no panic, an abort");
    assert!(String::from_utf8(child.stderr)?.contains("aborting"));
    println!("uncaught: the process is aborted");

    assert_eq!(caught(&pool, b"").await, None);
    assert_eq!(caught(&pool, b"scan").await, Some(7));
    println!("caught: no value, and the pool goes on");
    Ok(())
}
// ANCHOR_END: all
