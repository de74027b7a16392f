// ANCHOR: all
use std::env;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

fn fingerprint() -> u32 {
    panic!("an empty scan")
}

async fn uncaught(pool: &ThreadPool) -> Option<u32> {
    let (reply_tx, reply_rx) = oneshot::channel();
    // ANCHOR: broken
    pool.spawn(|| {
        let _ = reply_tx.send(fingerprint());
    });
    // ANCHOR_END: broken
    reply_rx.await.ok()
}

async fn caught(pool: &ThreadPool) -> Option<u32> {
    let (reply_tx, reply_rx) = oneshot::channel();
    // ANCHOR: fixed
    pool.spawn(|| {
        let job = || reply_tx.send(fingerprint());
        let _ = catch_unwind(AssertUnwindSafe(job));
    });
    // ANCHOR_END: fixed
    reply_rx.await.ok()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
    // The broken way runs in a process of its own: this program, once more.
    if env::args().nth(1).as_deref() == Some("uncaught") {
        uncaught(&pool).await;
        pending::<()>().await;
    }
    let child = Command::new(env::current_exe()?).arg("uncaught").output()?;
    assert!(!child.status.success());
    assert_ne!(child.status.code(), Some(101), "no panic, an abort");
    assert!(String::from_utf8(child.stderr)?.contains("aborting"));
    println!("uncaught: the process is aborted");

    assert_eq!(caught(&pool).await, None);
    assert_eq!(pool.install(|| 7), 7);
    println!("caught: no value, and the pool goes on");
    Ok(())
}
// ANCHOR_END: all
