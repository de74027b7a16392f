// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, Connection, Executor, Result};

const ADA: &str = "INSERT INTO doctor VALUES ('Ada')";
const BEN: &str = "INSERT INTO doctor VALUES ('Ben')";

// ANCHOR: broken
// Broken: looks away from an error, and goes on in the same transaction.
async fn looks_away(db: &mut AnyConnection) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.execute(ADA).await.ok(); // is there already
    tx.execute(BEN).await?;
    tx.commit().await
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: a transaction in the transaction, which is a savepoint.
async fn saves(db: &mut AnyConnection) -> Result<()> {
    let mut tx = db.begin().await?;
    let mut inner = tx.begin().await?;
    match inner.execute(ADA).await {
        Ok(_) => inner.commit().await?,
        Err(_) => inner.rollback().await?,
    }
    tx.execute(BEN).await?;
    tx.commit().await
}
// ANCHOR_END: fixed

async fn hospital(url: &str) -> Result<AnyPool> {
    let db = AnyPoolOptions::new().max_connections(1).connect(url).await?;
    db.execute("CREATE TABLE doctor (name TEXT PRIMARY KEY)").await?;
    db.execute(ADA).await?;
    Ok(db)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    install_default_drivers();

    let db = hospital("sqlite::memory:").await?;
    looks_away(&mut *db.acquire().await?).await?;
    println!("SQLite goes on");

    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let db = hospital(&url).await?;
    let error = looks_away(&mut *db.acquire().await?).await.unwrap_err();
    let error = error.into_database_error().expect("PostgreSQL's");
    println!("PostgreSQL does not: {:?}", error.code());
    assert_eq!(error.code().as_deref(), Some("25P02"));

    saves(&mut *db.acquire().await?).await?;
    println!("after a savepoint, it does");
    assert_eq!(db.execute("DELETE FROM doctor").await?.rows_affected(), 2);
    Ok(())
}
// ANCHOR_END: all
