// ANCHOR: all
use std::collections::BTreeSet;
use std::env;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use futures::poll;
use sqlx::postgres::{PgListener, PgPool};
use sqlx::{Executor, query, query_scalar};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

// ANCHOR: listen
/// Sends each new event, also those that were stored while nothing listened.
/// If it is cancelled, it may send an event again, but loses none.
async fn watch(pool: PgPool, tx: UnboundedSender<i64>) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen("events").await?;
    let minute = Duration::from_secs(60);
    loop {
        let mut transaction = pool.begin().await?;
        let delete = query_scalar("DELETE FROM outbox RETURNING event");
        for event in delete.fetch_all(&mut *transaction).await? {
            if tx.send(event).is_err() {
                return Ok(()); // rolled back: the events stay in the table
            }
        }
        transaction.commit().await?;
        // A notification, a new connection or a minute: read the table again.
        if let Ok(received) = timeout(minute, listener.try_recv()).await {
            received?;
        }
    }
}
// ANCHOR_END: listen

/// Stores an event, and notifies when the transaction is committed.
async fn store(pool: &PgPool, event: i64, commits: bool) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    // ANCHOR: notify
    let sql = "INSERT INTO outbox VALUES ($1)";
    query(sql).bind(event).execute(&mut *transaction).await?;
    transaction.execute("NOTIFY events").await?;
    // ANCHOR_END: notify
    if commits { transaction.commit().await } else { Ok(()) }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let pool = PgPool::connect(&url).await?;
    pool.execute("CREATE TABLE outbox (event BIGINT)").await?;

    store(&pool, 1, true).await?;
    let (tx, mut rx) = unbounded_channel();
    let watching = tokio::spawn(watch(pool.clone(), tx));
    assert_eq!(rx.recv().await, Some(1));
    println!("before it listened: received");
    store(&pool, 2, false).await?;
    store(&pool, 3, true).await?;
    assert_eq!(rx.recv().await, Some(3));
    println!("rolled back: not received");

    // A listener alone loses what is sent while it has no connection.
    let mut alone = PgListener::connect_with(&pool).await?;
    alone.listen("numbers").await?;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE query LIKE 'LISTEN%'";
    let ended: i64 = query_scalar(end).fetch_one(&pool).await?;
    assert_eq!(ended, 2);
    pool.execute("NOTIFY numbers, 'four'").await?;
    let lost = alone.try_recv().await?;
    assert!(lost.is_none());
    pool.execute("NOTIFY numbers, 'five'").await?;
    let notification = alone.recv().await?;
    println!("alone, it was cut off: {}", notification.payload());
    assert_eq!(notification.payload(), "five");
    store(&pool, 4, true).await?;
    assert_eq!(rx.recv().await, Some(4));
    println!("with the table: received");

    for (bytes, code) in [(7_999, None), (8_000, Some("22023"))] {
        let payload = "x".repeat(bytes);
        let sql = "SELECT pg_notify('numbers', $1)";
        let result = query(sql).bind(payload).execute(&pool).await;
        let error = result.err().and_then(|error| error.into_database_error());
        let found = error.as_ref().and_then(|error| error.code());
        println!("{bytes} bytes: {}", found.as_deref().unwrap_or("sent"));
        assert_eq!(found.as_deref(), code);
    }

    drop(rx);
    store(&pool, 5, true).await?;
    watching.await??;
    let count = query_scalar("SELECT count(*) FROM outbox");
    let count: i64 = count.fetch_one(&pool).await?;
    println!("nothing receives: {count} event stays in the table");
    assert_eq!(count, 1);

    // Callers that are cancelled at some poll: no event is lost.
    for event in 6..=20 {
        store(&pool, event, true).await?;
    }
    let mut received = BTreeSet::new();
    for polls in 1..=40 {
        let (tx, mut rx) = unbounded_channel();
        let mut watching = pin!(watch(pool.clone(), tx));
        for _ in 0..polls {
            assert!(poll!(&mut watching).is_pending());
            pool.execute("SELECT 1").await?; // the server has had time
        }
        watching.set(watch(pool.clone(), unbounded_channel().0));
        while let Ok(event) = rx.try_recv() {
            received.insert(event);
        }
    }
    println!("cancelled: {} of 16 events", received.len());
    assert!(received.into_iter().eq(5..=20));
    Ok(())
}
// ANCHOR_END: all
