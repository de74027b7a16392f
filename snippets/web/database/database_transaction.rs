// ANCHOR: all
use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::task::Poll;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{query, query_as, raw_sql};
use tokio::sync::oneshot;

// ANCHOR: lend
/// Takes a copy off the shelf and notes who has it: both, or neither.
async fn lend(
    db: SqlitePool,
    member: i64,
    slip: impl Future<Output = ()>,
) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    query("UPDATE book SET copies = copies - 1").execute(&mut *tx).await?;
    slip.await;
    query("INSERT INTO loan (member) VALUES ($1)")
        .bind(member)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
// ANCHOR_END: lend

/// Copies on the shelf, and copies lent.
async fn books(db: &SqlitePool) -> sqlx::Result<(i64, i64)> {
    let sql = "SELECT copies, (SELECT count(*) FROM loan) FROM book";
    query_as(sql).fetch_one(db).await
}

const TABLES: &str = "
    CREATE TABLE member (id INTEGER PRIMARY KEY);
    CREATE TABLE loan (member INTEGER NOT NULL REFERENCES member);
    CREATE TABLE book AS SELECT 999 AS copies;
    INSERT INTO member VALUES (1)";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let file = SqliteConnectOptions::new().filename(file.path());
    // With one connection, what one has left open the next one sees.
    let one = SqlitePoolOptions::new().max_connections(1);
    let db = one.connect_with(file).await?;
    raw_sql(TABLES).execute(&db).await?;

    lend(db.clone(), 1, ready(())).await?;
    assert_eq!(books(&db).await?, (998, 1));
    // ANCHOR: error
    let error = lend(db.clone(), 2, ready(())).await.unwrap_err();
    println!("{error}: {:?}", books(&db).await?);
    assert_eq!(books(&db).await?, (998, 1));
    // ANCHOR_END: error

    // ANCHOR: cancelled
    let (reach, reached) = oneshot::channel();
    let slip = async {
        reach.send(()).expect("awaited below");
        pending().await // the printer is out of paper
    };
    let desk = tokio::spawn(lend(db.clone(), 1, slip));
    reached.await?;
    desk.abort();
    assert!(desk.await.unwrap_err().is_cancelled());
    println!("cancelled: {:?}", books(&db).await?);
    assert_eq!(books(&db).await?, (998, 1));
    // ANCHOR_END: cancelled

    // ANCHOR: polls
    for _ in 0..30 {
        for polls in 0.. {
            let lending = lend(db.clone(), 1, ready(()));
            let done = drop_after(polls, lending).await;
            let (shelf, lent) = books(&db).await?;
            assert_eq!(shelf + lent, 999, "dropped after {polls} polls");
            if let Some(done) = done {
                done?; // the connection is fit for use
                break;
            }
        }
    }
    // ANCHOR_END: polls
    db.close().await;
    Ok(())
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
// ANCHOR_END: all
