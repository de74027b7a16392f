// ANCHOR: all
use std::env::var;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use anyhow::Context;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{Executor, query_scalar};

fn trusting() -> PgPoolOptions {
    PgPoolOptions::new()
}

/// As the recipe's pool.
fn careful() -> PgPoolOptions {
    PgPoolOptions::new().after_release(|conn, _| {
        Box::pin(async move {
            conn.execute("BEGIN; ROLLBACK").await?;
            Ok(true)
        })
    })
}

/// Stores a parcel on a connection whose `begin` was dropped after so many
/// polls. Is the parcel lost? `None`: `begin` needs no more polls than that.
async fn lost(
    options: PgPoolOptions,
    polls: usize,
) -> anyhow::Result<Option<bool>> {
    let url = var("DATABASE_URL").context("DATABASE_URL")?;
    let pool = options.max_connections(1).connect(&url).await?;
    // ANCHOR: broken
    let begun = drop_after(polls, pool.begin()).await; // as a timeout does
    let was_dropped = begun.transpose()?.is_none();
    pool.execute("INSERT INTO parcels VALUES (7, 'Oslo')").await?;
    // ANCHOR_END: broken
    let count = query_scalar("SELECT count(*) FROM parcels");
    let seen: i64 = count.fetch_one(&pool).await?;
    assert_eq!(seen, 1, "this connection reads it");
    pool.close().await;

    let pool = PgPool::connect(&url).await?;
    let sql = "DELETE FROM parcels";
    let kept = pool.execute(sql).await?.rows_affected();
    Ok(was_dropped.then_some(kept == 0))
}

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
    let pool = PgPool::connect(&url).await?;
    pool.execute("CREATE TABLE parcels (id INT, city TEXT)").await?;

    // An answer that is there at once leaves no time to drop anything: again.
    let wrong_poll = loop {
        if let Some(at) = sweep(trusting).await?.iter().position(|lost| *lost) {
            break at;
        }
    };
    println!("trusting: a parcel is lost");

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
