// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::postgres::PgPool;
use sqlx::{Executor, FromRow, query, query_as};

// ANCHOR: shift
#[derive(Debug, PartialEq, FromRow)]
struct Shift {
    day: i32,
    doctor: String,
    swaps: i32,
}
// ANCHOR_END: shift

// ANCHOR: unnest
/// One statement, however many shifts. How many are new?
async fn plan(
    db: &PgPool,
    days: &[i32],
    doctors: &[&str],
) -> sqlx::Result<u64> {
    let sql = "INSERT INTO shift (day, doctor)
        SELECT * FROM UNNEST($1::INT[], $2::TEXT[])
        ON CONFLICT DO NOTHING";
    let done = query(sql).bind(days).bind(doctors).execute(db).await?;
    Ok(done.rows_affected())
}

// ANCHOR: on
async fn on(db: &PgPool, days: &[i32]) -> sqlx::Result<Vec<Shift>> {
    let sql = "SELECT * FROM shift WHERE day = ANY($1) ORDER BY day";
    query_as(sql).bind(days).fetch_all(db).await
}
// ANCHOR_END: on
// ANCHOR_END: unnest

// ANCHOR: upsert
async fn swap(db: &PgPool, day: i32, doctor: &str) -> sqlx::Result<Shift> {
    // ANCHOR: conflict
    let sql = "INSERT INTO shift (day, doctor) VALUES ($1, $2)
        ON CONFLICT (day) DO UPDATE
        SET doctor = excluded.doctor, swaps = shift.swaps + 1
        RETURNING *";
    // ANCHOR_END: conflict
    // ANCHOR: one
    query_as(sql).bind(day).bind(doctor).fetch_one(db).await
    // ANCHOR_END: one
}
// ANCHOR_END: upsert

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let db = PgPool::connect(&url).await?;
    db.execute(
        "CREATE TABLE shift (
        day INT PRIMARY KEY,
        doctor TEXT NOT NULL,
        swaps INT NOT NULL DEFAULT 0
    )",
    )
    .await?;

    let days: Vec<i32> = (1..=30).collect();
    let doctors = ["Ada", "Ben", "Cleo"].repeat(10);
    assert_eq!(plan(&db, &days, &doctors).await?, 30);
    assert_eq!(plan(&db, &days, &doctors).await?, 0, "planned already");

    let shift = swap(&db, 8, "Cleo").await?;
    println!("{shift:?}");
    assert_eq!(shift, Shift { day: 8, doctor: "Cleo".into(), swaps: 1 });
    let shift = swap(&db, 31, "Ada").await?;
    println!("{shift:?}");
    assert_eq!(shift, Shift { day: 31, doctor: "Ada".into(), swaps: 0 });

    let shifts = on(&db, &[1, 8, 99]).await?;
    let doctors: Vec<_> = shifts.iter().map(|shift| &shift.doctor).collect();
    println!("{doctors:?}");
    assert_eq!(doctors, ["Ada", "Cleo"]);
    Ok(())
}
// ANCHOR_END: all
