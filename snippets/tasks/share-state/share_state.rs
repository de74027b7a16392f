// ANCHOR: all
// ANCHOR: keep
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Values that must agree have one lock.
#[derive(Clone, Debug, PartialEq)]
struct Account {
    credit: u32,
    labels: Vec<u32>,
}

/// Buys and prints labels for parcels. Many tasks share it.
// ANCHOR: locks
struct Labels {
    /// std's lock: held for a few lines, never across an await.
    account: Mutex<Account>,
    /// tokio's lock: held while the printer prints.
    printer: tokio::sync::Mutex<Option<TcpStream>>,
    address: SocketAddr,
    timeout: Duration,
}
// ANCHOR_END: locks

impl Labels {
    fn new(credit: u32, address: SocketAddr, timeout: Duration) -> Self {
        let account = Mutex::new(Account { credit, labels: Vec::new() });
        let printer = tokio::sync::Mutex::new(None);
        Labels { account, printer, address, timeout }
    }

    // ANCHOR: buy
    /// Checks and changes under one guard. `None`: the credit is too low.
    fn buy(&self, parcel: u32, price: u32) -> Option<u32> {
        let mut account = self.lock();
        let credit = account.credit.checked_sub(price)?;
        account.labels.push(parcel);
        account.credit = credit;
        Some(credit)
    }
    // ANCHOR_END: buy

    // ANCHOR: read
    /// A copy, so that no guard leaves these methods.
    fn account(&self) -> Account {
        self.lock().clone()
    }
    // ANCHOR_END: read

    /// No panic leaves a change half done here, so poison is ignored.
    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One label at a time. The printer answers with the parcel's number.
    async fn print(&self, parcel: u32) -> anyhow::Result<u32> {
        // ANCHOR: print
        let mut printer = self.printer.lock().await;
        let exchange = async {
            // Dropped halfway, the exchange drops the connection, too.
            let mut conn = match printer.take() {
                // It has no bytes left, and has not ended.
                Some(conn) if conn.try_read(&mut [0]).is_err() => conn,
                _ => TcpStream::connect(self.address).await?,
            };
            conn.write_u32(parcel).await?;
            let number = conn.read_u32().await?;
            anyhow::ensure!(number == parcel, "the answer to another request");
            *printer = Some(conn);
            anyhow::Ok(number)
        };
        tokio::time::timeout(self.timeout, exchange).await?
        // ANCHOR_END: print
    }
}
// ANCHOR_END: keep

// A printer, and what must come of the calls.
use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);
const SILENT: u32 = 99;
const CLOSES: u32 = 13;
const TWICE: u32 = 22;
const WRONG: u32 = 31;

/// Prints a label in a second. Counts its connections.
struct Printer {
    address: SocketAddr,
    connections: Arc<AtomicU32>,
    server: JoinHandle<anyhow::Result<()>>,
}

impl Printer {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let connections = Arc::<AtomicU32>::default();
        let counter = Arc::clone(&connections);
        let server = async move {
            let mut exchanges = JoinSet::new();
            loop {
                let (conn, _) = listener.accept().await?;
                counter.fetch_add(1, Relaxed);
                exchanges.spawn(answer(conn));
            }
        };
        Ok(Printer { address, connections, server: tokio::spawn(server) })
    }

    fn connections(&self) -> u32 {
        self.connections.load(Relaxed)
    }

    async fn stop(self) {
        self.server.abort();
        assert!(self.server.await.is_err_and(|end| end.is_cancelled()));
    }
}

/// Until the other end closes.
async fn answer(mut conn: TcpStream) -> anyhow::Result<()> {
    loop {
        let parcel = conn.read_u32().await?;
        match parcel {
            SILENT => pending().await,
            CLOSES => return Ok(()),
            _ => sleep(SECOND).await,
        }
        let answer = if parcel == WRONG { 30 } else { parcel }.to_be_bytes();
        let answers = answer.repeat(if parcel == TWICE { 2 } else { 1 });
        conn.write_all(&answers).await?;
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let printer = Printer::start().await?;
    let address = printer.address;
    // ANCHOR: five
    // ANCHOR: call
    let labels = Arc::new(Labels::new(100, address, Duration::from_secs(5)));
    let mut tasks = JoinSet::new();
    for parcel in 1..=5 {
        let labels = Arc::clone(&labels);
        tasks.spawn(async move {
            match labels.buy(parcel, 30) {
                Some(_) => labels.print(parcel).await.map(Some),
                None => Ok(None),
            }
        });
    }
    // ANCHOR_END: call
    let start = Instant::now();
    let mut refused = 0;
    while let Some(end) = tasks.join_next().await {
        match end?? {
            Some(number) => {
                let seconds = start.elapsed().as_secs();
                println!("parcel {number} is printed after {seconds} s");
                assert_eq!(u64::from(number), seconds);
            }
            None => refused += 1,
        }
    }
    // ANCHOR_END: five
    let account = labels.account();
    println!("{refused} refused, {account:?}");
    assert_eq!((refused, account.credit), (2, 10));
    assert_eq!(account.labels, [1, 2, 3]);
    assert_eq!(printer.connections(), 1);
    peers(&printer).await?;
    cancelled(&printer).await?;
    panic_within(&labels).await;
    printer.stop().await;

    let end = labels.print(7).await;
    assert!(end.is_err(), "the connection is closed");
    let error = labels.print(7).await.expect_err("nothing listens");
    let kind = error.downcast_ref().map(io::Error::kind);
    println!("off: {kind:?}, and the lock is free");
    assert_eq!(kind, Some(ErrorKind::ConnectionRefused));
    assert!(labels.printer.try_lock().is_ok());
    Ok(())
}

/// A printer that is slow, silent, or closes the connection.
async fn peers(printer: &Printer) -> anyhow::Result<()> {
    let labels = Labels::new(100, printer.address, 5 * SECOND);
    let start = Instant::now();
    let (silent, next) = tokio::join!(labels.print(SILENT), labels.print(7));
    let error = silent.expect_err("no answer");
    let seconds = start.elapsed().as_secs();
    println!("silent: {error}; the next one is printed after {seconds} s");
    assert_eq!((next?, seconds), (7, 6));

    let error = labels.print(CLOSES).await.expect_err("no answer");
    println!("closed: {error}; the next one: {}", labels.print(8).await?);

    let before = printer.connections();
    let twice = labels.print(TWICE).await?;
    println!("two answers: {twice}; the next one: {}", labels.print(9).await?);
    assert_eq!((twice, printer.connections()), (TWICE, before + 1));
    let error = labels.print(WRONG).await.expect_err("a wrong answer");
    println!("wrong: {error}; the next one: {}", labels.print(10).await?);
    assert_eq!(printer.connections(), before + 2);

    // The printer closes the connection while nobody uses it.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let labels = Labels::new(100, listener.local_addr()?, 5 * SECOND);
    let once = async || {
        let (mut conn, _) = listener.accept().await?;
        let parcel = conn.read_u32().await?;
        conn.write_u32(parcel).await
    };
    for parcel in [5, 6] {
        let served = timeout(5 * SECOND, once());
        let (number, served) = tokio::join!(labels.print(parcel), served);
        served??;
        assert_eq!(number?, parcel);
        sleep(SECOND).await;
    }
    println!("closed, idle: the next one is printed");
    Ok(())
}

/// A caller that is dropped while it waits, and one while it prints.
async fn cancelled(printer: &Printer) -> anyhow::Result<()> {
    let labels = Labels::new(100, printer.address, 5 * SECOND);
    labels.print(1).await?;
    let before = printer.connections();
    let waits = timeout(SECOND / 2, labels.print(2));
    let (first, waits) = tokio::join!(labels.print(3), waits);
    assert!(waits.is_err() && first? == 3);
    assert_eq!(printer.connections(), before);

    assert!(timeout(SECOND / 2, labels.print(4)).await.is_err());
    let number = labels.print(5).await?;
    println!("cancelled: the next one gets {number}");
    assert_eq!((number, printer.connections()), (5, before + 1));
    Ok(())
}

/// The lock is poisoned, and the account is whole.
async fn panic_within(labels: &Arc<Labels>) {
    let sharer = Arc::clone(labels);
    let task = tokio::spawn(async move {
        let _account = sharer.lock();
        panic!("a bug");
    });
    assert!(task.await.is_err_and(|end| end.is_panic()));
    assert!(labels.account.is_poisoned());
    let credit = labels.buy(6, 4).expect("enough credit");
    println!("panic: the next one has bought, the credit is {credit}");
    assert_eq!((credit, labels.account().credit), (6, 6));
}
// ANCHOR_END: all
