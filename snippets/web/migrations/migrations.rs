// ANCHOR: all
// ANCHOR: keep
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection, query, query_as};

// ANCHOR: files
/// The files of `migrations/`, as they were when the program was compiled.
static MIGRATIONS: Migrator = sqlx::migrate!();
// ANCHOR_END: files

#[derive(Debug, PartialEq)]
pub struct Parcel {
    pub city: String,
    pub status: String,
    pub grams: Option<i64>,
}

// ANCHOR: migrate
/// Applies the migrations that are missing: all of them, or none.
pub async fn migrate(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run(&mut *transaction).await?;
    transaction.commit().await
}
// ANCHOR_END: migrate

// ANCHOR: accept
pub async fn accept(
    conn: &mut SqliteConnection,
    id: i64,
    city: &str,
) -> sqlx::Result<()> {
    query!("INSERT INTO parcel (id, city) VALUES (?, ?)", id, city)
        .execute(conn)
        .await?;
    Ok(())
}
// ANCHOR_END: accept

// ANCHOR: find
pub async fn find(
    conn: &mut SqliteConnection,
    id: i64,
) -> sqlx::Result<Option<Parcel>> {
    query_as!(Parcel, "SELECT city, status, grams FROM parcel WHERE id = ?", id)
        .fetch_optional(conn)
        .await
}
// ANCHOR_END: find
// ANCHOR_END: keep

// What goes wrong on purpose, and what must come of it.
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use sqlx::{Error, Executor, query_scalar};
use tokio::join;

async fn open(path: &Path) -> sqlx::Result<SqliteConnection> {
    let file = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(20));
    SqliteConnection::connect_with(&file).await
}

async fn memory() -> sqlx::Result<SqliteConnection> {
    SqliteConnection::connect("sqlite::memory:").await
}

async fn applied(conn: &mut SqliteConnection) -> sqlx::Result<Vec<i64>> {
    let sql = "SELECT version FROM _sqlx_migrations ORDER BY version";
    query_scalar(sql).fetch_all(conn).await
}

/// The tables, and the indexes that have a name.
async fn names(conn: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE sql NOT NULL ORDER BY 1";
    query_scalar(sql).fetch_all(conn).await
}

// ANCHOR: broken
async fn unlocked(conn: &mut SqliteConnection) -> sqlx::Result<()> {
    MIGRATIONS.run(conn).await?;
    Ok(())
}
// ANCHOR_END: broken

fn of_migration(error: Error) -> MigrateError {
    match error {
        Error::Migrate(error) => *error,
        error => panic!("{error}"),
    }
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
    // ANCHOR: call
    let mut conn = open(&path).await?;
    migrate(&mut conn).await?;
    accept(&mut conn, 7, "Bergen").await?;
    let parcel = find(&mut conn, 7).await?;
    // ANCHOR_END: call
    println!("first start: {:?}", applied(&mut conn).await?);
    assert_eq!(applied(&mut conn).await?, [1, 2]);
    println!("found: {parcel:?}");
    let (city, status) = ("Bergen".to_owned(), "accepted".to_owned());
    assert_eq!(parcel, Some(Parcel { city, status, grams: None }));
    assert_eq!(find(&mut conn, 8).await?, None);
    // It compiles, though `id` is a number: SQLite does not say so.
    let text = query!("SELECT city FROM parcel WHERE id = ?", "seven");
    assert!(text.fetch_optional(&mut conn).await?.is_none());

    migrate(&mut conn).await?;
    println!("next start: {:?}", applied(&mut conn).await?);
    assert_eq!(applied(&mut conn).await?, [1, 2]);

    // A connection of a pool.
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    let mut pooled = pool.acquire().await?;
    migrate(&mut pooled).await?;
    assert_eq!(applied(&mut pooled).await?, [1, 2]);

    // The second statement of the second file fails.
    let mut other = memory().await?;
    other.execute("CREATE TABLE parcel_city (id)").await?;
    let error = of_migration(migrate(&mut other).await.unwrap_err());
    println!("a file fails: {error}");
    assert!(matches!(error, MigrateError::ExecuteMigration(_, 2)));
    println!("a file fails: there is {:?}", names(&mut other).await?);
    assert_eq!(names(&mut other).await?, ["parcel_city"]);
    // Without the transaction, the first file is kept.
    unlocked(&mut other).await.expect_err("it fails again");
    assert_eq!(applied(&mut other).await?, [1]);
    let sql = "SELECT count(*) FROM pragma_table_info('parcel')";
    let columns: i64 = query_scalar(sql).fetch_one(&mut other).await?;
    assert_eq!(columns, 3, "the second file added one");

    // As if the file had been edited, and as if a newer program had been here.
    let newer = "INSERT INTO _sqlx_migrations
        (version, description, success, checksum, execution_time)
        VALUES (3, 'newer', true, x'', 0)";
    let edited = "UPDATE _sqlx_migrations SET checksum = x''";
    for (case, sql) in [("edited", edited), ("newer", newer)] {
        let mut other = memory().await?;
        migrate(&mut other).await?;
        other.execute(sql).await?;
        let error = of_migration(migrate(&mut other).await.unwrap_err());
        println!("{case}: {error}");
        assert!(match error {
            MigrateError::VersionMismatch(1) => case == "edited",
            MigrateError::VersionMissing(3) => case == "newer",
            _ => false,
        });
    }

    for polls in 0.. {
        let mut other = memory().await?;
        let ended = drop_after(polls, migrate(&mut other)).await;
        let names = names(&mut other).await?;
        assert!([0, 3].contains(&names.len()), "{names:?}");
        migrate(&mut other).await?;
        assert_eq!(applied(&mut other).await?, [1, 2]);
        if ended.is_some() {
            break;
        }
    }
    println!("cancelled: all or none, and the next start applies the rest");

    // Two instances with a new migration start at the same time.
    let mut failed = 0;
    for round in 0..1_000 {
        let path = folder.path().join(format!("{round}.db"));
        let (mut one, mut two) = (open(&path).await?, open(&path).await?);
        MIGRATIONS.run_to(1, &mut one).await?;
        let (first, second) = join!(migrate(&mut one), migrate(&mut two));
        first.and(second)?;
        assert_eq!(applied(&mut one).await?, [1, 2]);

        let path = folder.path().join(format!("{round}-broken.db"));
        let (mut one, mut two) = (open(&path).await?, open(&path).await?);
        MIGRATIONS.run_to(1, &mut one).await?;
        let (first, second) = join!(unlocked(&mut one), unlocked(&mut two));
        failed += u32::from(first.and(second).is_err());
        if failed > 0 && round >= 20 {
            break;
        }
    }
    println!("two instances: both start");
    println!("two instances, without the transaction: one may fail");
    assert!(failed > 0);
    Ok(())
}
// ANCHOR_END: all
