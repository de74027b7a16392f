// ANCHOR: all
use std::env;
use std::fmt::Write;

use anyhow::Context;
use sqlx::postgres::{PgPool, PgPoolCopyExt};
use sqlx::{Executor, query_scalar};

// ANCHOR: copy
/// All rows or none. How many?
async fn import(db: &PgPool, csv: &str) -> sqlx::Result<u64> {
    let sql = "COPY shift (day, doctor) FROM STDIN (FORMAT csv)";
    let mut copy = db.copy_in_raw(sql).await?;
    copy.send(csv.as_bytes()).await?;
    copy.finish().await
}
// ANCHOR_END: copy

// ANCHOR: quoted
/// Within quotes, a comma or a line's end is a part of the value.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\"\""))
}
// ANCHOR_END: quoted

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let db = PgPool::connect(&url).await?;
    db.execute("CREATE TABLE shift (day INT PRIMARY KEY, doctor TEXT)").await?;

    let mut csv = String::new();
    for day in 0..10_000 {
        writeln!(csv, "{day},{}", quoted("Ada"))?;
    }
    let rows = import(&db, &csv).await?;
    println!("{rows} rows");
    assert_eq!(rows, 10_000);

    // Broken: the name ends at its comma.
    let doctor = "Ben \"Doc\" Holm, M.D.";
    let csv = format!("10000,Cleo\n10001,{doctor}\n");
    let error = import(&db, &csv).await.unwrap_err();
    let error = error.into_database_error().expect("PostgreSQL's");
    println!("{:?}: {}", error.code(), error.message());
    assert_eq!(error.code().as_deref(), Some("22P04"));
    let rows: i64 =
        query_scalar("SELECT COUNT(*) FROM shift").fetch_one(&db).await?;
    assert_eq!(rows, 10_000, "Cleo is not there either");

    // Fixed: each value in quotes.
    let csv = format!("10000,{}\n10001,{}\n", quoted("Cleo"), quoted(doctor));
    assert_eq!(import(&db, &csv).await?, 2);
    let read: String =
        query_scalar("SELECT doctor FROM shift WHERE day = 10001")
            .fetch_one(&db)
            .await?;
    println!("{read}");
    assert_eq!(read, doctor);
    Ok(())
}
// ANCHOR_END: all
