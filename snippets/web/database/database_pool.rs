// ANCHOR: all
use std::time::Duration;

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Error, Executor, query, query_scalar};

const LEND: &str = "INSERT INTO loan VALUES (7)";
const LENT: &str = "SELECT count(*) FROM loan";

// ANCHOR: broken
// Broken: the second statement asks the pool for another connection.
async fn two_connections(db: &SqlitePool) -> sqlx::Result<i64> {
    let mut tx = db.begin().await?;
    query(LEND).execute(&mut *tx).await?;
    let lent = query_scalar(LENT).fetch_one(db).await?;
    tx.commit().await?;
    Ok(lent)
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the whole transaction is on its own connection.
async fn one_connection(db: &SqlitePool) -> sqlx::Result<i64> {
    let mut tx = db.begin().await?;
    query(LEND).execute(&mut *tx).await?;
    let lent = query_scalar(LENT).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(lent)
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
    db.execute("CREATE TABLE loan (book INTEGER)").await?;
    let lent = two_connections(&db).await?;
    println!("another connection: {lent} lent");
    assert_eq!(lent, 0);
    db.close().await;

    let db = open(1).await?;
    let error = two_connections(&db).await.unwrap_err();
    println!("another connection, and all are taken: {error}");
    assert!(matches!(error, Error::PoolTimedOut));

    let lent = one_connection(&db).await?;
    println!("its own connection: {lent} lent");
    assert_eq!(lent, 2);
    db.close().await;
    Ok(())
}
// ANCHOR_END: all
