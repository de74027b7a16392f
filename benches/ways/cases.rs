//! One round of a way, in a process of its own. It runs in a task, as the
//! handler of a request does. It warms up, measures itself, and asserts its
//! result.

use std::fs;
use std::future::Future;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed, Release},
};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures::future::join_all;
use futures::stream::{self, FuturesOrdered, FuturesUnordered, StreamExt};
use harness::once::{Known, Once, cells, flights, memo, number, unknown};
use harness::queue::queue;
use harness::runtime;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{PgPool, QueryBuilder, SqlitePool, query};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking, yield_now};

use threads::measured::{computing_many, computing_one, fingerprint};

#[expect(dead_code, reason = "the page's own `main` does not run")]
mod threads {
    include!("../../snippets/advanced-patterns/threads/threads.rs");
    pub mod measured;
}

/// What one round of a way has cost. A child process prints it as one line of
/// JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cost {
    pub seconds: f64,
    /// How many units of work were done.
    pub work: u64,
}

/// Runs one round of a way. The words behind `--child` are the runtime's
/// threads, the case, the way, the size, and an argument, which may be empty.
pub fn child(words: &[String]) -> Result<()> {
    let [threads, case, way, size, argument] = words else {
        bail!("--child THREADS CASE WAY SIZE ARGUMENT");
    };
    let measured =
        measure(case.clone(), way.clone(), size.parse()?, argument.clone());
    let runtime = runtime(threads)?;
    let measured = runtime.spawn(measured);
    let cost = runtime.block_on(measured)??;
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

async fn measure(
    case: String,
    way: String,
    size: u64,
    argument: String,
) -> Result<Cost> {
    let way = way.as_str();
    match case.as_str() {
        "many" => piece(size, || many(way, size, wait_once)).await,
        "many-computing" => piece(size, || many(way, size, computed)).await,
        "queue-in" => piece(ITEMS, || queue(way, size, 1, ITEMS)).await,
        "queue-shared" => piece(ITEMS, || queue(way, size, size, ITEMS)).await,
        "news-every" => piece(size * VALUES, || every(way, size)).await,
        "news-latest" => piece(ROUND_TRIPS, || latest(way, size)).await,
        "locks" => piece(TURNS, || locks(way, size)).await,
        "once" => piece(size, || unknown(way, size)).await,
        "once-known" => once_known(way, size).await,
        "computing-one" => computing_one(way, size).await,
        "computing-many" => computing_many(way, size).await,
        "files-read" => files_read(way, size, &argument).await,
        "files-written" => files_written(way, size, &argument).await,
        "rows-postgres" => rows_postgres(way, size, &argument).await,
        "rows-sqlite" => rows_sqlite(way, size, &argument).await,
        _ => bail!("there is no case {case}"),
    }
}

/// Repeats a piece of work, first to warm up and then for 200 ms, and adds up
/// the times that it returns.
pub async fn piece<F: Future<Output = Result<Duration>>>(
    work: u64,
    mut once: impl FnMut() -> F,
) -> Result<Cost> {
    const WARM: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_millis(200);
    let (start, mut time, mut rounds) = (Instant::now(), Duration::ZERO, 0);
    while start.elapsed() < WARM {
        time += once().await?;
        rounds += 1;
    }
    let each = time / rounds;
    let rounds = LONG.as_nanos().div_ceil(each.as_nanos()) as u64;
    time = Duration::ZERO;
    for _ in 0..rounds {
        time += once().await?;
    }
    Ok(Cost { seconds: time.as_secs_f64(), work: rounds * work })
}

async fn wait_once(n: u64) -> u64 {
    yield_now().await;
    black_box(n) + 1
}

async fn computed(n: u64) -> u64 {
    black_box(fingerprint(black_box(n), black_box(10_000)));
    n + 1
}

/// Runs `size` futures at once.
async fn many<F>(way: &str, size: u64, step: fn(u64) -> F) -> Result<Duration>
where
    F: Future<Output = u64> + Send + 'static,
{
    let start = Instant::now();
    let mut sum = 0;
    match way {
        "join_all" => {
            sum = join_all((0..size).map(step)).await.into_iter().sum();
        }
        "unordered" => {
            let mut steps: FuturesUnordered<_> = (0..size).map(step).collect();
            while let Some(n) = steps.next().await {
                sum += n;
            }
        }
        "ordered" => {
            let mut steps: FuturesOrdered<_> = (0..size).map(step).collect();
            while let Some(n) = steps.next().await {
                sum += n;
            }
        }
        "buffered" => {
            let mut steps = stream::iter(0..size).map(step).buffered(100);
            while let Some(n) = steps.next().await {
                sum += n;
            }
        }
        "buffer_unordered" => {
            let mut steps =
                stream::iter(0..size).map(step).buffer_unordered(100);
            while let Some(n) = steps.next().await {
                sum += n;
            }
        }
        "join_set" => {
            let mut tasks: JoinSet<_> = (0..size).map(step).collect();
            while let Some(n) = tasks.join_next().await {
                sum += n?;
            }
        }
        _ => bail!("no way {way}"),
    }
    let time = start.elapsed();
    ensure!(sum == size * (size + 1) / 2);
    Ok(time)
}

const ITEMS: u64 = 100_000;

const VALUES: u64 = 1_000;

/// Every consumer receives every value. There is room for all values, so that
/// broadcast drops none and mpsc never waits.
async fn every(way: &str, size: u64) -> Result<Duration> {
    const ROOM: usize = 1_024;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    match way {
        "broadcast" => {
            let (sender, _) = broadcast::channel(ROOM);
            for _ in 0..size {
                let mut receiver = sender.subscribe();
                tasks.spawn(async move {
                    let mut sum = 0;
                    while let Ok(number) = receiver.recv().await {
                        sum += number;
                    }
                    sum
                });
            }
            for number in 0..VALUES {
                sender.send(number)?;
            }
        }
        "mpsc" => {
            let mut senders = Vec::new();
            for _ in 0..size {
                let (sender, mut receiver) = mpsc::channel(ROOM);
                senders.push(sender);
                tasks.spawn(async move {
                    let mut sum = 0;
                    while let Some(number) = receiver.recv().await {
                        sum += number;
                    }
                    sum
                });
            }
            for number in 0..VALUES {
                for sender in &senders {
                    sender.send(number).await?;
                }
            }
        }
        _ => bail!("no way {way}"),
    }
    let sums = tasks.join_all().await;
    let time = start.elapsed();
    ensure!(sums == vec![VALUES * (VALUES - 1) / 2; size as usize]);
    Ok(time)
}

const ROUND_TRIPS: u64 = 20_000;

/// Counts the consumers that have seen a value, and wakes the producer when
/// all have.
struct Seen {
    count: AtomicU64,
    of: u64,
    all: Notify,
}

impl Seen {
    fn one(&self) {
        if self.count.fetch_add(1, AcqRel) + 1 == self.of {
            self.count.store(0, Release);
            self.all.notify_one();
        }
    }
}

/// Every consumer has seen a value before the next one is sent.
async fn latest(way: &str, size: u64) -> Result<Duration> {
    let values = ROUND_TRIPS / size;
    let seen = Arc::new(Seen { count: 0.into(), of: size, all: Notify::new() });
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    match way {
        "watch" => {
            let (sender, _) = watch::channel(0);
            for _ in 0..size {
                let (seen, mut receiver) =
                    (Arc::clone(&seen), sender.subscribe());
                tasks.spawn(async move {
                    let mut sum = 0;
                    while receiver.changed().await.is_ok() {
                        sum += *receiver.borrow_and_update();
                        seen.one();
                    }
                    sum
                });
            }
            for number in 0..values {
                sender.send(number)?;
                seen.all.notified().await;
            }
        }
        "broadcast" => {
            let (sender, _) = broadcast::channel(1);
            for _ in 0..size {
                let (seen, mut receiver) =
                    (Arc::clone(&seen), sender.subscribe());
                tasks.spawn(async move {
                    let mut sum = 0;
                    while let Ok(number) = receiver.recv().await {
                        sum += number;
                        seen.one();
                    }
                    sum
                });
            }
            for number in 0..values {
                sender.send(number)?;
                seen.all.notified().await;
            }
        }
        "mpsc" => {
            let mut senders = Vec::new();
            for _ in 0..size {
                let (sender, mut receiver) = mpsc::channel(1);
                senders.push(sender);
                let seen = Arc::clone(&seen);
                tasks.spawn(async move {
                    let mut sum = 0;
                    while let Some(number) = receiver.recv().await {
                        sum += number;
                        seen.one();
                    }
                    sum
                });
            }
            for number in 0..values {
                for sender in &senders {
                    sender.send(number).await?;
                }
                seen.all.notified().await;
            }
        }
        _ => bail!("no way {way}"),
    }
    let sums = tasks.join_all().await;
    let time = start.elapsed();
    ensure!(sums == vec![values * (values - 1) / 2; size as usize]);
    Ok(time)
}

const TURNS: u64 = 500_000;

/// Tasks take a lock in turns. After each hundred turns, a task lets the other
/// tasks run.
async fn locks(way: &str, size: u64) -> Result<Duration> {
    async fn turns<F: Future<Output = ()>>(size: u64, turn: impl Fn() -> F) {
        for n in 1..=TURNS / size {
            turn().await;
            if n.is_multiple_of(100) {
                yield_now().await;
            }
        }
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    let sum = match way {
        "std" => {
            let sum = Arc::new(Mutex::new(0));
            for _ in 0..size {
                let sum = Arc::clone(&sum);
                tasks.spawn(async move {
                    let turn = || async {
                        *sum.lock().expect("never poisoned") += 1;
                    };
                    turns(size, turn).await;
                });
            }
            tasks.join_all().await;
            *sum.lock().expect("never poisoned")
        }
        "parking_lot" => {
            let sum = Arc::new(parking_lot::Mutex::new(0));
            for _ in 0..size {
                let sum = Arc::clone(&sum);
                tasks.spawn(async move {
                    turns(size, || async { *sum.lock() += 1 }).await;
                });
            }
            tasks.join_all().await;
            *sum.lock()
        }
        "tokio" => {
            let sum = Arc::new(tokio::sync::Mutex::new(0));
            for _ in 0..size {
                let sum = Arc::clone(&sum);
                tasks.spawn(async move {
                    turns(size, || async { *sum.lock().await += 1 }).await;
                });
            }
            tasks.join_all().await;
            *sum.lock().await
        }
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(sum == TURNS);
    Ok(time)
}

const HITS: u64 = 200_000;

async fn once_known(way: &str, keys: u64) -> Result<Cost> {
    let capacity = 4 * keys as usize;
    match way {
        "flights" => hits(flights(number, capacity), keys).await,
        "moka" => hits(memo(number, capacity), keys).await,
        "cells" => hits(cells(number), keys).await,
        _ => bail!("no way {way}"),
    }
}

async fn hits(way: impl Once, keys: u64) -> Result<Cost> {
    let known = Known::new(way, keys).await?;
    piece(HITS, || known.round(HITS)).await
}

/// A line of 100 bytes, which ends with a newline.
fn order(n: u64) -> String {
    format!("{n:08};{:90}\n", "lamp")
}

fn sum(text: &str) -> u64 {
    text.lines().map(id).sum()
}

fn id(order: &str) -> u64 {
    order.split(';').next().and_then(|n| n.parse().ok()).expect("an order")
}

async fn files_read(way: &str, count: u64, folder: &str) -> Result<Cost> {
    let file = &Path::new(folder).join("orders");
    let orders: String = (0..count).map(order).collect();
    fs::write(file, orders)?;
    piece(count, || async move {
        let start = Instant::now();
        let own = file.clone();
        let total = match way {
            "whole_in_thread" => {
                let read = move || fs::read_to_string(own);
                Ok(sum(&spawn_blocking(read).await??))
            }
            "lines_8_in_thread" | "lines_256_in_thread" => {
                let room = if way == "lines_8_in_thread" { 8 } else { 256 };
                spawn_blocking(move || {
                    let input = fs::File::open(own)?;
                    let mut input = BufReader::with_capacity(room << 10, input);
                    let (mut order, mut total) = (String::new(), 0);
                    while input.read_line(&mut order)? > 0 {
                        total += id(&order);
                        order.clear();
                    }
                    Ok(total)
                })
                .await?
            }
            "whole" => Ok(sum(&tokio::fs::read_to_string(file).await?)),
            "lines_8" | "lines_256" => {
                let room = if way == "lines_8" { 8 } else { 256 };
                let input = tokio::fs::File::open(file).await?;
                let input =
                    tokio::io::BufReader::with_capacity(room << 10, input);
                let (mut lines, mut total) = (input.lines(), 0);
                while let Some(order) = lines.next_line().await? {
                    total += id(&order);
                }
                Ok(total)
            }
            "in_place" => Ok(sum(&fs::read_to_string(file)?)),
            _ => bail!("no way {way}"),
        };
        let time = start.elapsed();
        let total: io::Result<u64> = total;
        ensure!(total? == count * (count - 1) / 2);
        Ok(time)
    })
    .await
}

async fn files_written(way: &str, count: u64, folder: &str) -> Result<Cost> {
    let file = &Path::new(folder).join("orders");
    let orders: Arc<[String]> = (0..count).map(order).collect();
    let expected = &orders.concat();
    let orders = &orders;
    piece(count, || async move {
        let (own, lines) = (file.clone(), Arc::clone(orders));
        let start = Instant::now();
        match way {
            "whole_in_thread" => {
                let write = move || fs::write(own, lines.concat());
                spawn_blocking(write).await??;
            }
            "lines_8_in_thread" | "lines_256_in_thread" => {
                let room = if way == "lines_8_in_thread" { 8 } else { 256 };
                spawn_blocking(move || {
                    let output = fs::File::create(own)?;
                    let mut output =
                        BufWriter::with_capacity(room << 10, output);
                    for line in &*lines {
                        output.write_all(line.as_bytes())?;
                    }
                    output.flush()
                })
                .await??;
            }
            "whole" => tokio::fs::write(file, lines.concat()).await?,
            "lines_8" | "lines_256" => {
                let room = if way == "lines_8" { 8 } else { 256 };
                let output = tokio::fs::File::create(file).await?;
                let mut output =
                    tokio::io::BufWriter::with_capacity(room << 10, output);
                for line in &*lines {
                    output.write_all(line.as_bytes()).await?;
                }
                output.flush().await?;
            }
            "lines" => {
                let mut output = tokio::fs::File::create(file).await?;
                for line in &*lines {
                    output.write_all(line.as_bytes()).await?;
                }
                output.flush().await?;
            }
            _ => bail!("no way {way}"),
        }
        let time = start.elapsed();
        ensure!(fs::read_to_string(file)? == *expected);
        Ok(time)
    })
    .await
}

const ONE: &str = "INSERT INTO member (email) VALUES ($1)";

/// Addresses that no other call has returned.
fn emails(size: u64) -> Vec<String> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let first = NEXT.fetch_add(size, Relaxed);
    (first..first + size).map(|n| format!("member-{n}@example.org")).collect()
}

async fn rows_postgres(way: &str, size: u64, url: &str) -> Result<Cost> {
    let db = PgPoolOptions::new().max_connections(1).connect(url).await?;
    query(
        "CREATE TABLE IF NOT EXISTS member (
            id BIGSERIAL PRIMARY KEY,
            email TEXT NOT NULL UNIQUE
        )",
    )
    .execute(&db)
    .await?;
    query("TRUNCATE member").execute(&db).await?;
    let db = &db;
    piece(size, || async move {
        let emails = emails(size);
        let start = Instant::now();
        insert_postgres(db, way, &emails).await?;
        let time = start.elapsed();
        let deleted = query("DELETE FROM member").execute(db).await?;
        ensure!(deleted.rows_affected() == size);
        Ok(time)
    })
    .await
}

async fn insert_postgres(
    db: &PgPool,
    way: &str,
    emails: &[String],
) -> Result<()> {
    match way {
        "alone" => {
            for email in emails {
                query(ONE).bind(email).execute(db).await?;
            }
        }
        "one_by_one" => {
            let mut tx = db.begin().await?;
            for email in emails {
                query(ONE).bind(email).execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
        "values" => {
            let mut sql = QueryBuilder::new("INSERT INTO member (email) ");
            sql.push_values(emails, |mut row, email| {
                row.push_bind(email);
            });
            sql.build().execute(db).await?;
        }
        "unnest" => {
            let sql =
                "INSERT INTO member (email) SELECT * FROM UNNEST($1::TEXT[])";
            query(sql).bind(emails).execute(db).await?;
        }
        "copy" => {
            let mut connection = db.acquire().await?;
            let sql = "COPY member (email) FROM STDIN";
            let mut rows = connection.copy_in_raw(sql).await?;
            rows.send(emails.join("\n").as_bytes()).await?;
            rows.finish().await?;
        }
        _ => bail!("no way {way}"),
    }
    Ok(())
}

async fn rows_sqlite(way: &str, size: u64, folder: &str) -> Result<Cost> {
    let file = Path::new(folder).join("library.db");
    let file =
        SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let db = SqlitePoolOptions::new().max_connections(1);
    let db = &db.connect_with(file).await?;
    query(
        "CREATE TABLE IF NOT EXISTS member (
            id INTEGER PRIMARY KEY,
            email TEXT NOT NULL UNIQUE
        )",
    )
    .execute(db)
    .await?;
    piece(size, || async move {
        let emails = emails(size);
        let start = Instant::now();
        insert_sqlite(db, way, &emails).await?;
        let time = start.elapsed();
        let deleted = query("DELETE FROM member").execute(db).await?;
        ensure!(deleted.rows_affected() == size);
        Ok(time)
    })
    .await
}

async fn insert_sqlite(
    db: &SqlitePool,
    way: &str,
    emails: &[String],
) -> Result<()> {
    match way {
        "alone" => {
            for email in emails {
                query(ONE).bind(email).execute(db).await?;
            }
        }
        "one_by_one" => {
            let mut tx = db.begin().await?;
            for email in emails {
                query(ONE).bind(email).execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
        "values" => {
            let mut sql = QueryBuilder::new("INSERT INTO member (email) ");
            sql.push_values(emails, |mut row, email| {
                row.push_bind(email);
            });
            sql.build().execute(db).await?;
        }
        "json" => {
            let sql = "INSERT INTO member (email)
                SELECT value FROM json_each($1)";
            let emails = serde_json::to_string(emails)?;
            query(sql).bind(emails).execute(db).await?;
        }
        _ => bail!("no way {way}"),
    }
    Ok(())
}
