// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::postgres::PgPool;
use sqlx::{Executor, Result, query_scalar};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let pool = PgPool::connect(&url).await?;
    pool.execute("CREATE TABLE parcels (id BIGINT, grams INT)").await?;
    pool.execute("INSERT INTO parcels VALUES (7, 500)").await?;

    // ANCHOR: broken
    let grams = query_scalar("SELECT grams FROM parcels");
    let grams: Result<i64> = grams.fetch_one(&pool).await;
    // ANCHOR_END: broken
    println!("{}", grams.expect_err("an INT"));

    // ANCHOR: fixed
    let grams = query_scalar("SELECT grams FROM parcels");
    let grams: i32 = grams.fetch_one(&pool).await?;
    // ANCHOR_END: fixed
    println!("{grams}");
    assert_eq!(grams, 500);
    Ok(())
}
// ANCHOR_END: all
