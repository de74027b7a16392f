// ANCHOR: all
use std::env;
use std::fmt::Write;

use anyhow::Context;
use sqlx::postgres::{PgPool, PgPoolCopyExt};
use sqlx::{Executor, query_scalar};

// ANCHOR: copy
/// Stores all parcels of a CSV file, or none: how many.
async fn import(pool: &PgPool, csv: &[&str]) -> sqlx::Result<u64> {
    let sql = "COPY parcels (id, city) FROM STDIN (FORMAT csv)";
    let mut copy = pool.copy_in_raw(sql).await?;
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
    Ok(())
}
// ANCHOR_END: all
