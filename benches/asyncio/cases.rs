//! The Rust side, in a process of its own: each way as the page of its recipe
//! shows it. A way warms up, measures itself, and asserts its result.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::future::{Future, IntoFuture};
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Read};
use std::pin::pin;
use std::ptr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use async_stream::stream;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::serve::ListenerExt;
use axum::{Json, Router, routing::get};
use futures::future::{join_all, try_join_all};
use futures::stream::{self, Stream, StreamExt, TryStreamExt, unfold};
use libsqlite3_sys as ffi;
use memchr::memchr_iter;
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::postgres::{PgPoolCopyExt, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{
    AssertSqlSafe, Connection, PgPool, QueryBuilder, SqliteConnection,
    SqlitePool, query, query_as,
};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::memory::{kb, peak_kb};
use crate::recipes::{Bank, HOUR, Memo, Rates, compute, queue};

/// A line of this is what a child prints.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cost {
    pub seconds: f64,
    pub work: u64,
    /// Bytes at the peak, beyond what the process had at its start; of a
    /// server, all of them when it has served, its share of what processes
    /// have in common.
    pub memory: u64,
    /// Of a server: milliseconds in which 99 of 100 answers were there.
    #[serde(default)]
    pub tail: Option<f64>,
}

/// What `--child` is followed by: threads, case, way, and arguments.
pub fn child(words: &[String]) -> Result<()> {
    let [threads, case, way, arguments @ ..] = words else {
        bail!("--child THREADS CASE WAY");
    };
    let before = peak_kb()?;
    let runtime = runtime(threads)?;
    if case == "web" {
        runtime.block_on(serve_books())?;
        let share = kb("/proc/self/smaps_rollup", "Pss:")?;
        println!("{}", json!({ "memory": share << 10 }));
        return Ok(());
    }
    // In a task, as what answers a request is: `block_on` polls in a thread
    // that is none of the runtime's.
    let measured = measure(case.clone(), way.clone(), arguments.to_vec());
    let (seconds, work) = runtime.block_on(runtime.spawn(measured))??;
    let memory = (peak_kb()? - before) << 10;
    let cost = Cost { seconds, work, memory, tail: None };
    println!("{}", serde_json::to_string(&cost)?);
    runtime.shutdown_background(); // some sleep for an hour
    Ok(())
}

/// As `#[tokio::main]` makes it, of either flavour.
pub fn runtime(threads: &str) -> io::Result<Runtime> {
    match threads {
        "one" => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().enable_all().build(),
    }
}

async fn measure(
    case: String,
    way: String,
    arguments: Vec<String>,
) -> Result<(f64, u64)> {
    let (case, way) = (case.as_str(), way.as_str());
    let first = arguments.first().map_or("", String::as_str);
    if case == "sleeping" {
        let count = first.parse()?;
        return Ok((sleeping(count).await?.as_secs_f64(), count));
    }
    if case == "sqlite" || case == "postgres" {
        return database(case, way, first, &arguments[1]).await;
    }
    let count = match case {
        "tasks" => 200_000,
        "queue" => 1_000_000,
        "semaphore" | "cancel" | "waiters" => 100_000,
        "cache" => 1_000_000,
        "stream" if way.starts_with("channel") => 500_000,
        "stream" => 5_000_000,
        "threads" => 20_000_000,
        "http" => 20_000,
        "lines" => File::open(first)?.metadata()?.len() / 100,
        _ => bail!("there is no case {case}"),
    };
    let to_warm_up = if case == "lines" { count } else { count / 10 };
    work(case, way, first, to_warm_up).await?;
    let time = work(case, way, first, count).await?;
    Ok((time.as_secs_f64(), count))
}

async fn work(
    case: &str,
    way: &str,
    first: &str,
    count: u64,
) -> Result<Duration> {
    match case {
        "tasks" => tasks(way, count).await,
        "queue" => {
            let ends = first.parse()?;
            queue(way, ends, ends, count).await
        }
        "semaphore" => semaphore(way, count).await,
        "cancel" => cancel(way, count).await,
        "cache" => cache(way, count).await,
        "waiters" => waiters(way, count).await,
        "stream" => streamed(way, count).await,
        "threads" => threads(way, count).await,
        "http" => http(way, first, count).await,
        _ => lines(way, first, count).await,
    }
}

async fn tasks(way: &str, count: u64) -> Result<Duration> {
    async fn step(n: u64) -> u64 {
        black_box(n) + 1
    }
    async fn step_that_waits(n: u64) -> u64 {
        yield_now().await;
        black_box(n) + 1
    }
    let start = Instant::now();
    let mut sum = 0;
    match way {
        "join_set" => {
            let mut tasks = JoinSet::new();
            for n in 0..count {
                tasks.spawn(step(n));
            }
            while let Some(joined) = tasks.join_next().await {
                sum += joined?;
            }
        }
        "spawn" => {
            let tasks: Vec<_> =
                (0..count).map(|n| tokio::spawn(step(n))).collect();
            for task in tasks {
                sum += task.await?;
            }
        }
        "join_all" => {
            let steps = join_all((0..count).map(step_that_waits)).await;
            sum = steps.into_iter().sum();
        }
        "buffer" => {
            let steps = stream::iter(0..count).map(step_that_waits);
            let mut steps = steps.buffer_unordered(100);
            while let Some(step) = steps.next().await {
                sum += step;
            }
        }
        _ => bail!("no way {way}"),
    }
    let time = start.elapsed();
    ensure!(sum == count * (count + 1) / 2);
    Ok(time)
}

async fn sleeping(count: u64) -> Result<Duration> {
    static ASLEEP: AtomicU64 = AtomicU64::new(0);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        tasks.spawn(async {
            ASLEEP.fetch_add(1, Relaxed);
            sleep(HOUR).await;
        });
    }
    while ASLEEP.load(Relaxed) < count {
        yield_now().await;
    }
    let time = start.elapsed();
    ensure!(tasks.try_join_next().is_none());
    tasks.detach_all();
    Ok(time)
}

/// Counts the calls under way.
#[derive(Default)]
struct Mast {
    calls: AtomicU64,
    peak: AtomicU64,
    served: AtomicU64,
}

impl Mast {
    async fn read(&self) {
        let calls = self.calls.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(calls, Relaxed);
        yield_now().await;
        self.calls.fetch_sub(1, Relaxed);
        self.served.fetch_add(1, Relaxed);
    }
}

async fn semaphore(way: &str, count: u64) -> Result<Duration> {
    let mast = Arc::new(Mast::default());
    let permits = Arc::new(Semaphore::new(100));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    match way {
        "permits" => {
            for _ in 0..count {
                let permit = Arc::clone(&permits).acquire_owned().await?;
                while let Some(joined) = tasks.try_join_next() {
                    joined?;
                }
                let mast = Arc::clone(&mast);
                tasks.spawn(async move {
                    mast.read().await;
                    drop(permit);
                });
            }
        }
        "tasks" => {
            for _ in 0..count {
                let permits = Arc::clone(&permits);
                let mast = Arc::clone(&mast);
                tasks.spawn(async move {
                    let _permit = permits.acquire().await.expect("open");
                    mast.read().await;
                });
            }
        }
        "buffer" => {
            let reads = stream::iter(0..count).map(|_| mast.read());
            reads.buffer_unordered(100).collect::<()>().await;
        }
        _ => bail!("no way {way}"),
    }
    tasks.join_all().await;
    let time = start.elapsed();
    ensure!(mast.served.load(Relaxed) == count);
    ensure!(mast.peak.load(Relaxed) <= 100);
    Ok(time)
}

async fn cancel(way: &str, count: u64) -> Result<Duration> {
    struct Count<'a>(&'a AtomicU64);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    static ASLEEP: AtomicU64 = AtomicU64::new(0);
    static CLEANED: AtomicU64 = AtomicU64::new(0);
    async fn one() {
        let _cleans = Count(&CLEANED);
        ASLEEP.fetch_add(1, Relaxed);
        sleep(HOUR).await;
    }
    ASLEEP.store(0, Relaxed);
    CLEANED.store(0, Relaxed);
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    for _ in 0..count {
        if way == "abort" {
            tasks.spawn(one());
        } else {
            let stop = stop.child_token();
            tasks.spawn(async move {
                let end = stop.run_until_cancelled(one()).await;
                assert!(end.is_none(), "it was cancelled");
            });
        }
    }
    while ASLEEP.load(Relaxed) < count {
        yield_now().await;
    }
    let start = Instant::now();
    if way == "abort" {
        tasks.abort_all();
    } else {
        stop.cancel();
    }
    while let Some(end) = tasks.join_next().await {
        match end {
            Err(end) => ensure!(way == "abort" && end.is_cancelled()),
            Ok(()) => ensure!(way == "token"),
        }
    }
    let time = start.elapsed();
    ensure!(CLEANED.load(Relaxed) == count);
    Ok(time)
}

static ASKED: AtomicU32 = AtomicU32::new(0);

async fn cache(way: &str, count: u64) -> Result<Duration> {
    async fn quote((floor, weight): (i32, u32)) -> Result<u32> {
        ASKED.fetch_add(1, Relaxed);
        Ok(500 + 90 * weight + 25 * floor.unsigned_abs())
    }
    async fn four<F: Future<Output = Result<u64>> + Send + 'static>(
        ask: impl Fn(u64) -> F,
        count: u64,
    ) -> Result<Duration> {
        ASKED.store(0, Relaxed);
        ask(100).await?;
        let start = Instant::now();
        let tasks: Vec<_> =
            (0..4).map(|_| tokio::spawn(ask(count / 4))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await??;
        }
        let time = start.elapsed();
        let a_hundred: u64 = (0..100).map(|n| 950 + 25 * n).sum();
        ensure!(sum == count / 100 * a_hundred);
        ensure!(ASKED.load(Relaxed) == 100);
        Ok(time)
    }
    let keys = |times: u64| (0..times).map(|n| ((n % 100) as i32, 5));
    if way == "memo" {
        let quotes = Arc::new(Memo::new(quote, 1_000, Duration::from_secs(60)));
        let ask = |times| {
            let quotes = Arc::clone(&quotes);
            async move {
                let mut sum = 0;
                for key in keys(times) {
                    let quote = quotes.get(&key).await;
                    sum += u64::from(quote.expect("no failure"));
                }
                Ok(sum)
            }
        };
        four(ask, count).await
    } else {
        let quotes = Arc::new(Rates::new(1_000));
        let ask = |times| {
            let quotes = Arc::clone(&quotes);
            async move {
                let mut sum = 0;
                for key in keys(times) {
                    let quote = quotes.get(&key, quote(key)).await;
                    sum += u64::from(quote.expect("no failure"));
                }
                Ok(sum)
            }
        };
        four(ask, count).await
    }
}

async fn waiters(way: &str, count: u64) -> Result<Duration> {
    const WAITERS: u64 = 10_000;
    let mut time = Duration::ZERO;
    for _ in 0..count / WAITERS {
        let bank = Arc::new(Bank::default());
        let rates = Arc::new(Rates::new(100));
        let asked = Arc::clone(&bank);
        let memo = Memo::new(move |_| Arc::clone(&asked).answer(), 100, HOUR);
        let memo = Arc::new(memo);
        let start = Instant::now();
        let mut askers = JoinSet::new();
        let answers: Vec<Option<u64>> = match way {
            "rates" => {
                for _ in 0..WAITERS {
                    let (rates, bank) = (Arc::clone(&rates), Arc::clone(&bank));
                    askers.spawn(async move {
                        bank.one_more(WAITERS);
                        rates.get(&7, bank.answer()).await.ok()
                    });
                }
                askers.join_all().await
            }
            "memo" => {
                for _ in 0..WAITERS {
                    let (memo, bank) = (Arc::clone(&memo), Arc::clone(&bank));
                    askers.spawn(async move {
                        bank.one_more(WAITERS);
                        memo.get(&7).await.ok()
                    });
                }
                askers.join_all().await
            }
            "memo_join_all" => {
                let ask = async |_| {
                    bank.one_more(WAITERS);
                    memo.get(&7).await.ok()
                };
                join_all((0..WAITERS).map(ask)).await
            }
            _ => bail!("no way {way}"),
        };
        time += start.elapsed();
        ensure!(answers == vec![Some(108); WAITERS as usize]);
        ensure!(bank.questions.load(Relaxed) == 1);
    }
    Ok(time)
}

async fn streamed(way: &str, count: u64) -> Result<Duration> {
    async fn sum(numbers: impl Stream<Item = u64>) -> u64 {
        let mut numbers = pin!(numbers);
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            sum += black_box(number);
        }
        sum
    }
    let start = Instant::now();
    let sum = match way {
        "unfold" => {
            let numbers = unfold(0, |n| async move {
                (n < count).then_some((black_box(n), n + 1))
            });
            sum(numbers).await
        }
        "macro" => {
            let numbers = stream! {
                for n in 0..count {
                    yield black_box(n);
                }
            };
            sum(numbers).await
        }
        "channel" | "channel-1" => {
            let bound = if way == "channel" { 100 } else { 1 };
            let (numbers, stream) = mpsc::channel(bound);
            let producer = tokio::spawn(async move {
                for n in 0..count {
                    if numbers.send(n).await.is_err() {
                        break;
                    }
                }
            });
            let sum = sum(ReceiverStream::new(stream)).await;
            producer.await?;
            sum
        }
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(sum == count * (count - 1) / 2);
    Ok(time)
}

fn fingerprint(photo: &[u8]) -> u32 {
    photo.iter().fold(7, |mark: u32, &byte| {
        mark.wrapping_mul(31).wrapping_add(byte.into())
    })
}

async fn threads(way: &str, count: u64) -> Result<Duration> {
    let length = count as usize / 4;
    let photos: Vec<Arc<[u8]>> =
        (1..=4_u8).map(|n| black_box(vec![n; length]).into()).collect();
    let threads = available_parallelism()?.get();
    let pool = &ThreadPoolBuilder::new().num_threads(threads).build()?;
    let handed = photos.clone();
    let start = Instant::now();
    let marks = match way {
        "rayon" => {
            let marks = handed
                .into_iter()
                .map(|photo| compute(pool, move || fingerprint(&photo)));
            join_all(marks).await
        }
        "spawn_blocking" => {
            let marks = handed
                .into_iter()
                .map(|photo| spawn_blocking(move || fingerprint(&photo)));
            try_join_all(marks).await?
        }
        "serial" => handed.iter().map(|photo| fingerprint(photo)).collect(),
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    let expected: Vec<u32> = photos.iter().map(|p| fingerprint(p)).collect();
    ensure!(marks == expected && marks[0] != marks[1]);
    Ok(time)
}

/// That of the page on memory.
async fn count_lines(mut input: impl AsyncBufRead + Unpin) -> io::Result<u64> {
    let (mut lines, mut goes_on) = (0, false);
    loop {
        let chunk = input.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(lines + u64::from(goes_on));
        }
        lines += memchr_iter(b'\n', chunk).count() as u64;
        goes_on = !chunk.ends_with(b"\n");
        let length = chunk.len();
        input.consume(length);
    }
}

fn count_in_thread(path: &str) -> io::Result<u64> {
    let mut input = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let (mut lines, mut goes_on) = (0, false);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(lines + u64::from(goes_on));
        }
        lines += memchr_iter(b'\n', chunk).count() as u64;
        goes_on = !chunk.ends_with(b"\n");
        let length = chunk.len();
        input.consume(length);
    }
}

/// What is left of counting when nothing is counted.
fn read_alone(path: &str) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let (mut buffer, mut bytes) = (vec![0; 256 * 1024], 0);
    loop {
        match file.read(black_box(&mut buffer))? {
            0 => return Ok(bytes / 100),
            length => bytes += length as u64,
        }
    }
}

fn price(order: &str) -> Result<u64> {
    let price = order.rsplit(';').next().and_then(|it| it.parse().ok());
    price.with_context(|| format!("price of {order}"))
}

/// That of the page on memory, too.
async fn revenue(input: impl AsyncBufRead + Unpin) -> Result<u64> {
    let mut lines = input.lines();
    let mut cents = 0;
    while let Some(order) = lines.next_line().await? {
        cents += price(&order)?;
    }
    Ok(cents)
}

fn revenue_in_thread(path: &str, stop: &CancellationToken) -> Result<u64> {
    let mut input = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let (mut order, mut cents) = (String::new(), 0);
    while input.read_line(&mut order)? > 0 {
        cents += price(order.trim_end())?;
        order.clear();
        ensure!(!stop.is_cancelled(), "stopped");
    }
    Ok(cents)
}

async fn lines(way: &str, path: &str, count: u64) -> Result<Duration> {
    let start = Instant::now();
    let open = || tokio::fs::File::open(path);
    let capacity = 256 * 1024;
    let own = path.to_owned();
    let (result, each) = match way {
        "count_lines" => {
            let file = open().await?;
            let file = tokio::io::BufReader::with_capacity(capacity, file);
            (count_lines(file).await?, 1)
        }
        "count_in_thread" => {
            (spawn_blocking(move || count_in_thread(&own)).await??, 1)
        }
        "read_alone" => (spawn_blocking(move || read_alone(&own)).await??, 1),
        "revenue" => {
            let file = open().await?;
            let file = tokio::io::BufReader::with_capacity(capacity, file);
            (revenue(file).await?, 2_499)
        }
        "revenue_in_thread" => {
            let stop = CancellationToken::new();
            let revenue = move || revenue_in_thread(&own, &stop);
            (spawn_blocking(revenue).await??, 2_499)
        }
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(result == each * count);
    Ok(time)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Parcel {
    id: u64,
    city: String,
    delivered: bool,
}

/// That of the page on JSON over HTTP.
async fn fetch_parcel(
    client: &reqwest::Client,
    courier: &str,
    id: u64,
) -> reqwest::Result<Parcel> {
    let url = format!("{courier}/parcels/{id}");
    let response = client.get(url).send().await?.error_for_status()?;
    response.json().await
}

/// One connection of 64, and nothing between it and the program: what is left
/// of a client is the loopback and the server.
async fn ask_by_socket(courier: String, first: u64, count: u64) -> Result<u64> {
    let host = courier.strip_prefix("http://").context("no http")?;
    let mut socket = TcpStream::connect(host).await?;
    socket.set_nodelay(true)?;
    let mut answer = Vec::with_capacity(1024);
    let mut sum = 0;
    for id in (first..count).step_by(64) {
        let ask = format!("GET /parcels/{id} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        socket.write_all(ask.as_bytes()).await?;
        answer.clear();
        while answer.last() != Some(&b'}') {
            ensure!(socket.read_buf(&mut answer).await? > 0, "hung up");
        }
        let body = format!("\r\n\r\n{{\"id\":{id},");
        ensure!(answer.windows(body.len()).any(|at| at == body.as_bytes()));
        sum += id;
    }
    Ok(sum)
}

async fn http(way: &str, courier: &str, count: u64) -> Result<Duration> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(10))
        .build()?;
    fetch_parcel(&client, courier, 0).await?;
    let start = Instant::now();
    let sum = match way {
        "buffer" => {
            let fetch = |id| fetch_parcel(&client, courier, id);
            let mut parcels =
                stream::iter((0..count).map(fetch)).buffer_unordered(64);
            let mut sum = 0;
            while let Some(parcel) = parcels.try_next().await? {
                sum += parcel.id;
            }
            sum
        }
        "tasks" => {
            let permits = Arc::new(Semaphore::new(64));
            let mut tasks = JoinSet::new();
            for id in 0..count {
                let permit = Arc::clone(&permits).acquire_owned().await?;
                let (client, courier) = (client.clone(), courier.to_owned());
                tasks.spawn(async move {
                    let parcel = fetch_parcel(&client, &courier, id).await;
                    drop(permit);
                    parcel
                });
            }
            let mut sum = 0;
            while let Some(parcel) = tasks.join_next().await {
                sum += parcel??.id;
            }
            sum
        }
        "sockets" => {
            let connections = (0..64).map(|first| {
                tokio::spawn(ask_by_socket(courier.to_owned(), first, count))
            });
            try_join_all(connections).await?.into_iter().sum::<Result<u64>>()?
        }
        _ => bail!("no way {way}"),
    };
    let time = start.elapsed();
    ensure!(sum == count * (count - 1) / 2);
    Ok(time)
}

/// The server for the clients of both sides.
pub async fn start_courier() -> io::Result<String> {
    async fn parcel(Path(id): Path<u64>) -> Json<Parcel> {
        Json(Parcel { id, city: "Bergen".into(), delivered: false })
    }
    let app = Router::new().route("/parcels/{id}", get(parcel));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|io| _ = io.set_nodelay(true));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(format!("http://{address}"))
}

#[derive(Clone, Serialize, Deserialize)]
struct Book {
    title: String,
    copies: u32,
}

/// Serves until its standard input ends, on a port that it prints.
async fn serve_books() -> Result<()> {
    type Books = Arc<HashMap<u64, Book>>;
    async fn book(
        State(books): State<Books>,
        Path(id): Path<u64>,
    ) -> Result<Json<Book>, StatusCode> {
        let book = books.get(&id).ok_or(StatusCode::NOT_FOUND)?;
        Ok(Json(book.clone()))
    }
    let emma = Book { title: "Emma".into(), copies: 3 };
    let books: Books = Arc::new(HashMap::from([(7, emma)]));
    let app = Router::new().route("/books/{id}", get(book)).with_state(books);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({ "port": listener.local_addr()?.port() }));
    let end = async {
        let end = spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
        _ = end.await;
    };
    tokio::select! {
        served = axum::serve(listener, app).into_future() => served?,
        () = end => {}
    }
    Ok(())
}

const ROWS: u64 = 10_000;
const FIND: &str = "SELECT id, email, phone FROM member WHERE email = $1";

/// Of PostgreSQL and of SQLite.
#[derive(Debug, sqlx::FromRow)]
#[expect(dead_code, reason = "all columns are decoded")]
struct Member {
    id: i64,
    email: String,
    phone: Option<String>,
}

fn email(n: u64) -> String {
    format!("member-{}@example.org", n % ROWS)
}

/// The table for the clients of both sides.
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

async fn database(
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
        let find = |n| {
            let db = db.clone();
            let find = query_as(FIND).bind(email(n));
            async move { find.fetch_optional(&db).await }
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
        read(&find, reads / 10, at_once).await?;
        return Ok((read(&find, reads, at_once).await?.as_secs_f64(), reads));
    }
    let db = PgPoolOptions::new()
        .max_connections(10)
        .test_before_acquire(way != "untested")
        .connect(url)
        .await?;
    let find = |n| {
        let db = db.clone();
        let find = query_as(FIND).bind(email(n));
        async move { find.fetch_optional(&db).await }
    };
    if what == "insert" {
        insert_postgres(&db, way, 1).await?;
        let time = insert_postgres(&db, way, rounds).await?;
        return Ok((time.as_secs_f64(), rounds * ROWS));
    }
    read(&find, reads / 10, at_once).await?;
    Ok((read(&find, reads, at_once).await?.as_secs_f64(), reads))
}

async fn read<F: Future<Output = sqlx::Result<Option<Member>>>>(
    find: impl Fn(u64) -> F,
    count: u64,
    at_once: usize,
) -> Result<Duration> {
    let start = Instant::now();
    let found: Vec<Option<Member>> = stream::iter(0..count)
        .map(find)
        .buffered(at_once)
        .try_collect()
        .await?;
    let time = start.elapsed();
    expect_members(found)?;
    Ok(time)
}

/// What a pool costs is left out.
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

/// SQLite's own functions in this thread: no task, no channel, no pool.
fn read_sqlite_alone(url: &str, count: u64) -> Result<Duration> {
    let path = url.strip_prefix("sqlite://").context("no sqlite://")?;
    let path = CString::new(path)?;
    let find = CString::new(FIND)?;
    let (mut db, mut statement) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the strings end with a zero; SQLite sets both pointers, and they
    // are used before the calls at the end that make them invalid.
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
        // SAFETY: `key` has that length, and SQLite takes a copy of it; a
        // column's text is there until the statement is reset.
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
    // SAFETY: nothing uses them later.
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
