// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::postgres::PgPool;
use sqlx::{Connection, Executor};

const LOCK: &str = "SELECT FROM carriers FOR UPDATE NOWAIT";
const UPDATE: &str = "UPDATE carriers SET credit = 0";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let pool = PgPool::connect(&url).await?;
    pool.execute("CREATE TABLE carriers AS SELECT 1000 AS credit").await?;

    let mut conn = pool.acquire().await?;
    // ANCHOR: broken
    let mut transaction = conn.begin().await?;
    transaction.execute(UPDATE).await?;
    drop(transaction);
    // ANCHOR_END: broken
    let error = pool.execute(LOCK).await.expect_err("a lock");
    let error = error.into_database_error().context("PostgreSQL's")?;
    println!("dropped: {}, locked", error.code().unwrap_or_default());
    assert_eq!(error.code().as_deref(), Some("55P03"), "locked");
    conn.ping().await?;
    assert_eq!(pool.execute(LOCK).await?.rows_affected(), 1);

    // The pool sends it for a connection that it gets back.
    let mut transaction = pool.begin().await?;
    transaction.execute(UPDATE).await?;
    drop(transaction);
    while pool.execute(LOCK).await.is_err() {}

    // ANCHOR: fixed
    let mut transaction = conn.begin().await?;
    transaction.execute(UPDATE).await?;
    transaction.rollback().await?;
    // ANCHOR_END: fixed
    let rows = pool.execute(LOCK).await?.rows_affected();
    println!("rolled back: {rows} row is free");
    assert_eq!(rows, 1);
    Ok(())
}
// ANCHOR_END: all
