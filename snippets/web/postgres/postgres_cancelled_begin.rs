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
    // Like a timeout that ends during `begin`.
    let was_dropped = drop_after(polls, pool.begin()).await?;
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

/// Whether a future was not ready after so many polls.
async fn drop_after<T>(
    mut polls: usize,
    future: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<bool> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(Ok(true));
        }
        polls -= 1;
        future.as_mut().poll(cx).map_ok(|_| false)
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
    println!("without after_release: a parcel is lost");

    loop {
        let outcomes = sweep(careful).await?;
        assert!(!outcomes.contains(&true));
        if outcomes.len() > wrong_poll {
            break;
        }
    }
    println!("with after_release: none is lost");
    Ok(())
}
// ANCHOR_END: all
