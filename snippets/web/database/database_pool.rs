// ANCHOR: all
use std::time::Duration;

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Error, Executor, query, query_scalar};

const SCAN: &str = "INSERT INTO event VALUES ('scan-1')";
const EVENTS: &str = "SELECT count(*) FROM event";

// ANCHOR: broken
async fn two_connections(db: &SqlitePool) -> sqlx::Result<i64> {
    let mut transaction = db.begin_with("BEGIN IMMEDIATE").await?;
    query(SCAN).execute(&mut *transaction).await?;
    let events = query_scalar(EVENTS).fetch_one(db).await?;
    transaction.commit().await?;
    Ok(events)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn one_connection(db: &SqlitePool) -> sqlx::Result<i64> {
    let mut transaction = db.begin_with("BEGIN IMMEDIATE").await?;
    query(SCAN).execute(&mut *transaction).await?;
    let events = query_scalar(EVENTS).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(events)
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let usual = SqlitePoolOptions::new();
    assert_eq!(usual.get_max_connections(), 10);
    assert_eq!(usual.get_acquire_timeout(), Duration::from_secs(30));

    let file = tempfile::NamedTempFile::new()?;
    let url = format!("sqlite://{}", file.path().display());
    let open = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(1))
            .connect(&url)
    };

    let db = open(2).await?;
    db.execute("CREATE TABLE event (scan TEXT)").await?;
    let events = two_connections(&db).await?;
    println!("another connection: {events} events");
    assert_eq!(events, 0);
    db.close().await;

    let db = open(1).await?;
    let error = two_connections(&db).await.unwrap_err();
    println!("another connection, of one: {error}");
    assert!(matches!(error, Error::PoolTimedOut));

    let events = one_connection(&db).await?;
    println!("its own connection: {events} events");
    assert_eq!(events, 2);
    let events: i64 = query_scalar(EVENTS).fetch_one(&db).await?;
    assert_eq!(events, 2);
    db.close().await;
    Ok(())
}
// ANCHOR_END: all
