// ANCHOR: all
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use sqlx::{Connection, SqliteConnection, query, query_scalar};

const PARTS: &str = "SELECT bells FROM stock";
const TAKE: &str = "UPDATE stock SET bells = $1";

/// Reads, and writes what it has read less one.
async fn sell(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let bells: i64 = query_scalar(PARTS).fetch_one(&mut *db).await?;
    query(TAKE).bind(bells - 1).execute(db).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(5)); // as it is by default
    let db = SqlitePool::connect_with(options.clone()).await?;
    query("CREATE TABLE stock AS SELECT 7 AS bells").execute(&db).await?;

    // Broken: a transaction that reads first. When it wants to write, somebody
    // else has; what it has read is out of date, and waiting would not help.
    let mut tx = db.begin().await?;
    let bells: i64 = query_scalar(PARTS).fetch_one(&mut *tx).await?;
    let mut other = SqliteConnection::connect_with(&options).await?;
    sell(&mut other).await?;
    let sold = query(TAKE).bind(bells - 1).execute(&mut *tx).await;
    let error = sold.unwrap_err();
    println!("{error}");
    let text = "error returned from database: (code: 517) database is locked";
    assert_eq!(error.to_string(), text);
    tx.rollback().await?;

    // Also: two that write at once, and the first keeps the other waiting for
    // longer than its busy_timeout.
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    sell(&mut tx).await?;
    let hasty = options.clone().busy_timeout(Duration::ZERO);
    let mut hasty = SqliteConnection::connect_with(&hasty).await?;
    let error = sell(&mut hasty).await.unwrap_err();
    println!("{error}");
    let text = "error returned from database: (code: 5) database is locked";
    assert_eq!(error.to_string(), text);

    // Fixed: say at the start that you will write, and wait for your turn.
    let next = tokio::spawn({
        let db = db.clone();
        async move {
            let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
            sell(&mut tx).await?;
            tx.commit().await
        }
    });
    tx.commit().await?;
    next.await??;
    let bells: i64 = query_scalar(PARTS).fetch_one(&db).await?;
    println!("BEGIN IMMEDIATE: {bells} of 7 bells are left");
    assert_eq!(bells, 4);
    other.close().await?;
    hasty.close().await?;
    db.close().await;
    Ok(())
}
// ANCHOR_END: all
