// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::postgres::PgPool;
use sqlx::{Connection, Executor, Postgres, Transaction, raw_sql};

const TAKE: &str = "SELECT * FROM shift WHERE day = 7 FOR UPDATE NOWAIT";

async fn change_mind(tx: &mut Transaction<'_, Postgres>) -> sqlx::Result<()> {
    raw_sql("UPDATE shift SET doctor = 'Ben'").execute(&mut **tx).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let db = PgPool::connect(&url).await?;
    db.execute("CREATE TABLE shift AS SELECT 7 AS day, 'Ada' AS doctor")
        .await?;
    let mut desk = db.acquire().await?;

    // ANCHOR: broken
    // Broken: dropped, it rolls back when its connection is used again.
    let mut tx = desk.begin().await?;
    change_mind(&mut tx).await?;
    drop(tx);
    let error = db.execute(TAKE).await.unwrap_err();
    let error = error.into_database_error().expect("PostgreSQL's");
    println!("dropped: {:?}", error.code());
    assert_eq!(error.code().as_deref(), Some("55P03"), "locked");

    desk.ping().await?;
    db.execute(TAKE).await?;
    // ANCHOR_END: broken

    // Of the pool's own connection the pool takes care, in a task.
    let mut tx = db.begin().await?;
    change_mind(&mut tx).await?;
    drop(tx);
    while db.execute(TAKE).await.is_err() {}

    // ANCHOR: fixed
    // Fixed: rolled back, it is.
    let mut tx = desk.begin().await?;
    change_mind(&mut tx).await?;
    tx.rollback().await?;
    let rows = db.execute(TAKE).await?;
    println!("rolled back: {} row is free", rows.rows_affected());
    assert_eq!(rows.rows_affected(), 1);
    // ANCHOR_END: fixed
    Ok(())
}
// ANCHOR_END: all
