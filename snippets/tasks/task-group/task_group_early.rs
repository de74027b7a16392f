// ANCHOR: all
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::task::JoinSet;
use tokio::time::sleep;

// ANCHOR: broken
/// Broken: `?` drops the set. The tasks are aborted, and may still run.
async fn leaves_early(mut group: JoinSet<Result<()>>) -> Result<()> {
    while let Some(end) = group.join_next().await {
        end??;
    }
    Ok(())
}
// ANCHOR_END: broken

// ANCHOR: broken_shutdown
/// Broken: `shutdown` waits for them, and discards the second error.
async fn shuts_down(mut group: JoinSet<Result<()>>) -> Result<()> {
    while let Some(end) = group.join_next().await {
        if let Err(error) = end? {
            group.shutdown().await;
            return Err(error);
        }
    }
    Ok(())
}
// ANCHOR_END: broken_shutdown

/// A connection that is in use until it is dropped; `Arc` counts them.
type Conn = Arc<()>;

async fn track(seconds: u64, _conn: Conn) -> Result<()> {
    sleep(Duration::from_secs(seconds)).await;
    match seconds {
        1 => bail!("parcel 13 is unknown"),
        _ => Ok(()),
    }
}

/// Two parcels fail at the same moment.
fn start(conn: &Conn) -> JoinSet<Result<()>> {
    [3, 1, 2, 1]
        .map(|seconds| track(seconds, Arc::clone(conn)))
        .into_iter()
        .collect()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let conn = Conn::default();
    let used = || Arc::strong_count(&conn) - 1;

    let error = leaves_early(start(&conn)).await.expect_err("two fail");
    println!("`?`: {error}, {} still connected", used());
    assert_eq!(used(), 2);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(used(), 0, "they are aborted");

    let error = shuts_down(start(&conn)).await.expect_err("two fail");
    println!("`shutdown`: {error}, {} still connected", used());
    assert_eq!(used(), 0);
}
// ANCHOR_END: all
