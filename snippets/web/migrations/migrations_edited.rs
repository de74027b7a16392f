// ANCHOR: all
use std::fs;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection, SqliteConnection, query_scalar};

/// In the order in which they were applied.
async fn applied(conn: &mut SqliteConnection) -> sqlx::Result<Vec<i64>> {
    let sql = "SELECT version FROM _sqlx_migrations ORDER BY rowid";
    query_scalar(sql).fetch_all(conn).await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |file, sql| fs::write(folder.path().join(file), sql);
    let migrations = || Migrator::new(folder.path());
    let mut conn = SqliteConnection::connect("sqlite::memory:").await?;
    let table = "CREATE TABLE parcel (id INTEGER PRIMARY KEY)";
    write("0001_parcel.sql", table)?;
    migrations().await?.run(&mut conn).await?;

    // ANCHOR: broken
    write("0001_parcel.sql", "CREATE TABLE parcel (id, city)")?;
    let result = migrations().await?.run(&mut conn).await;
    // ANCHOR_END: broken
    let error = result.expect_err("it has been applied");
    println!("edited: {error}");
    assert!(matches!(error, MigrateError::VersionMismatch(1)));
    write("0001_parcel.sql", table)?;

    // ANCHOR: fixed
    write("0003_city.sql", "ALTER TABLE parcel ADD COLUMN city")?;
    migrations().await?.run(&mut conn).await?;
    // ANCHOR_END: fixed
    println!("added: {:?}", applied(&mut conn).await?);
    assert_eq!(applied(&mut conn).await?, [1, 3]);

    // ANCHOR: broken_order
    // From a branch that is merged later.
    write("0002_town.sql", "ALTER TABLE parcel RENAME city TO town")?;
    migrations().await?.run(&mut conn).await?;
    let mut fresh = SqliteConnection::connect("sqlite::memory:").await?;
    let result = migrations().await?.run(&mut fresh).await;
    // ANCHOR_END: broken_order
    println!("merged: {:?}", applied(&mut conn).await?);
    assert_eq!(applied(&mut conn).await?, [1, 3, 2]);
    let error = result.expect_err("there is no city yet");
    println!("an empty database: {error}");
    assert!(matches!(error, MigrateError::ExecuteMigration(_, 2)));

    // A file without a transaction, and within one of the caller's.
    write("0004_vacuum.sql", "-- no-transaction\nVACUUM")?;
    let mut transaction = conn.begin().await?;
    let result = migrations().await?.run(&mut *transaction).await;
    let error = result.expect_err("VACUUM within a transaction");
    println!("VACUUM: {error}");
    assert!(matches!(error, MigrateError::ExecuteMigration(_, 4)));
    transaction.rollback().await?;
    migrations().await?.run(&mut conn).await?;
    println!("VACUUM, alone: {:?}", applied(&mut conn).await?);
    assert_eq!(applied(&mut conn).await?, [1, 3, 2, 4]);
    Ok(())
}
// ANCHOR_END: all
