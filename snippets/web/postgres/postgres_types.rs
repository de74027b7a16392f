// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::error::UnexpectedNullError;
use sqlx::{Connection, Error, PgConnection, SqliteConnection, query_scalar};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut lite = SqliteConnection::connect("sqlite::memory:").await?;
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let mut pg = PgConnection::connect(&url).await?;

    // An integer is any integer in SQLite, and has a width in PostgreSQL.
    let sql = "SELECT 7";
    let seven: i64 = query_scalar(sql).fetch_one(&mut lite).await?;
    assert_eq!(seven, 7);
    let wide: Result<i64, _> = query_scalar(sql).fetch_one(&mut pg).await;
    println!("{}", wide.unwrap_err());
    let seven: i32 = query_scalar(sql).fetch_one(&mut pg).await?;
    assert_eq!(seven, 7);

    // NULL is no String: PostgreSQL's driver says so.
    let sql = "SELECT NULL::TEXT";
    let null: Result<String, _> = query_scalar(sql).fetch_one(&mut pg).await;
    match null {
        Err(Error::ColumnDecode { source, .. }) => {
            assert!(source.is::<UnexpectedNullError>());
            println!("{source}");
        }
        other => anyhow::bail!("not expected: {other:?}"),
    }
    Ok(())
}
// ANCHOR_END: all
