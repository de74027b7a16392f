//! `find`, measured against other ways to read rows, and ways to insert rows.

use std::ffi::{CStr, CString};
use std::future::Future;
use std::ptr;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::stream::{self, StreamExt, TryStreamExt};
use libsqlite3_sys as ffi;
use serde_json::json;
use sqlx::postgres::{PgPoolCopyExt, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{
    AssertSqlSafe, Connection, PgPool, QueryBuilder, SqliteConnection,
    SqlitePool, query, query_as,
};

use super::{Member, find};

const ROWS: u64 = 10_000;
/// The statement in the page's `find`, for the ways that cannot call it.
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
    let mut db = sqlx::PgConnection::connect(url).await?;
    let table = table("id BIGSERIAL PRIMARY KEY");
    query(table).execute(&mut db).await?;
    let sql = "INSERT INTO member (email) SELECT * FROM UNNEST($1::TEXT[])";
    query(sql).bind(emails).execute(&mut db).await?;
    query("ANALYZE member").execute(&mut db).await?;
    Ok(db.close().await?)
}

/// Reads rows, or inserts them. Returns the seconds, and how many rows.
pub async fn database(
    case: &str,
    way: &str,
    what: &str,
    url: &str,
) -> Result<(f64, u64)> {
    let at_once = if what == "read-10" { 10 } else { 1 };
    let reads = if what == "read-10" { 6_000 } else { 3_000 };
    let rounds = 5;
    if way == "alone" {
        read_sqlite_alone(url, reads / 10)?;
        return Ok((read_sqlite_alone(url, reads)?.as_secs_f64(), reads));
    }
    if case == "sqlite" {
        let file = SqliteConnectOptions::from_str(url)?;
        let db = SqlitePoolOptions::new()
            .max_connections(5)
            .test_before_acquire(way != "untested")
            .connect_with(file)
            .await?;
        let find_one = |n| {
            let db = db.clone();
            async move { find(&db, &email(n)).await }
        };
        if what == "insert" {
            insert_sqlite(&db, way, 1).await?;
            let time = insert_sqlite(&db, way, rounds).await?;
            return Ok((time.as_secs_f64(), rounds * ROWS));
        }
        if way == "connection" {
            let mut connection = db.acquire().await?;
            read_by_one(&mut connection, reads / 10).await?;
            let time = read_by_one(&mut connection, reads).await?;
            return Ok((time.as_secs_f64(), reads));
        }
        read(&find_one, reads / 10, at_once).await?;
        let time = read(&find_one, reads, at_once).await?;
        return Ok((time.as_secs_f64(), reads));
    }
    let db = PgPoolOptions::new()
        .max_connections(10)
        .test_before_acquire(way != "untested")
        .connect(url)
        .await?;
    let find_one = |n| {
        let db = db.clone();
        let find = query_as(FIND).bind(email(n));
        async move { find.fetch_optional(&db).await }
    };
    if what == "insert" {
        insert_postgres(&db, way, 1).await?;
        let time = insert_postgres(&db, way, rounds).await?;
        return Ok((time.as_secs_f64(), rounds * ROWS));
    }
    read(&find_one, reads / 10, at_once).await?;
    let time = read(&find_one, reads, at_once).await?;
    Ok((time.as_secs_f64(), reads))
}

async fn read<F: Future<Output = sqlx::Result<Option<Member>>>>(
    find_one: impl Fn(u64) -> F,
    count: u64,
    at_once: usize,
) -> Result<Duration> {
    let start = Instant::now();
    let found: Vec<Option<Member>> = stream::iter(0..count)
        .map(find_one)
        .buffered(at_once)
        .try_collect()
        .await?;
    let time = start.elapsed();
    expect_members(found)?;
    Ok(time)
}

/// Reads by one connection, without the cost of a pool.
async fn read_by_one(
    connection: &mut SqliteConnection,
    count: u64,
) -> Result<Duration> {
    let start = Instant::now();
    let mut found: Vec<Option<Member>> = Vec::new();
    for n in 0..count {
        let find = query_as(FIND).bind(email(n));
        found.push(find.fetch_optional(&mut *connection).await?);
    }
    let time = start.elapsed();
    expect_members(found)?;
    Ok(time)
}

fn expect_members(found: Vec<Option<Member>>) -> Result<()> {
    for (n, member) in (0..).zip(found) {
        ensure!(member.context("no member")?.email == email(n));
    }
    Ok(())
}

/// Reads by SQLite's own functions in this thread, without a task, a channel
/// or a pool.
fn read_sqlite_alone(url: &str, count: u64) -> Result<Duration> {
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
            member
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

const DELETE: &str = "DELETE FROM member WHERE email LIKE 'new-%'";

fn new_emails() -> Vec<String> {
    (0..ROWS).map(|n| format!("new-{n}@example.org")).collect()
}

async fn insert_sqlite(
    db: &SqlitePool,
    way: &str,
    rounds: u64,
) -> Result<Duration> {
    let mut time = Duration::ZERO;
    for _ in 0..rounds {
        let emails = new_emails();
        let start = Instant::now();
        let mut tx = db.begin().await?;
        match way {
            "one_by_one" => {
                for email in &emails {
                    query("INSERT INTO member (email) VALUES ($1)")
                        .bind(email)
                        .execute(&mut *tx)
                        .await?;
                }
            }
            "values" => {
                for some in emails.chunks(1_000) {
                    let mut sql =
                        QueryBuilder::new("INSERT INTO member (email) ");
                    sql.push_values(some, |mut row, email| {
                        row.push_bind(email);
                    });
                    sql.build().execute(&mut *tx).await?;
                }
            }
            "json" => {
                query(
                    "INSERT INTO member (email)
                    SELECT value FROM json_each($1)",
                )
                .bind(serde_json::to_string(&emails)?)
                .execute(&mut *tx)
                .await?;
            }
            _ => bail!("no way {way}"),
        }
        tx.commit().await?;
        time += start.elapsed();
        let deleted = query(DELETE).execute(db).await?;
        ensure!(deleted.rows_affected() == ROWS);
    }
    Ok(time)
}

async fn insert_postgres(
    db: &PgPool,
    way: &str,
    rounds: u64,
) -> Result<Duration> {
    let mut time = Duration::ZERO;
    for _ in 0..rounds {
        let emails = new_emails();
        let start = Instant::now();
        if way == "copy" {
            let mut rows = String::new();
            for email in &emails {
                ensure!(!email.contains(['\\', '\t', '\n', '\r']));
                rows.push_str(email);
                rows.push('\n');
            }
            let sql = "COPY member (email) FROM STDIN";
            let mut copy = db.copy_in_raw(sql).await?;
            copy.send(rows.as_bytes()).await?;
            ensure!(copy.finish().await? == ROWS);
        } else {
            let sql =
                "INSERT INTO member (email) SELECT * FROM UNNEST($1::TEXT[])";
            query(sql).bind(&emails).execute(db).await?;
        }
        time += start.elapsed();
        let deleted = query(DELETE).execute(db).await?;
        ensure!(deleted.rows_affected() == ROWS);
    }
    Ok(time)
}
