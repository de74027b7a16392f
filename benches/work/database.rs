//! Rows of SQLite and of PostgreSQL, read and inserted.

use std::ffi::{CStr, CString};
use std::future::Future;
use std::hint::black_box;
use std::path::Path;
use std::ptr;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::stream::{self, StreamExt, TryStreamExt};
use libsqlite3_sys as ffi;
use serde_json::json;
use sqlx::postgres::{PgPoolCopyExt, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{
    AssertSqlSafe, Connection, FromRow, PgConnection, PgPool, QueryBuilder,
    SqliteConnection, SqlitePool, query, query_as,
};

use super::piece;

#[derive(FromRow)]
#[expect(dead_code, reason = "they are read as a page reads them")]
struct Member {
    id: i64,
    email: String,
    phone: Option<String>,
}

const ROWS: u64 = 10_000;
/// Finds a row as the page on SQLite does: one row, by a key.
const FIND: &str = "SELECT id, email, phone FROM member WHERE email = $1";

fn email(n: u64) -> String {
    format!("member-{}@example.org", n % ROWS)
}

/// Makes the table that the clients of both sides read, and fills it.
pub async fn fill(url: &str) -> Result<()> {
    let emails: Vec<String> = (0..ROWS).map(email).collect();
    let table = |id: &str| {
        let rest = "email TEXT NOT NULL UNIQUE, phone TEXT";
        AssertSqlSafe(format!("CREATE TABLE member ({id}, {rest})"))
    };
    if url.starts_with("sqlite") {
        let file = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
        let mut db = SqliteConnection::connect_with(&file).await?;
        let table = table("id INTEGER PRIMARY KEY");
        query(table).execute(&mut db).await?;
        let sql = "INSERT INTO member (email) SELECT value FROM json_each($1)";
        query(sql).bind(json!(emails).to_string()).execute(&mut db).await?;
        return Ok(db.close().await?);
    }
    let mut db = PgConnection::connect(url).await?;
    let table = table("id BIGSERIAL PRIMARY KEY");
    query(table).execute(&mut db).await?;
    let sql = "INSERT INTO member (email) SELECT * FROM UNNEST($1::TEXT[])";
    query(sql).bind(emails).execute(&mut db).await?;
    query("ANALYZE member").execute(&mut db).await?;
    Ok(db.close().await?)
}

/// Reads rows by their key, one after the other or ten at once, or inserts
/// 10,000 rows.
pub async fn database(way: &str, what: &str, url: &str) -> Result<(f64, u64)> {
    const READS: u64 = 3_000;
    let at_once = if what == "read-10" { 10 } else { 1 };
    let test = way != "untested";
    let db = &match url.starts_with("sqlite") {
        true => {
            let pool = SqlitePoolOptions::new().test_before_acquire(test);
            let file = SqliteConnectOptions::from_str(url)?;
            Db::Sqlite(pool.max_connections(5).connect_with(file).await?)
        }
        false => {
            let pool = PgPoolOptions::new().test_before_acquire(test);
            Db::Postgres(pool.max_connections(10).connect(url).await?)
        }
    };
    if what == "insert" {
        return inserted(db, way, ROWS).await;
    }
    piece(READS, || async move {
        match (db, way) {
            (_, "alone") => read_alone(url, READS),
            (Db::Sqlite(db), "connection") => read_by_one(db, READS).await,
            (Db::Sqlite(db), _) => read(|n| find(db, n), READS, at_once).await,
            (Db::Postgres(db), _) => {
                let find = |n| async move {
                    let find = query_as(FIND).bind(email(n));
                    let member: Option<Member> =
                        find.fetch_optional(db).await?;
                    Ok(member.map(|member| member.email))
                };
                read(find, READS, at_once).await
            }
        }
    })
    .await
}

async fn find(db: &SqlitePool, n: u64) -> sqlx::Result<Option<String>> {
    let find = query_as(FIND).bind(email(n));
    let member: Option<Member> = find.fetch_optional(db).await?;
    Ok(member.map(|member| member.email))
}

enum Db {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

async fn read<F: Future<Output = sqlx::Result<Option<String>>>>(
    find: impl Fn(u64) -> F,
    count: u64,
    at_once: usize,
) -> Result<Duration> {
    let start = Instant::now();
    let found: Vec<Option<String>> = stream::iter(0..count)
        .map(find)
        .buffered(at_once)
        .try_collect()
        .await?;
    let time = start.elapsed();
    for (n, found) in (0..).zip(found) {
        ensure!(found == Some(email(n)));
    }
    Ok(time)
}

/// Reads by one connection, without the cost of a pool.
async fn read_by_one(db: &SqlitePool, count: u64) -> Result<Duration> {
    let mut connection = db.acquire().await?;
    let start = Instant::now();
    for n in 0..count {
        let find = query_as(FIND).bind(email(n));
        let member: Member = find.fetch_one(&mut *connection).await?;
        ensure!(member.email == email(n));
    }
    Ok(start.elapsed())
}

/// Reads by SQLite's own functions in this thread, without a task, a channel
/// or a pool.
fn read_alone(url: &str, count: u64) -> Result<Duration> {
    let path = url.strip_prefix("sqlite://").context("no sqlite://")?;
    let path = CString::new(path)?;
    let find = CString::new(FIND)?;
    let (mut db, mut statement) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the strings end with a zero. SQLite sets both pointers, which are
    // used only before the calls at the end that make them invalid.
    unsafe {
        ensure!(ffi::sqlite3_open(path.as_ptr(), &mut db) == ffi::SQLITE_OK);
        let (sql, end) = (find.as_ptr(), ptr::null_mut());
        let made = ffi::sqlite3_prepare_v2(db, sql, -1, &mut statement, end);
        ensure!(made == ffi::SQLITE_OK);
    }
    let start = Instant::now();
    for n in 0..count {
        let key = email(n);
        let length = key.len() as i32;
        let copy = ffi::SQLITE_TRANSIENT();
        // SAFETY: `key` has that length, and SQLite copies it. The text of a
        // column is valid until the statement is reset.
        let member = unsafe {
            let key = key.as_ptr().cast();
            let bound = ffi::sqlite3_bind_text(statement, 1, key, length, copy);
            ensure!(bound == ffi::SQLITE_OK);
            ensure!(ffi::sqlite3_step(statement) == ffi::SQLITE_ROW);
            let text = |column| {
                let text = ffi::sqlite3_column_text(statement, column);
                (!text.is_null()).then(|| {
                    let text = CStr::from_ptr(text.cast());
                    text.to_string_lossy().into_owned()
                })
            };
            let member = Member {
                id: ffi::sqlite3_column_int64(statement, 0),
                email: text(1).context("no email")?,
                phone: text(2),
            };
            ensure!(ffi::sqlite3_reset(statement) == ffi::SQLITE_OK);
            black_box(member)
        };
        ensure!(member.email == key);
    }
    let time = start.elapsed();
    // SAFETY: nothing uses the pointers after these calls.
    unsafe {
        ensure!(ffi::sqlite3_finalize(statement) == ffi::SQLITE_OK);
        ensure!(ffi::sqlite3_close(db) == ffi::SQLITE_OK);
    }
    Ok(time)
}

/// Inserts rows into a table of a server, again and again.
pub async fn rows_postgres(
    way: &str,
    size: u64,
    url: &str,
) -> Result<(f64, u64)> {
    let db = PgPoolOptions::new().max_connections(1).connect(url).await?;
    query("TRUNCATE member").execute(&db).await?;
    inserted(&Db::Postgres(db), way, size).await
}

/// Inserts rows into a table of a file, again and again.
pub async fn rows_sqlite(
    way: &str,
    size: u64,
    folder: &str,
) -> Result<(f64, u64)> {
    let file = Path::new(folder).join("library.db");
    let file =
        SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let db = SqlitePoolOptions::new().max_connections(1);
    let db = db.connect_with(file).await?;
    query(
        "CREATE TABLE IF NOT EXISTS member (
            id INTEGER PRIMARY KEY,
            email TEXT NOT NULL UNIQUE
        )",
    )
    .execute(&db)
    .await?;
    inserted(&Db::Sqlite(db), way, size).await
}

async fn inserted(db: &Db, way: &str, size: u64) -> Result<(f64, u64)> {
    const DELETE: &str = "DELETE FROM member WHERE email LIKE 'new-%'";
    static NEXT: AtomicU64 = AtomicU64::new(0);
    piece(size, || async move {
        let first = NEXT.fetch_add(size, Relaxed);
        let rows = first..first + size;
        let rows: Vec<String> =
            rows.map(|n| format!("new-{n}@example.org")).collect();
        let start = Instant::now();
        match db {
            Db::Sqlite(db) => insert_sqlite(db, way, &rows).await?,
            Db::Postgres(db) => insert_postgres(db, way, &rows).await?,
        }
        let time = start.elapsed();
        let deleted = match db {
            Db::Sqlite(db) => query(DELETE).execute(db).await?.rows_affected(),
            Db::Postgres(db) => {
                query(DELETE).execute(db).await?.rows_affected()
            }
        };
        ensure!(deleted == size);
        Ok(time)
    })
    .await
}

const ONE: &str = "INSERT INTO member (email) VALUES ($1)";

/// The ways that both databases have: a statement for each row, alone or in one
/// transaction, and statements of up to a thousand rows.
macro_rules! insert {
    ($db:ident, $way:ident, $emails:ident, $($other:tt)*) => {
        match $way {
            "alone" => {
                for email in $emails {
                    query(ONE).bind(email).execute($db).await?;
                }
            }
            "one_by_one" => {
                let mut tx = $db.begin().await?;
                for email in $emails {
                    query(ONE).bind(email).execute(&mut *tx).await?;
                }
                tx.commit().await?;
            }
            "values" => {
                // Of a thousand, one statement needs no transaction around it.
                let all = $emails.len() <= 1_000;
                let mut tx = if all { None } else { Some($db.begin().await?) };
                for some in $emails.chunks(1_000) {
                    let mut sql =
                        QueryBuilder::new("INSERT INTO member (email) ");
                    sql.push_values(some, |mut row, email| {
                        row.push_bind(email);
                    });
                    match &mut tx {
                        Some(tx) => sql.build().execute(&mut **tx).await?,
                        None => sql.build().execute($db).await?,
                    };
                }
                if let Some(tx) = tx {
                    tx.commit().await?;
                }
            }
            $($other)*
            _ => bail!("no way {}", $way),
        }
    };
}

async fn insert_sqlite(
    db: &SqlitePool,
    way: &str,
    emails: &[String],
) -> Result<()> {
    insert!(db, way, emails, "json" => {
        let sql = "INSERT INTO member (email)
            SELECT value FROM json_each($1)";
        let emails = serde_json::to_string(emails)?;
        query(sql).bind(emails).execute(db).await?;
    });
    Ok(())
}

async fn insert_postgres(
    db: &PgPool,
    way: &str,
    emails: &[String],
) -> Result<()> {
    insert!(db, way, emails, "unnest" => {
        let sql =
            "INSERT INTO member (email) SELECT * FROM UNNEST($1::TEXT[])";
        query(sql).bind(emails).execute(db).await?;
    }
    "copy" => {
        let mut rows = String::new();
        for email in emails {
            ensure!(!email.contains(['\\', '\t', '\n', '\r']));
            rows.push_str(email);
            rows.push('\n');
        }
        let mut copy = db.copy_in_raw("COPY member (email) FROM STDIN").await?;
        copy.send(rows.as_bytes()).await?;
        copy.finish().await?;
    });
    Ok(())
}
