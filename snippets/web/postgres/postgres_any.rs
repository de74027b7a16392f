// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, FromRow, SqlSafeStr, query, query_as};

#[derive(Debug, PartialEq, FromRow)]
struct Doctor {
    id: i64,
    name: String,
    phone: Option<String>,
}

async fn add(db: &AnyPool, id: i64, name: &str) -> sqlx::Result<bool> {
    let sql = "INSERT INTO doctor (id, name) VALUES ($1, $2)
        ON CONFLICT (name) DO NOTHING";
    let done = query(sql).bind(id).bind(name).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

async fn find(db: &AnyPool, name: &str) -> sqlx::Result<Option<Doctor>> {
    let sql = "SELECT id, name, phone FROM doctor WHERE name = $1";
    query_as(sql).bind(name).fetch_optional(db).await
}

async fn run(url: &str) -> anyhow::Result<()> {
    let db = AnyPoolOptions::new().max_connections(1).connect(url).await?;
    let table = "CREATE TABLE doctor (
        id BIGINT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        phone TEXT
    )";
    Migrator::with_migrations(vec![Migration::new(
        1,
        "doctors".into(),
        MigrationType::Simple,
        table.into_sql_str(),
        false,
    )])
    .run(&db)
    .await?;

    assert_eq!(find(&db, "Ada").await?, None);
    assert!(add(&db, 1, "Ada").await?);
    assert!(!add(&db, 2, "Ada").await?, "she is there already");
    let ada = Doctor { id: 1, name: "Ada".into(), phone: None };
    assert_eq!(find(&db, "Ada").await?, Some(ada));

    let twice = query("INSERT INTO doctor (id, name) VALUES (1, 'Ben')");
    let error = twice.execute(&db).await.unwrap_err();
    let error = error.into_database_error().expect("a database's error");
    assert!(error.is_unique_violation());

    let mut tx = db.begin().await?;
    query("DELETE FROM doctor").execute(&mut *tx).await?;
    drop(tx);
    assert!(find(&db, "Ada").await?.is_some());
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    install_default_drivers();
    let postgres = env::var("DATABASE_URL").context("DATABASE_URL")?;
    for (name, url) in
        [("SQLite", "sqlite::memory:"), ("PostgreSQL", &postgres)]
    {
        run(url).await?;
        println!("{name}: the same answers");
    }
    Ok(())
}
// ANCHOR_END: all
