// ANCHOR: all
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use sqlx::{Connection, Executor, SqliteConnection, query, query_scalar};

async fn scans(conn: &mut SqliteConnection) -> sqlx::Result<i64> {
    query_scalar("SELECT scans FROM parcel").fetch_one(conn).await
}

async fn add(conn: &mut SqliteConnection, scans: i64) -> sqlx::Result<()> {
    let sql = "UPDATE parcel SET scans = scans + $1";
    query(sql).bind(scans).execute(conn).await?;
    Ok(())
}

async fn set(conn: &mut SqliteConnection, scans: i64) -> sqlx::Result<()> {
    query("UPDATE parcel SET scans = $1").bind(scans).execute(conn).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let timeout = Duration::from_secs(20);
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("parcels.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(timeout);
    let db = SqlitePool::connect_with(file.clone()).await?;
    let mut other = SqliteConnection::connect_with(&file).await?;
    db.execute("CREATE TABLE parcel AS SELECT 0 AS scans").await?;

    let start = Instant::now();
    // ANCHOR: broken
    let mut transaction = db.begin().await?;
    let before = scans(&mut transaction).await?;
    add(&mut other, 1).await?; // another connection, at the same time
    let result = set(&mut transaction, before + 1).await;
    // ANCHOR_END: broken
    let error = result.expect_err("what it has read is out of date");
    assert!(start.elapsed() < timeout / 2, "it does not wait");
    println!("BEGIN: {error}");
    let text = "error returned from database: (code: 517) database is locked";
    assert_eq!(error.to_string(), text);
    transaction.rollback().await?;

    // ANCHOR: fixed
    let mut transaction = db.begin_with("BEGIN IMMEDIATE").await?;
    let before = scans(&mut transaction).await?;
    let other = tokio::spawn(async move { add(&mut other, 5).await });
    set(&mut transaction, before + 1).await?;
    transaction.commit().await?;
    other.await??; // it has waited for the commit
    // ANCHOR_END: fixed
    let mut conn = db.acquire().await?;
    let scans = scans(&mut conn).await?;
    println!("BEGIN IMMEDIATE: {before} + 1 + 5 = {scans}");
    assert_eq!((before, scans), (1, 7));
    drop(conn);
    db.close().await;
    Ok(())
}
// ANCHOR_END: all
