// ANCHOR: all
use sqlx::sqlite::SqlitePool;
use tokio::time;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // Broken: on a paused clock. SQLite works on a thread of its own. If it is
    // not quick enough, the runtime has nothing to do, and jumps.
    let start = time::Instant::now();
    let error = loop {
        match SqlitePool::connect("sqlite::memory:").await {
            Ok(db) => db.close().await,
            Err(error) => break error,
        }
    };
    assert!(start.elapsed() >= time::Duration::from_secs(30));
    println!("{error}");
    let text = "pool timed out while waiting for an open connection";
    assert_eq!(error.to_string(), text);

    // Fixed: the clock runs while the database is asked.
    time::resume();
    let db = SqlitePool::connect("sqlite::memory:").await?;
    db.close().await;
    println!("resumed: connected");
    Ok(())
}
// ANCHOR_END: all
