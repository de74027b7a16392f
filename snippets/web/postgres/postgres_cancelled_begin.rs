// ANCHOR: all
use std::env::var;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use anyhow::Context;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Executor, query_scalar};

// ANCHOR: broken
// Broken: after a cancelled `begin`, the connection goes back to the pool as
// it is, in a transaction or not.
fn trusting() -> PgPoolOptions {
    PgPoolOptions::new()
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: whatever transaction it is in, it comes back in none.
fn careful() -> PgPoolOptions {
    PgPoolOptions::new().after_release(|connection, _| {
        Box::pin(async move {
            // `ROLLBACK` alone is a warning in the log where all is well.
            connection.execute("BEGIN; ROLLBACK").await?;
            Ok(true)
        })
    })
}
// ANCHOR_END: fixed

// ANCHOR: lost
/// Plans a shift on a connection whose `begin` was dropped after so many
/// polls. Is the shift lost? `None`: `begin` needs no more polls than that.
async fn lost(
    pool: PgPoolOptions,
    polls: usize,
) -> anyhow::Result<Option<bool>> {
    let url = var("DATABASE_URL").context("DATABASE_URL")?;
    let db = pool.max_connections(1).connect(&url).await?;
    let began = drop_after(polls, db.begin()).await;
    let dropped = began.transpose()?.is_none();

    db.execute("INSERT INTO shift VALUES (7, 'Ada')").await?;
    let count = query_scalar("SELECT count(*) FROM shift");
    let seen: i64 = count.fetch_one(&db).await?;
    assert_eq!(seen, 1, "this connection has it");
    db.close().await;

    let db = PgPool::connect(&url).await?;
    let kept = db.execute("DELETE FROM shift").await?.rows_affected();
    Ok(dropped.then_some(kept == 0))
}
// ANCHOR_END: lost

/// Whether it is lost: dropped after no poll, after one, and so on.
async fn sweep(pool: fn() -> PgPoolOptions) -> anyhow::Result<Vec<bool>> {
    let mut outcomes = Vec::new();
    while let Some(lost) = lost(pool(), outcomes.len()).await? {
        outcomes.push(lost);
    }
    Ok(outcomes)
}

async fn drop_after<F: Future>(mut n: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if n == 0 {
            return Poll::Ready(None);
        }
        n -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = var("DATABASE_URL").context("DATABASE_URL")?;
    let db = PgPool::connect(&url).await?;
    db.execute("CREATE TABLE shift (day INT, doctor TEXT)").await?;

    // An answer that is there at once leaves no time to drop anything: again.
    let wrong_poll = loop {
        if let Some(at) = sweep(trusting).await?.iter().position(|lost| *lost) {
            break at;
        }
    };
    println!("trusting: a shift is lost");

    loop {
        let outcomes = sweep(careful).await?;
        assert!(!outcomes.contains(&true));
        if outcomes.len() > wrong_poll {
            break;
        }
    }
    println!("careful: none is, at that poll or another");
    Ok(())
}
// ANCHOR_END: all
