// ANCHOR: all
// ANCHOR: keep
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{FromRow, SqliteExecutor, query, query_as};

// ANCHOR: parcel
#[derive(Debug, PartialEq, FromRow)]
pub struct Parcel {
    pub id: i64,
    pub city: String,
    pub status: String,
}
// ANCHOR_END: parcel

// ANCHOR: open
/// Opens a database and applies the migrations. Returns a pool of readers, and
/// a pool of one writer.
pub async fn open(
    path: &Path,
    acquire_timeout: Duration,
    busy_timeout: Duration,
) -> sqlx::Result<(SqlitePool, SqlitePool)> {
    let file = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(busy_timeout);
    let pool = SqlitePoolOptions::new().acquire_timeout(acquire_timeout);
    let writer = pool.clone().max_connections(1);
    let writer = writer.connect_with(file.clone()).await?;
    sqlx::migrate!().run(&writer).await?;
    let readers = pool.max_connections(4);
    let readers = readers.connect_with(file.read_only(true)).await?;
    Ok((readers, writer))
}
// ANCHOR_END: open

// ANCHOR: find
pub async fn find(
    db: impl SqliteExecutor<'_>,
    id: i64,
) -> sqlx::Result<Option<Parcel>> {
    let sql = "SELECT id, city, status FROM parcel WHERE id = $1";
    query_as(sql).bind(id).fetch_optional(db).await
}
// ANCHOR_END: find

// ANCHOR: record
/// Stores the parcel's new status and the event: both, or neither. Returns the
/// status before, or `None` if there is no such parcel.
pub async fn record(
    writer: &SqlitePool,
    scan: &str,
    id: i64,
    status: &str,
) -> sqlx::Result<Option<String>> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let Some(parcel) = find(&mut *transaction, id).await? else {
        return Ok(None);
    };
    let update = query("UPDATE parcel SET status = $1 WHERE id = $2");
    update.bind(status).bind(id).execute(&mut *transaction).await?;
    let sql = "INSERT INTO event (scan, parcel, status) VALUES ($1, $2, $3)";
    let insert = query(sql).bind(scan).bind(id).bind(status);
    insert.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Some(parcel.status))
}
// ANCHOR_END: record
// ANCHOR_END: keep

// What goes wrong on purpose, and what must come of it.
use std::future::{Future, pending, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use axum::http::StatusCode;
use sqlx::error::DatabaseError;
use sqlx::{Connection, Error, SqliteConnection, query_scalar};
use tokio::spawn;
use tokio::sync::oneshot;

// ANCHOR: handler
/// What your own handler answers when the database fails.
fn to_status(error: &Error) -> StatusCode {
    match error {
        Error::Database(error) if error.is_unique_violation() => {
            StatusCode::CONFLICT
        }
        Error::Database(error) if is_busy(&**error) => {
            StatusCode::SERVICE_UNAVAILABLE // another process writes
        }
        Error::PoolTimedOut => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The low byte is the primary code, and `SQLITE_BUSY` is 5. sqlx returns the
/// extended code, such as 517 for `SQLITE_BUSY_SNAPSHOT`.
fn is_busy(error: &dyn DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}
// ANCHOR_END: handler

/// The status of the parcel, that of its last event, and how many it has.
async fn stored(
    readers: &SqlitePool,
) -> sqlx::Result<(String, Option<String>, i64)> {
    let sql = "SELECT status,
        (SELECT status FROM event ORDER BY rowid DESC LIMIT 1),
        (SELECT count(*) FROM event) FROM parcel";
    query_as(sql).fetch_one(readers).await
}

/// A transaction that does something else between its writes.
async fn slow(
    writer: SqlitePool,
    work: impl Future<Output = ()>,
) -> sqlx::Result<()> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let update = query("UPDATE parcel SET status = 'lost'");
    update.execute(&mut *transaction).await?;
    work.await;
    let insert = query("INSERT INTO event VALUES ('slow', 7, 'lost')");
    insert.execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Polls a future a few times, and drops it.
async fn drop_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("parcels.db");
    // The defaults of sqlx are 30 s and 5 s.
    let in_time = |start: Instant, timeout| {
        let time = start.elapsed();
        assert!(timeout <= time && time < Duration::from_secs(4), "{time:?}");
    };
    // ANCHOR: call
    let acquire_timeout = Duration::from_secs(1);
    let busy_timeout = Duration::from_millis(500);
    let (readers, writer) = open(&path, acquire_timeout, busy_timeout).await?;
    let sql = "INSERT INTO parcel (id, city, status) VALUES ($1, $2, $3)";
    let insert = query(sql).bind(7).bind("Bergen").bind("accepted");
    insert.execute(&writer).await?;
    let before = record(&writer, "scan-1", 7, "in transit").await?;
    let parcel = find(&readers, 7).await?;
    // ANCHOR_END: call
    assert_eq!(before.as_deref(), Some("accepted"));
    println!("found: {parcel:?}");
    let (city, status) = ("Bergen".to_owned(), "in transit".to_owned());
    assert_eq!(parcel, Some(Parcel { id: 7, city, status }));
    let expected = ("in transit".to_owned(), Some("in transit".to_owned()), 1);
    assert_eq!(stored(&readers).await?, expected);

    let unknown = find(&readers, 8).await?;
    println!("not found: {unknown:?}");
    assert_eq!(unknown, None);
    assert_eq!(record(&writer, "scan-2", 8, "delivered").await?, None);

    let error = record(&writer, "scan-1", 7, "delivered").await.unwrap_err();
    println!("error: {}, rolled back", to_status(&error));
    assert_eq!(to_status(&error), StatusCode::CONFLICT);
    assert_eq!(stored(&readers).await?, expected);

    // As a panic, without its message.
    let panics = async { resume_unwind(Box::new("no scanner")) };
    let panicked = spawn(slow(writer.clone(), panics)).await;
    assert!(panicked.unwrap_err().is_panic());
    println!("panic: rolled back");
    assert_eq!(stored(&readers).await?, expected);

    let (reached_tx, reached_rx) = oneshot::channel();
    let work = async {
        reached_tx.send(()).expect("awaited below");
        pending().await
    };
    let task = spawn(slow(writer.clone(), work));
    reached_rx.await?;
    // Meanwhile it has the only writer. A reader does not need that.
    let start = Instant::now();
    let late = record(&writer, "scan-3", 7, "delivered").await;
    let late = late.unwrap_err();
    println!("slow: {late}, {}", to_status(&late));
    assert!(matches!(late, Error::PoolTimedOut));
    in_time(start, acquire_timeout);
    assert_eq!(stored(&readers).await?, expected);
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    println!("cancelled: rolled back");
    assert_eq!(stored(&readers).await?, expected);

    // Whichever await it is dropped in. Afterwards the same scan is recorded
    // again: it is stored now, or it has been.
    for round in 0..30 {
        for polls in 0.. {
            let (scan, status) = (format!("{round}-{polls}"), "at the hub");
            let recording = record(&writer, &scan, 7, status);
            let recorded = drop_after(polls, recording).await;
            let (status, last, _) = stored(&readers).await?;
            assert_eq!(Some(status), last, "dropped after {polls} polls");
            if let Some(recorded) = recorded {
                recorded?;
                break;
            }
            if let Err(error) = record(&writer, &scan, 7, "in transit").await {
                assert_eq!(to_status(&error), StatusCode::CONFLICT);
            }
            let sql = "SELECT count(*) FROM event WHERE scan = $1";
            let count = query_scalar(sql).bind(&scan).fetch_one(&readers);
            let count: i64 = count.await?;
            assert_eq!(count, 1);
        }
    }
    println!("dropped at any await: both or neither, once after a retry");

    // The second waits, and sees what the first has done.
    let writers = ["scan-4", "scan-5"].map(|scan| {
        let writer = writer.clone();
        spawn(async move { record(&writer, scan, 7, scan).await })
    });
    let mut before = Vec::new();
    for task in writers {
        before.extend(task.await??);
    }
    before.sort();
    println!("two writers: one after the other");
    assert_eq!(before[0], "at the hub");
    assert!(before[1].starts_with("scan-"), "{before:?}");

    // A reader sees what was there when it began, and stops no writer.
    let mut reading = readers.begin().await?;
    let first = find(&mut *reading, 7).await?;
    record(&writer, "scan-6", 7, "delivered").await?;
    assert_eq!(find(&mut *reading, 7).await?, first);
    drop(reading);
    let status = find(&readers, 7).await?.map(|parcel| parcel.status);
    println!("long read: the status is {status:?} after it");
    assert_eq!(status.as_deref(), Some("delivered"));

    // Another process holds the file's lock.
    let other = SqliteConnectOptions::new().filename(&path);
    let mut other = SqliteConnection::connect_with(&other).await?;
    let mut writing = other.begin_with("BEGIN IMMEDIATE").await?;
    query("DELETE FROM event").execute(&mut *writing).await?;
    let start = Instant::now();
    let locked = record(&writer, "scan-7", 7, "lost").await.unwrap_err();
    println!("another process: {locked}, {}", to_status(&locked));
    assert_eq!(to_status(&locked), StatusCode::SERVICE_UNAVAILABLE);
    assert!(matches!(locked, Error::Database(_)));
    in_time(start, busy_timeout);
    writing.commit().await?;
    record(&writer, "scan-7", 7, "lost").await?;

    // What another process has read is out of date when it writes.
    let mut reading = other.begin().await?;
    find(&mut *reading, 7).await?;
    record(&writer, "scan-7b", 7, "lost").await?;
    let update = query("UPDATE parcel SET status = 'lost'");
    let stale = update.execute(&mut *reading).await.unwrap_err();
    assert!(stale.to_string().contains("(code: 517)"), "{stale}");
    assert_eq!(to_status(&stale), StatusCode::SERVICE_UNAVAILABLE);
    drop(reading);
    other.close().await?;

    let start = Instant::now();
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(readers.acquire().await?);
    }
    let error = find(&readers, 7).await.unwrap_err();
    println!("five readers: {error}");
    assert!(matches!(error, Error::PoolTimedOut));
    in_time(start, acquire_timeout);
    drop(all);

    let error = record(&readers, "scan-8", 7, "lost").await.unwrap_err();
    println!("wrong pool: {error}, {}", to_status(&error));
    assert_eq!(to_status(&error), StatusCode::INTERNAL_SERVER_ERROR);
    let code = error.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("8"), "it is read-only");

    let sql = "SELECT * FROM pragma_synchronous, pragma_foreign_keys";
    let settings: (i64, i64) = query_as(sql).fetch_one(&writer).await?;
    assert_eq!(settings, (2, 1), "2 is FULL");

    // ANCHOR: close
    readers.close().await;
    writer.close().await;
    // ANCHOR_END: close
    let error = record(&writer, "scan-8", 7, "lost").await.unwrap_err();
    println!("closed: {error}");
    assert!(matches!(error, Error::PoolClosed));
    assert!(!path.with_extension("db-wal").exists());

    let (readers, writer) = open(&path, acquire_timeout, busy_timeout).await?;
    let status = find(&readers, 7).await?.map(|parcel| parcel.status);
    println!("opened again: the status is {status:?}");
    assert_eq!(status.as_deref(), Some("lost"));
    assert!(path.with_extension("db-wal").exists());
    readers.close().await;
    writer.close().await;
    Ok(())
}
// ANCHOR_END: all
