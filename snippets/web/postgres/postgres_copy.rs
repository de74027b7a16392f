// ANCHOR: all
use std::env;
use std::fmt::Write;

use anyhow::Context;
use futures::poll;
use sqlx::postgres::PgPool;
use sqlx::{Executor, query_scalar};
use tokio::task::yield_now;

// ANCHOR: copy
/// Stores all parcels of a CSV file, or none. Returns how many.
async fn import(pool: &PgPool, csv: &[&str]) -> sqlx::Result<u64> {
    let sql = "COPY parcels (id, city) FROM STDIN (FORMAT csv)";
    // Not the pool's any more, and closed: a dropped COPY leaves answers in it.
    let mut conn = pool.acquire().await?.detach();
    let mut copy = conn.copy_in_raw(sql).await?;
    for part in csv {
        copy.send(part.as_bytes()).await?;
    }
    copy.finish().await
}

/// Within quotes, a comma or the end of a line is a part of the value.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\"\""))
}
// ANCHOR_END: copy

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let pool = PgPool::connect(&url).await?;
    let table = "CREATE TABLE parcels (id INT PRIMARY KEY, city TEXT)";
    pool.execute(table).await?;

    let mut csv = String::new();
    for id in 0..10_000 {
        writeln!(csv, "{id},{}", quoted("Oslo"))?;
    }
    let (first, rest) = csv.split_at(csv.len() / 2);
    let rows = import(&pool, &[first, rest]).await?;
    println!("{rows} rows");
    assert_eq!(rows, 10_000);

    // Without quotes, the city ends at its comma.
    let city = "Frankfurt, \"Main\"";
    let csv = format!("10000,Bonn\n10001,{city}\n");
    let error = import(&pool, &[&csv]).await.expect_err("a third column");
    let error = error.into_database_error().context("PostgreSQL's")?;
    println!("without quotes: {}", error.message());
    assert_eq!(error.code().as_deref(), Some("22P04"));
    let count = query_scalar("SELECT count(*) FROM parcels");
    let count: i64 = count.fetch_one(&pool).await?;
    assert_eq!(count, 10_000, "the row before it is not stored either");

    let csv = format!("10000,{}\n10001,{}\n", quoted("Bonn"), quoted(city));
    assert_eq!(import(&pool, &[&csv]).await?, 2);
    let read = query_scalar("SELECT city FROM parcels WHERE id = 10001");
    let read: String = read.fetch_one(&pool).await?;
    println!("with quotes: {read}");
    assert_eq!(read, city);

    // Callers that are cancelled at some poll leave the pool in order.
    for polls in 0..20 {
        let csv = format!("{},Bergen\n", 20_000 + polls);
        let parts = [csv.as_str()];
        let mut import = Box::pin(import(&pool, &parts));
        for _ in 0..polls {
            if poll!(&mut import).is_ready() {
                break;
            }
            yield_now().await;
        }
        drop(import);
        let failed = pool.execute("INSERT INTO no_such_table VALUES (1)").await;
        assert!(failed.is_err());
        let number = query_scalar("SELECT 7::INT");
        assert_eq!(number.fetch_one(&pool).await.map(|n: i32| n)?, 7);
    }
    println!("cancelled: the pool is in order");
    Ok(())
}
// ANCHOR_END: all
