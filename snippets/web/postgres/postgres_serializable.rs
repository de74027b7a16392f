// ANCHOR: all
use std::env;

use anyhow::Context;
use sqlx::postgres::PgPool;
use sqlx::{Executor, query, query_scalar};
use tokio::{sync::Barrier, try_join};

struct Ward {
    db: PgPool,
    begin: &'static str,
    both_have_looked: Barrier,
}

// ANCHOR: leave
/// Goes home if somebody stays. Says whether.
async fn leave(ward: &Ward, doctor: &str, tries: u32) -> sqlx::Result<bool> {
    let mut tx = ward.db.begin_with(ward.begin).await?;
    let sql = "SELECT count(*) FROM doctor WHERE on_call";
    let on_call: i64 = query_scalar(sql).fetch_one(&mut *tx).await?;
    if tries == 1 {
        ward.both_have_looked.wait().await;
    }
    if on_call > 1 {
        let sql = "UPDATE doctor SET on_call = FALSE WHERE name = $1";
        query(sql).bind(doctor).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(on_call > 1)
}
// ANCHOR_END: leave

// ANCHOR: retry
/// The whole transaction again, from its first look.
async fn retried(ward: &Ward, doctor: &str) -> anyhow::Result<(bool, u32)> {
    for tries in 1..=5 {
        match leave(ward, doctor, tries).await {
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some("40001") => {}
            left => return Ok((left?, tries)),
        }
    }
    anyhow::bail!("{doctor} has tried five times")
}
// ANCHOR_END: retry

/// Who goes home, in how many tries, and how many stay on call.
async fn evening(
    begin: &'static str,
) -> anyhow::Result<([(bool, u32); 2], i64)> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let db = PgPool::connect(&url).await?;
    let ward = Ward { db, begin, both_have_looked: Barrier::new(2) };
    let table = "DROP TABLE IF EXISTS doctor;
        CREATE TABLE doctor (name TEXT PRIMARY KEY, on_call BOOL);
        INSERT INTO doctor VALUES ('Ada', TRUE), ('Ben', TRUE)";
    ward.db.execute(table).await?;
    let (ada, ben) = try_join!(retried(&ward, "Ada"), retried(&ward, "Ben"))?;
    let sql = "SELECT count(*) FROM doctor WHERE on_call";
    let on_call = query_scalar(sql).fetch_one(&ward.db).await?;
    let mut both = [ada, ben];
    both.sort(); // either may be the first
    Ok((both, on_call))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Broken: each sees that the other is on call.
    let (both, on_call) = evening("BEGIN").await?;
    println!("read committed: {both:?}, on call: {on_call}");
    assert_eq!((both, on_call), ([(true, 1), (true, 1)], 0));

    // Fixed: one is refused, looks again, and stays.
    let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
    let (both, on_call) = evening(begin).await?;
    println!("serializable: {both:?}, on call: {on_call}");
    assert_eq!((both, on_call), ([(false, 2), (true, 1)], 1));
    Ok(())
}
// ANCHOR_END: all
