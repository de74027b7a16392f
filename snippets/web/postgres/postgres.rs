// ANCHOR: all
// ANCHOR: keep
use std::future::Future;

use anyhow::Context;
use backon::{ExponentialBuilder, Retryable};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor, Result, query};
use tokio::time::{Duration, timeout};

const WAIT: Duration = Duration::from_secs(3); // for a connection
/// The server keeps these limits, for each connection.
const LIMITS: [(&str, &str); 3] = [
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "15s"),
];

// ANCHOR: connect
/// A pool, if the server can be reached. TCP requires TLS.
async fn connect(url: &str, max_connections: u32) -> anyhow::Result<PgPool> {
    let mut options = url.parse::<PgConnectOptions>()?.options(LIMITS);
    let host = options.get_host(); // or the directory of a socket
    if options.get_socket().is_none() && !host.starts_with('/') {
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    // Not by the pool: the error of a connection says what is wrong.
    let first = async { options.connect().await?.close().await };
    timeout(WAIT, first).await.context("the server does not answer")??;
    let pool = PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(WAIT)
        .after_release(|conn, _| {
            // A cancelled `begin` may have left a transaction open.
            let reset = conn.execute("BEGIN; ROLLBACK");
            Box::pin(async { reset.await.map(|_| true) })
        });
    Ok(pool.connect_lazy_with(options))
}
// ANCHOR_END: connect

// ANCHOR: retry
/// Runs a transaction, and again after a conflict: six attempts at most.
async fn retry<T, F: Future<Output = Result<T>>>(
    transaction: impl FnMut() -> F,
) -> Result<T> {
    let is_conflict = |error: &sqlx::Error| {
        let code = error.as_database_error().and_then(|error| error.code());
        matches!(code.as_deref(), Some("40001" | "40P01"))
    };
    let backoff = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(20))
        .with_max_times(5)
        .with_jitter();
    transaction.retry(backoff).when(is_conflict).await
}
// ANCHOR_END: retry

// ANCHOR: transfer
/// Moves credit from one carrier to another. False if there is not enough.
async fn transfer(pool: &PgPool, ids: [i64; 2], cents: i64) -> Result<bool> {
    let mut transaction = pool.begin().await?;
    // In the order of the ids, like every transaction: there is no deadlock.
    let lock = "SELECT FROM carriers WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    query(lock).bind(ids).execute(&mut *transaction).await?;
    for (id, change) in [(ids[0], -cents), (ids[1], cents)] {
        let sql = "UPDATE carriers SET credit = credit + $2
            WHERE id = $1 AND credit + $2 >= 0";
        let update = query(sql).bind(id).bind(change);
        if update.execute(&mut *transaction).await?.rows_affected() == 0 {
            return Ok(false); // the transaction is dropped: a rollback
        }
    }
    transaction.commit().await?;
    Ok(true)
}
// ANCHOR_END: transfer
// ANCHOR_END: keep

// Carriers whose rows are hot, a server that fails, and what must happen.
use std::env;
use std::future::{pending, poll_fn};
use std::io;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use sqlx::postgres::PgTransaction;
use sqlx::query_scalar;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio::{select, try_join};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const MS: Duration = Duration::from_millis(1);

/// What is wrong with a server on TCP.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    NoTls,
    Silent,
    /// It closes the connection in place of the answer to a `COMMIT`.
    CutAtCommit,
    /// It passes on and answers nothing from the first `UPDATE` on.
    SilentAtUpdate,
}

/// From now on, nothing is answered.
static SILENT: Notify = Notify::const_new();

/// Passes one connection on to the server on a Unix socket. An error means
/// that an end has gone.
async fn pass(
    mut tcp: TcpStream,
    socket: PathBuf,
    tls: TlsAcceptor,
    fault: Fault,
) -> io::Result<()> {
    tcp.read_exact(&mut [0; 8]).await?; // the client asks for TLS
    match fault {
        Fault::NoTls => {
            tcp.write_all(b"N").await?;
            copy(&mut tcp, &mut sink()).await?;
            return Ok(());
        }
        Fault::Silent => return pending().await,
        _ => tcp.write_all(b"S").await?,
    }
    let (mut from_client, mut to_client) = split(tls.accept(tcp).await?);
    let server = UnixStream::connect(socket).await?;
    let (mut from_server, mut to_server) = server.into_split();
    let mut answers = JoinSet::new();
    answers.spawn(async move {
        copy(&mut from_server, &mut to_client).await?;
        to_client.shutdown().await
    });
    let mut buffer = [0; 10_000];
    loop {
        let read = from_client.read(&mut buffer).await?;
        let sent = &buffer[..read];
        let says = |word: &[u8]| sent.windows(6).any(|part| part == word);
        match fault {
            Fault::SilentAtUpdate if says(b"UPDATE") => {
                SILENT.notify_one();
                pending().await
            }
            Fault::CutAtCommit if says(b"COMMIT") => answers.shutdown().await,
            _ => {}
        }
        to_server.write_all(sent).await?;
        if read == 0 || answers.is_empty() {
            return Ok(());
        }
    }
}

/// The certificate of the servers on TCP.
struct Tls {
    acceptor: TlsAcceptor,
    file: tempfile::NamedTempFile,
}

impl Tls {
    fn root(&self) -> String {
        format!("?sslrootcert={}", self.file.path().display())
    }

    /// Starts a server: its URL.
    async fn url(&self, url: &str, fault: Fault) -> anyhow::Result<String> {
        let (port, root) = (serve(url, self, fault).await?, self.root());
        Ok(format!("postgres://cookbook@localhost:{port}/postgres{root}"))
    }
}

fn tls() -> anyhow::Result<Tls> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes())?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, CERTIFICATE)?;
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), file })
}

// For `localhost`, until 2100. The key is public: use it for no server.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBcTCCARegAwIBAgIUb6vUcFl3dUipVcLtj3pMm7JjqfYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTAwMDEwMTAwMDAwMFoYDzIxMDAwMTAx
MDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT60mSNnag2HSjJvQZq/elGd9Qi0EWD5G+Dt3rWyygVmeEpGdsJwGkW
PLRxKLYDJxEnndgszXbFCF0CGjw23LB7o0UwQzAUBgNVHREEDTALgglsb2NhbGhv
c3QwDAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQUwaMbS42pJdu8X/I2rLkLQU++GJUw
CgYIKoZIzj0EAwIDSAAwRQIhAK2Dt1+WzLzAKbYNiFSTJkrBSHJREizOa6XExaPL
TUeWAiBKW2aVQNvFCC0mwRwck0Bim8tDyAMLf+qVm8FmtA8zRw==
-----END CERTIFICATE-----";
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzUVyOxTEgPnQCfzy
lrqZEeRZiUVhqSTDazqO1LvbnCOhRANCAAT60mSNnag2HSjJvQZq/elGd9Qi0EWD
5G+Dt3rWyygVmeEpGdsJwGkWPLRxKLYDJxEnndgszXbFCF0CGjw23LB7
-----END PRIVATE KEY-----";

/// A server on TCP: its port. It ends with the runtime.
async fn serve(url: &str, tls: &Tls, fault: Fault) -> anyhow::Result<u16> {
    let options: PgConnectOptions = url.parse()?;
    let socket = options.get_socket().context("a Unix socket")?;
    let socket = socket.join(format!(".s.PGSQL.{}", options.get_port()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let acceptor = tls.acceptor.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(pass(tcp, socket.clone(), acceptor.clone(), fault));
        }
    });
    Ok(port)
}

/// As a reader would call it.
async fn called(url: &str) -> anyhow::Result<()> {
    // ANCHOR: call
    let pool = connect(url, 20).await?;
    let moved = retry(|| transfer(&pool, [1, 2], 500)).await?;
    // ANCHOR_END: call
    assert!(!moved, "there are no carriers yet");
    Ok(())
}

/// Two carriers with a credit of 1,000 each: their ids.
async fn carriers(pool: &PgPool) -> Result<[i64; 2]> {
    let sql = "INSERT INTO carriers (credit) VALUES (1000), (1000)
        RETURNING id";
    let ids: Vec<i64> = query_scalar(sql).fetch_all(pool).await?;
    Ok(ids.try_into().expect("two carriers"))
}

async fn credits(pool: &PgPool, ids: [i64; 2]) -> Result<[i64; 2]> {
    let sql = "SELECT credit FROM carriers WHERE id = ANY($1) ORDER BY id";
    let credits: Vec<i64> = query_scalar(sql).bind(ids).fetch_all(pool).await?;
    Ok(credits.try_into().expect("two carriers"))
}

/// A transaction that has locked one of the carriers, or both.
async fn locked<const N: usize>(
    pool: &PgPool,
    ids: [i64; N],
) -> Result<PgTransaction<'static>> {
    let mut transaction = pool.begin().await?;
    let lock = "SELECT FROM carriers WHERE id = ANY($1) FOR UPDATE";
    query(lock).bind(ids).execute(&mut *transaction).await?;
    Ok(transaction)
}

/// Returns when so many sessions wait for a lock.
async fn waiting(pool: &PgPool, sessions: i64) -> Result<()> {
    let sql = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock'";
    while query_scalar::<_, i64>(sql).fetch_one(pool).await? != sessions {
        sleep(MS).await;
    }
    Ok(())
}

/// PostgreSQL's code of an error, if it is PostgreSQL's.
fn code(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|error| error.code());
    code.map(String::from).unwrap_or_default()
}

/// Counts the attempts of `retry`.
#[derive(Clone, Default)]
struct Attempts(Arc<AtomicUsize>);

impl Attempts {
    /// A transaction that can be repeated, counted and spawned.
    fn count<F: Future>(
        &self,
        mut transaction: impl FnMut() -> F,
    ) -> impl FnMut() -> F {
        let count = Arc::clone(&self.0);
        move || {
            count.fetch_add(1, Relaxed);
            transaction()
        }
    }

    /// Since the last time.
    fn take(&self) -> usize {
        self.0.swap(0, Relaxed)
    }
}

// ANCHOR: broken_order
/// Locks the rows in the order of its caller.
async fn unordered(pool: &PgPool, ids: [i64; 2], cents: i64) -> Result<()> {
    let mut transaction = pool.begin().await?;
    for (id, change) in [(ids[0], -cents), (ids[1], cents)] {
        let sql = "UPDATE carriers SET credit = credit + $2 WHERE id = $1";
        let update = query(sql).bind(id).bind(change);
        update.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
// ANCHOR_END: broken_order

// ANCHOR: broken_skew
/// Takes a carrier out of use. Returns false if it is the last one.
async fn stop(pool: &PgPool, begin: &'static str, id: i64) -> Result<bool> {
    let mut transaction = pool.begin_with(begin).await?;
    let sql = "SELECT count(*) FROM carriers WHERE is_used";
    let used: i64 = query_scalar(sql).fetch_one(&mut *transaction).await?;
    if used > 1 {
        let sql = "UPDATE carriers SET is_used = FALSE WHERE id = $1";
        query(sql).bind(id).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(used > 1)
}
// ANCHOR_END: broken_skew

/// What `connect` says of servers in each state.
async fn connections(url: &str, tls: &Tls) -> anyhow::Result<()> {
    let root = tls.root();
    let at = |host: &str, port, root: &str| {
        format!("postgres://cookbook@{host}:{port}/postgres{root}")
    };
    let good = serve(url, tls, Fault::None).await?;
    for (case, url) in [
        ("a Unix socket", url.to_owned()),
        ("TLS", at("localhost", good, &root)),
    ] {
        let pool = connect(&url, 1).await?;
        let sql = "SELECT current_setting(name) FROM unnest($1) AS name";
        let names = LIMITS.map(|(name, _)| name);
        let query = query_scalar(sql).bind(names);
        let set: Vec<String> = query.fetch_all(&pool).await?;
        assert_eq!(set, LIMITS.map(|(_, limit)| limit));
        println!("{case}: connected");
    }

    // A URL without a host is read with these variables.
    let options: PgConnectOptions = url.parse()?;
    let directory = options.get_socket().context("a Unix socket")?;
    let no_host = format!("postgres:///postgres?port={}", options.get_port());
    let child = Command::new(env::current_exe()?)
        .arg(format!("{no_host}&user={}", options.get_username()))
        .env("PGHOST", directory)
        .status()
        .await?;
    assert!(child.success());
    println!("a host that is a directory: connected");

    let plain = serve(url, tls, Fault::NoTls).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let closed = listener.local_addr()?.port();
    drop(listener);
    for (case, url, expected) in [
        ("no TLS", at("localhost", plain, &root), "does not support TLS"),
        ("unknown issuer", at("localhost", good, ""), "UnknownIssuer"),
        ("other host", at("127.0.0.1", good, &root), "not valid for name"),
        ("refused", at("127.0.0.1", closed, &root), "Connection refused"),
    ] {
        let error = connect(&url, 1).await.expect_err(case);
        assert!(format!("{error:#}").contains(expected), "{error:?}");
        println!("{case}: {expected}");
    }
    Ok(())
}

/// A hundred transfers at the same time, half of them in each direction.
async fn hot_rows(pool: &PgPool, attempts: &Attempts) -> Result<()> {
    let ids = carriers(pool).await?;
    let mut transfers = JoinSet::new();
    for number in 0..100 {
        let ids = if number % 2 == 0 { ids } else { [ids[1], ids[0]] };
        let (pool, attempts) = (pool.clone(), attempts.clone());
        transfers.spawn(async move {
            let cents = 1 + number % 2;
            retry(attempts.count(|| transfer(&pool, ids, cents))).await
        });
    }
    let mut moved = 0;
    for transfer in transfers.join_all().await {
        moved += usize::from(transfer?);
    }
    let attempts = attempts.take();
    println!("hot rows: {moved} transfers, {attempts} attempts");
    assert_eq!((moved, attempts), (100, 100));
    assert_eq!(credits(pool, ids).await?, [1050, 950]);
    Ok(())
}

/// Two that lock in opposite orders.
async fn deadlock(pool: &PgPool, attempts: &Attempts) -> Result<()> {
    let ids = carriers(pool).await?;
    let held = locked(pool, [ids[1]]).await?;
    let mut transfers = JoinSet::new();
    for (number, ids) in [(1, [ids[1], ids[0]]), (2, ids)] {
        let (pool_of, attempts) = (pool.clone(), attempts.clone());
        transfers.spawn(async move {
            retry(attempts.count(|| unordered(&pool_of, ids, 5))).await
        });
        waiting(pool, number).await?;
    }
    held.rollback().await?;
    let transfers = transfers.join_all().await;
    let done = transfers.iter().filter(|end| end.is_ok()).count();
    let attempts = attempts.take();
    println!("deadlock: {done} transfers, {attempts} attempts");
    assert_eq!((done, attempts), (2, 3));
    assert_eq!(credits(pool, ids).await?, [1000, 1000]);
    Ok(())
}

/// Two that stop a carrier at the same time: how many do, and how many are
/// used in the end.
async fn skew(pool: &PgPool, begin: &'static str) -> Result<(usize, i64)> {
    let ids = carriers(pool).await?;
    let sql = "UPDATE carriers SET is_used = id = ANY($1)";
    query(sql).bind(ids).execute(pool).await?;
    let held = locked(pool, ids).await?;
    let mut stops = JoinSet::new();
    for id in ids {
        let pool = pool.clone();
        stops.spawn(async move {
            // ANCHOR: fixed_skew
            retry(|| stop(&pool, begin, id)).await
            // ANCHOR_END: fixed_skew
        });
    }
    waiting(pool, 2).await?;
    held.rollback().await?;
    let mut stopped = 0;
    for stop in stops.join_all().await {
        stopped += usize::from(stop?);
    }
    let sql = "SELECT count(*) FROM carriers WHERE is_used";
    Ok((stopped, query_scalar(sql).fetch_one(pool).await?))
}

/// What is in conflict each time.
async fn conflicts(pool: &PgPool, attempts: &Attempts) -> Result<()> {
    let mut ends = JoinSet::new();
    for _ in 0..20 {
        let (pool, attempts) = (pool.clone(), attempts.clone());
        ends.spawn(async move {
            let sql = "DO $$ BEGIN
                RAISE 'a conflict' USING ERRCODE = '40001'; END $$";
            let conflict = attempts.count(|| query(sql).execute(&pool));
            let start = Instant::now();
            let error = retry(conflict).await.expect_err("a conflict");
            assert_eq!(code(&error), "40001");
            start.elapsed()
        });
    }
    let mut waits = ends.join_all().await;
    waits.sort();
    // 20 + 40 + 80 + 160 + 320 ms, each plus up to as much.
    let (first, last) = (waits[0], waits[19]);
    assert!(first >= MS * 620 && last < MS * 5000, "{first:?}, {last:?}");
    assert!(last - first > MS * 50, "random: {first:?}, {last:?}");
    let attempts = attempts.take() / 20;
    println!("a conflict each time: 40001, {attempts} attempts");
    assert_eq!(attempts, 6);
    Ok(())
}

/// What changes nothing, and is not tried again.
async fn failures(pool: &PgPool, attempts: &Attempts) -> anyhow::Result<()> {
    let ids = carriers(pool).await?;
    for (case, ids, cents) in
        [("too little", ids, 1001), ("unknown", [ids[0], -1], 5)]
    {
        let moved = retry(attempts.count(|| transfer(pool, ids, cents)));
        let (moved, attempts) = (moved.await?, attempts.take());
        println!("{case}: {moved}, {attempts} attempt");
        assert_eq!((moved, attempts), (false, 1));
    }

    let transfer_all = attempts.count(|| transfer(pool, ids, -i64::MAX));
    let error = retry(transfer_all).await.expect_err("out of range");
    println!("an error: {}, 1 attempt", code(&error));
    assert_eq!((code(&error).as_str(), attempts.take()), ("22003", 1));

    let pool_of = pool.clone();
    let panics = async move {
        let mut held = locked(&pool_of, ids).await?;
        held.execute("UPDATE carriers SET credit = 0").await?;
        if credits(&pool_of, ids).await? == [1000, 1000] {
            resume_unwind(Box::new("a panic without its message"));
        }
        held.commit().await
    };
    let error = tokio::spawn(panics).await.expect_err("a panic");
    assert!(error.is_panic());

    // Cancelled while it waits for a lock.
    let held = locked(pool, [ids[1]]).await?;
    let transfer_one = retry(|| transfer(pool, ids, 5));
    assert!(timeout(MS * 50, transfer_one).await.is_err());
    held.rollback().await?;
    assert_eq!(credits(pool, ids).await?, [1000, 1000]);

    // The locks of all of them are free.
    assert!(retry(|| transfer(pool, ids, 5)).await?);
    println!("a panic, a cancellation: nothing has changed");
    Ok(())
}

/// The limits that the server keeps, much shorter here.
async fn limits(pool: &PgPool, attempts: &Attempts) -> Result<()> {
    let ids = carriers(pool).await?;
    let limited = |limit: &'static str, sql: &'static str| {
        attempts.count(move || async move {
            let mut transaction = pool.begin().await?;
            transaction.execute(limit).await?;
            query(sql).bind(ids).execute(&mut *transaction).await
        })
    };
    let held = locked(pool, ids).await?;
    for (case, limit, sql, expected) in [
        (
            "locked",
            "SET LOCAL lock_timeout = '50ms'",
            "UPDATE carriers SET credit = 0 WHERE id = ANY($1)",
            "55P03",
        ),
        (
            "slow",
            "SET LOCAL statement_timeout = '50ms'",
            "SELECT pg_sleep(60), $1::BIGINT[]",
            "57014",
        ),
    ] {
        let error = retry(limited(limit, sql)).await.expect_err(case);
        println!("{case}: {}, 1 attempt", code(&error));
        assert_eq!((code(&error).as_str(), attempts.take()), (expected, 1));
    }
    held.rollback().await?;

    // A statement that is cancelled goes on, until its limit.
    let sql = "SELECT count(*) FROM pg_stat_activity
        WHERE query ~ $1 AND state = 'active'";
    let running = || query_scalar(sql).bind("^SELECT pg_sleep.9");
    let is_running = async {
        while running().fetch_one(pool).await? == 0_i64 {
            sleep(MS).await;
        }
        Ok::<_, sqlx::Error>(())
    };
    select! {
        result = pool.execute("SELECT pg_sleep(9)") => {
            panic!("it has ended: {result:?}")
        }
        result = is_running => result?,
    }
    let running: i64 = running().fetch_one(pool).await?;
    println!("cancelled: {running} statement is still running");
    assert_eq!(running, 1);

    let mut idle = locked(pool, ids).await?;
    idle.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        .await?;
    assert!(retry(|| transfer(pool, ids, 5)).await?, "the lock is free");
    let error = idle.commit().await.expect_err("no session");
    let lost = matches!(&error, sqlx::Error::Io(_));
    assert!(lost || code(&error) == "25P03", "{error:?}");
    println!("idle: the session is closed, and the lock is free");

    Ok(())
}

/// The server never answers.
async fn no_answer(url: &str) -> anyhow::Result<String> {
    let error = connect(url, 1).await.expect_err("no answer");
    Ok(format!("no answer: {error}"))
}

/// It falls silent in the middle of a transaction.
async fn silent(pool: &PgPool, url: &str) -> anyhow::Result<String> {
    let ids = carriers(pool).await?;
    let lost = connect(url, 1).await?;
    let transfer = retry(|| transfer(&lost, ids, 5));
    select! {
        result = transfer => panic!("an answer: {result:?}"),
        _ = SILENT.notified() => {} // its caller gives up
    }
    let error = lost.acquire().await.expect_err("it is not given back");
    assert!(matches!(error, sqlx::Error::PoolTimedOut));
    Ok(format!("silent: your timeout, and then: {error}"))
}

/// All connections of a pool are in use.
async fn in_use(url: &str) -> anyhow::Result<String> {
    let pool = connect(url, 1).await?;
    let held = pool.acquire().await?;
    let error = pool.acquire().await.expect_err("none is free");
    assert!(matches!(error, sqlx::Error::PoolTimedOut));
    drop(held);
    pool.acquire().await?;
    Ok(format!("all in use: {error}"))
}

/// What waits for a connection: all at the same time.
async fn waits(pool: &PgPool, url: &str, tls: &Tls) -> anyhow::Result<()> {
    let never = tls.url(url, Fault::Silent).await?;
    let later = tls.url(url, Fault::SilentAtUpdate).await?;
    let start = Instant::now();
    let (never, later, in_use) =
        try_join!(no_answer(&never), silent(pool, &later), in_use(url))?;
    assert!(start.elapsed() >= WAIT);
    println!("{never}\n{later}\n{in_use}");
    assert_eq!(never, "no answer: the server does not answer");
    Ok(())
}

/// Its answer to `COMMIT` is lost.
async fn cut(
    pool: &PgPool,
    url: &str,
    attempts: &Attempts,
) -> anyhow::Result<()> {
    let ids = carriers(pool).await?;
    let lost = connect(url, 1).await?;
    let transfer = retry(attempts.count(|| transfer(&lost, ids, 5)));
    let error = transfer.await.expect_err("no answer");
    assert!(matches!(error, sqlx::Error::Io(_)), "{error:?}");
    assert_eq!(attempts.take(), 1);
    while credits(pool, ids).await? != [995, 1005] {
        sleep(MS).await;
    }
    println!("cut at the commit: an I/O error, and the credit has moved");
    Ok(())
}

/// How many prepared statements four queries leave on the server.
async fn statements(url: &str) -> anyhow::Result<()> {
    let options: PgConnectOptions = url.parse()?;
    let off = options.clone().statement_cache_capacity(0);
    let sql = "SELECT count(*) FROM pg_prepared_statements";
    for (case, options, persistent, expected) in [
        ("by default", options.clone(), true, 1),
        ("statement_cache_capacity(0)", off, true, 4),
        ("persistent(false)", options, false, 0),
    ] {
        let mut conn = options.connect().await?;
        let mut left = 0_i64;
        for _ in 0..4 {
            let count = query_scalar(sql).persistent(persistent);
            left = count.fetch_one(&mut conn).await?;
        }
        println!("prepared statements, {case}: {left}");
        assert_eq!(left, expected, "{case}");
    }
    Ok(())
}

/// A `begin` that is dropped after each number of polls.
async fn cancelled_begin(pool: &PgPool, url: &str) -> anyhow::Result<()> {
    let ids = carriers(pool).await?;
    let small = connect(url, 1).await?;
    for round in 0..100 {
        let mut begin = Box::pin(small.begin());
        for _ in 0..round % 10 {
            let poll = poll_fn(|cx| Poll::Ready(begin.as_mut().poll(cx)));
            if poll.await.is_ready() {
                break;
            }
            sleep(MS).await;
        }
        drop(begin);
        let sql = "UPDATE carriers SET credit = $2 WHERE id = ANY($1)";
        query(sql).bind(ids).bind(round).execute(&small).await?;
        let seen = credits(pool, ids).await?;
        assert_eq!(seen, [round; 2], "the update is not committed");
    }
    println!("cancelled begin: 100 later updates, all committed");
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if let Some(url) = env::args().nth(1) {
        connect(&url, 1).await?; // a child of `connections`
        return Ok(());
    }
    let url = env::var("DATABASE_URL").context("DATABASE_URL")?;
    let pool = connect(&url, 20).await?;
    let sql = "ALTER ROLE cookbook SET deadlock_timeout = '100ms'";
    pool.execute(sql).await?;
    let pool = connect(&url, 20).await?;
    let sql = "CREATE TABLE carriers (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        credit BIGINT NOT NULL,
        is_used BOOLEAN NOT NULL DEFAULT FALSE
    )";
    pool.execute(sql).await?;

    called(&url).await?;
    let (tls, attempts) = (tls()?, Attempts::default());
    connections(&url, &tls).await?;
    hot_rows(&pool, &attempts).await?;
    deadlock(&pool, &attempts).await?;
    conflicts(&pool, &attempts).await?;
    failures(&pool, &attempts).await?;
    limits(&pool, &attempts).await?;

    waits(&pool, &url, &tls).await?;
    cut(&pool, &tls.url(&url, Fault::CutAtCommit).await?, &attempts).await?;
    cancelled_begin(&pool, &url).await?;
    statements(&url).await?;
    let (stopped, used) = skew(&pool, "BEGIN").await?;
    println!("skew, read committed: {stopped} stopped, {used} used");
    assert_eq!((stopped, used), (2, 0));
    let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
    let (stopped, used) = skew(&pool, begin).await?;
    println!("skew, serializable: {stopped} stopped, {used} used");
    assert_eq!((stopped, used), (1, 1));
    Ok(())
}
// ANCHOR_END: all
