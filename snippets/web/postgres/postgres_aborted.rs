// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Acquire, Executor, Result, query, query_scalar};

async fn add(conn: &mut PgConnection, carrier: &str) -> Result<()> {
    let sql = "INSERT INTO carriers VALUES ($1)";
    query(sql).bind(carrier).execute(conn).await?;
    Ok(())
}

// ANCHOR: broken
async fn import(pool: &PgPool, carriers: &[&str]) -> Result<()> {
    let mut transaction = pool.begin().await?;
    for carrier in carriers {
        add(&mut transaction, carrier).await.ok(); // it may exist
    }
    transaction.commit().await
}
// ANCHOR_END: broken

async fn import_fixed(pool: &PgPool, carriers: &[&str]) -> Result<()> {
    let mut transaction = pool.begin().await?;
    for carrier in carriers {
        // ANCHOR: fixed
        let mut savepoint = transaction.begin().await?;
        match add(&mut savepoint, carrier).await {
            Ok(()) => savepoint.commit().await?,
            Err(_) => savepoint.rollback().await?,
        }
        // ANCHOR_END: fixed
    }
    transaction.commit().await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let pool = PgPool::connect(&url).await?;
    pool.execute("CREATE TABLE carriers (name TEXT PRIMARY KEY)").await?;
    let sql = "SELECT count(*) FROM carriers";

    let carriers = ["alpha", "alpha", "beta"];
    let imported = import(&pool, &carriers).await;
    let count: i64 = query_scalar(sql).fetch_one(&pool).await?;
    println!("errors ignored: {imported:?}, {count} carriers");
    assert!(imported.is_ok() && count == 0);

    // What the ignored error was.
    let mut transaction = pool.begin().await?;
    add(&mut transaction, "alpha").await?;
    assert!(add(&mut transaction, "alpha").await.is_err());
    let error = add(&mut transaction, "beta").await.expect_err("aborted");
    let error = error.into_database_error().context("PostgreSQL's")?;
    let code = error.code().unwrap_or_default();
    println!("the next statement: {code}");
    assert_eq!(error.code().as_deref(), Some("25P02"));
    drop(transaction);

    let imported = import_fixed(&pool, &carriers).await;
    let count: i64 = query_scalar(sql).fetch_one(&pool).await?;
    println!("a savepoint for each: {imported:?}, {count} carriers");
    assert!(imported.is_ok() && count == 2);
    Ok(())
}
// ANCHOR_END: all
