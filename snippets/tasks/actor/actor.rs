// ANCHOR: all
// ANCHOR: keep
use std::future::Future;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// State that one task owns, and what the task does with a request.
trait Actor: Send + 'static {
    type Request: Send;
    fn handle(
        &mut self,
        request: Self::Request,
    ) -> impl Future<Output = ()> + Send;
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("the actor has ended")]
struct Ended;

/// Sends requests to an actor. Share it in an `Arc`.
struct Handle<A: Actor> {
    tx: mpsc::Sender<A::Request>,
    ended: CancellationToken, // cancelled when the actor has ended
}

impl<A: Actor> Handle<A> {
    // ANCHOR: start
    /// Starts an actor. Its task returns the state when the actor ends.
    fn start(
        actor: A,
        capacity: usize,
        token: CancellationToken,
    ) -> (Self, JoinHandle<A>) {
        let (tx, rx) = mpsc::channel(capacity);
        let ended = CancellationToken::new();
        let run = run(actor, rx, token, ended.clone().drop_guard());
        (Handle { tx, ended }, tokio::spawn(run))
    }
    // ANCHOR_END: start

    // ANCHOR: ask
    /// Waits for a place in the channel, and then for the reply.
    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> A::Request,
    ) -> Result<T, Ended> {
        let place = self.tx.reserve().await.map_err(|_| Ended)?;
        let (reply_tx, mut reply_rx) = oneshot::channel();
        place.send(request(reply_tx));
        let reply = tokio::select! {
            reply = &mut reply_rx => reply.ok(),
            () = self.ended.cancelled() => reply_rx.try_recv().ok(),
        };
        reply.ok_or(Ended)
    }
    // ANCHOR_END: ask
}

// ANCHOR: run
/// Serves until the token is cancelled, or the handle is dropped.
async fn run<A: Actor>(
    mut actor: A,
    mut rx: mpsc::Receiver<A::Request>,
    token: CancellationToken,
    _guard: DropGuard, // cancels `ended`, also after a panic or an abort
) -> A {
    while let Some(Some(request)) = token.run_until_cancelled(rx.recv()).await {
        actor.handle(request).await;
    }
    rx.close(); // refuses new requests; the accepted ones are served
    while let Some(request) = rx.recv().await {
        actor.handle(request).await;
    }
    actor
}
// ANCHOR_END: run
// ANCHOR_END: keep

// ANCHOR: printer
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use futures::FutureExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(5);

enum Request {
    Print(u32, oneshot::Sender<anyhow::Result<u32>>),
    Count(oneshot::Sender<usize>),
}

/// A connection to a label printer, and the print job of each parcel.
struct Printer {
    addr: SocketAddr,
    conn: Option<BufStream<TcpStream>>,
    jobs: HashMap<u32, u32>,
}

impl Actor for Printer {
    type Request = Request;

    async fn handle(&mut self, request: Request) {
        match request {
            Request::Count(reply_tx) => _ = reply_tx.send(self.jobs.len()),
            Request::Print(_, reply_tx) if reply_tx.is_closed() => {}
            Request::Print(parcel, reply_tx) => {
                let print = timeout(TIMEOUT, self.print(parcel));
                let job = print.await.unwrap_or_else(|late| Err(late.into()));
                _ = reply_tx.send(job); // fails if the caller has given up
            }
        }
    }
}

impl Printer {
    /// Prints the label of a parcel once.
    async fn print(&mut self, parcel: u32) -> anyhow::Result<u32> {
        if let Some(job) = self.jobs.get(&parcel) {
            return Ok(*job);
        }
        // After an error it is not put back: a late reply may come on it.
        let mut kept = self.conn.take();
        // Dropped, if a second line has come after a reply, or the end.
        let idle = kept.take_if(|it| it.fill_buf().now_or_never().is_none());
        let mut conn = match idle {
            Some(conn) => conn,
            None => BufStream::new(TcpStream::connect(self.addr).await?),
        };
        let job = exchange(&mut conn, parcel).await?;
        self.conn = Some(conn);
        self.jobs.insert(parcel, job);
        Ok(job)
    }
}

/// Sends a line, and reads the reply to it.
async fn exchange(
    conn: &mut BufStream<TcpStream>,
    parcel: u32,
) -> anyhow::Result<u32> {
    conn.write_all(format!("print {parcel}\n").as_bytes()).await?;
    conn.flush().await?;
    let mut line = String::new();
    conn.take(20).read_line(&mut line).await?;
    let job = line.strip_suffix('\n').context("the reply is cut")?;
    Ok(job.parse()?)
}
// ANCHOR_END: printer

// A fake printer, and callers that give up, at an actor that ends in each way.
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use futures::future::join_all;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// A fake printer: a label takes a second. It counts its jobs from 1.
#[derive(Clone, Default)]
struct Fake {
    jobs: Arc<AtomicU32>,
    printed: Arc<Mutex<Vec<u32>>>,
}

impl Fake {
    async fn start() -> anyhow::Result<(Self, SocketAddr, JoinSet<()>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (addr, fake) = (listener.local_addr()?, Fake::default());
        let (mut server, printer) = (JoinSet::new(), fake.clone());
        server.spawn(async move {
            let mut conns = JoinSet::new();
            while let Ok((conn, _)) = listener.accept().await {
                let printer = printer.clone();
                conns.spawn(async move { printer.serve(conn).await.ok() });
            }
        });
        Ok((fake, addr, server))
    }

    async fn serve(&self, mut conn: TcpStream) -> anyhow::Result<()> {
        let (read, mut write) = conn.split();
        let mut lines = BufReader::new(read).lines();
        while let Some(line) = lines.next_line().await? {
            let parcel = line.strip_prefix("print ").context("a command")?;
            let parcel = parcel.parse()?;
            match parcel {
                400 => return Ok(write.write_all(b"jam\n").await?),
                500 => return Ok(write.write_all(b"4").await?),
                700 => {
                    write.write_all(b"70\n71\n").await?;
                    continue;
                }
                800 => return Ok(write.write_all(b"80\n").await?),
                599 => loop {
                    write.write_all(&[b'9'; 1000]).await?;
                },
                600 => sleep(TIMEOUT + 2 * SECOND).await,
                _ => sleep(SECOND).await,
            }
            let job = self.jobs.fetch_add(1, Relaxed) + 1;
            self.printed.lock().expect("no panic").push(parcel);
            write.write_all(format!("{job}\n").as_bytes()).await?;
        }
        Ok(())
    }

    /// The parcels whose labels were printed since the last call, in order.
    fn take(&self) -> Vec<u32> {
        std::mem::take(&mut self.printed.lock().expect("no panic"))
    }
}

fn printer(addr: SocketAddr) -> Printer {
    Printer { addr, conn: None, jobs: HashMap::new() }
}

/// What a caller gets: the job, or the text of the error.
async fn print<A>(handle: &Handle<A>, parcel: u32) -> Result<u32, String>
where
    A: Actor<Request = Request>,
{
    let job = handle.ask(|reply_tx| Request::Print(parcel, reply_tx)).await;
    let job = job.map_err(|ended| ended.to_string())?;
    job.map_err(|error| error.to_string())
}

const ENDED: &str = "the actor has ended";

fn ended<T>() -> Result<T, String> {
    Err(ENDED.to_owned())
}

// ANCHOR: order
/// Three callers at once, and a channel with one place.
async fn order(addr: SocketAddr) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let (handle, task) = Handle::start(printer(addr), 1, token);
    let handle = Arc::new(handle);
    let mut callers = JoinSet::new();
    for parcel in [1, 2, 3] {
        let handle = Arc::clone(&handle);
        callers.spawn(async move {
            let start = Instant::now();
            let job = print(&handle, parcel).await;
            (start.elapsed().as_secs(), parcel, job)
        });
    }
    let mut ends = callers.join_all().await;
    ends.sort();
    println!("order: {ends:?}");
    assert_eq!(ends, [(1, 1, Ok(1)), (2, 2, Ok(2)), (3, 3, Ok(3))]);
    assert_eq!(handle.ask(Request::Count).await, Ok(3));
    // The last handle is dropped.
    drop(handle);
    let jobs = task.await?.jobs;
    println!("dropped: {} jobs", jobs.len());
    assert_eq!(jobs, HashMap::from([(1, 1), (2, 2), (3, 3)]));
    Ok(())
}
// ANCHOR_END: order

/// A caller gives up after half a second, and comes again. The second is in
/// the channel, and the third waits for a place in it.
async fn gives_up(addr: SocketAddr, fake: &Fake) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let (handle, task) = Handle::start(printer(addr), 1, token);
    let callers = [11, 12, 13].map(|parcel| print(&handle, parcel));
    let callers = timeout(SECOND / 2, join_all(callers)).await;
    assert!(callers.is_err());
    sleep(60 * SECOND).await;
    let printed = fake.take();
    let start = Instant::now();
    let again = print(&handle, 11).await;
    println!("gives up: printed {printed:?}, again: {again:?}");
    assert_eq!((printed, again), (vec![11], Ok(4)));
    assert_eq!(start.elapsed(), Duration::ZERO, "it is not printed again");
    drop(handle);
    assert_eq!(task.await?.jobs, HashMap::from([(11, 4)]));
    Ok(())
}

/// The printer is slow, or fails. The next label is printed all the same.
async fn failures(addr: SocketAddr, fake: &Fake) -> anyhow::Result<()> {
    let token = CancellationToken::new();
    let (handle, task) = Handle::start(printer(addr), 8, token);
    let error = |text: &str| Err(text.to_owned());
    let no_number = error("invalid digit found in string");
    let cut = error("the reply is cut");
    for (case, parcel, seconds, expected) in [
        ("slow", 600, 5, error("deadline has elapsed")),
        ("after it", 21, 1, Ok(5)),
        ("no number", 400, 0, no_number),
        ("closed", 500, 0, cut.clone()),
        ("endless", 599, 0, cut),
        ("two lines", 700, 0, Ok(70)),
        ("after them", 22, 1, Ok(7)),
    ] {
        let start = Instant::now();
        let job = print(&handle, parcel).await;
        let took = start.elapsed().as_secs();
        println!("{case}: {took} s, {job:?}");
        assert_eq!((took, job), (seconds, expected));
    }
    // The slow label came two seconds after the timeout, as job 6.
    assert_eq!(fake.take(), [21, 600, 22]);
    // The printer closes the connection while nobody uses it.
    assert_eq!(print(&handle, 800).await, Ok(80));
    sleep(SECOND).await;
    let job = print(&handle, 23).await;
    println!("closed, idle: {job:?}");
    assert_eq!((job, fake.take()), (Ok(8), vec![23]));
    drop(handle);
    let jobs = [(21, 5), (700, 70), (22, 7), (800, 80), (23, 8)];
    assert_eq!(task.await?.jobs, HashMap::from(jobs));

    // No printer.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    drop(listener);
    let token = CancellationToken::new();
    let (handle, _task) = Handle::start(printer(addr), 8, token);
    let error = print(&handle, 1).await.expect_err("it is refused");
    assert_ne!(error, ENDED);
    Ok(())
}

/// A printer with a bug: it panics at parcel 99.
struct Faulty(Printer);

impl Actor for Faulty {
    type Request = Request;

    async fn handle(&mut self, request: Request) {
        if matches!(request, Request::Print(99, _)) {
            sleep(SECOND).await;
            panic!("parcel 99 has no address");
        }
        self.0.handle(request).await;
    }
}

/// One caller is served, one waits in the channel, one for a place in it.
async fn at_once(
    handle: &Handle<Faulty>,
    parcels: [u32; 4],
) -> Vec<Result<u32, String>> {
    join_all(parcels.map(|parcel| print(handle, parcel))).await
}

async fn ends(addr: SocketAddr, fake: &Fake) -> anyhow::Result<()> {
    // The token is cancelled.
    let token = CancellationToken::new();
    let faulty = || Faulty(printer(addr));
    let (handle, task) = Handle::start(faulty(), 2, token.clone());
    let shutdown = async {
        sleep(SECOND / 2).await;
        token.cancel();
    };
    let callers = at_once(&handle, [31, 32, 33, 34]);
    let (replies, ()) = tokio::join!(callers, shutdown);
    println!("token: {replies:?}");
    assert_eq!(replies, [Ok(9), Ok(10), Ok(11), ended()]);
    assert_eq!(print(&handle, 35).await, ended());
    assert_eq!(task.await?.0.jobs.len(), 3);
    fake.take();

    // It panics.
    let (handle, task) = Handle::start(faulty(), 2, CancellationToken::new());
    let start = Instant::now();
    let replies = at_once(&handle, [99, 41, 42, 43]).await;
    println!("panic: {replies:?}");
    assert_eq!(replies, [(); 4].map(|()| ended()));
    assert_eq!(print(&handle, 44).await, ended());
    assert_eq!(start.elapsed(), SECOND);
    assert!(task.await.is_err_and(|error| error.is_panic()));

    // It is aborted, as at the limit of a shutdown.
    let token = CancellationToken::new();
    let (handle, mut task) = Handle::start(faulty(), 2, token.clone());
    let shutdown = async {
        yield_now().await; // the requests are in the channel
        token.cancel();
        if timeout(SECOND * 3 / 2, &mut task).await.is_err() {
            task.abort();
        }
    };
    let callers = at_once(&handle, [51, 52, 53, 54]);
    let (replies, ()) = tokio::join!(callers, shutdown);
    println!("abort: {replies:?}");
    assert_eq!(replies, [Ok(12), ended(), ended(), ended()]);
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    sleep(60 * SECOND).await;
    assert_eq!(fake.take(), [51, 52], "the printer has got the second");
    Ok(())
}

/// A caller that has a place in the channel, and is not polled.
async fn not_polled(addr: SocketAddr) {
    let token = CancellationToken::new();
    let (handle, mut task) = Handle::start(printer(addr), 1, token.clone());
    let mut callers = [81, 82].map(|parcel| Box::pin(print(&handle, parcel)));
    for caller in &mut callers {
        assert!(caller.now_or_never().is_none());
    }
    let [first, second] = callers;
    assert_eq!(first.await, Ok(19)); // its place is for the second caller
    token.cancel();
    let late = timeout(60 * SECOND, &mut task).await.is_err();
    println!("not polled: after 60 s it still runs: {late}");
    assert!(late);
    drop(second);
    assert_eq!(task.await.map(|printer| printer.jobs.len()).ok(), Some(1));
}

/// The actor is dropped after a caller has got a place in the channel, and
/// before its request is in it. On several threads this can happen at a panic.
async fn late(addr: SocketAddr) {
    let (tx, rx) = mpsc::channel(8);
    let ended = CancellationToken::new();
    let guard = ended.clone().drop_guard();
    let token = CancellationToken::new();
    let actor = Box::pin(run(printer(addr), rx, token, guard));
    let actor = RefCell::new(Some(actor));
    let handle: Handle<Printer> = Handle { tx, ended };
    let reply = handle.ask(|reply_tx| {
        drop(actor.take());
        Request::Count(reply_tx)
    });
    let reply = timeout(60 * SECOND, reply).await;
    println!("late: {reply:?}");
    assert_eq!(reply, Ok(Err(Ended)));

    // The reply was sent, and the actor has ended, before the caller looks.
    for _ in 0..20 {
        let (tx, mut rx) = mpsc::channel(1);
        let ended = CancellationToken::new();
        let handle: Handle<Printer> = Handle { tx, ended: ended.clone() };
        let mut reply = Box::pin(handle.ask(Request::Count));
        assert!(reply.as_mut().now_or_never().is_none());
        let request = rx.recv().await;
        let Some(Request::Count(reply_tx)) = request else { unreachable!() };
        assert_eq!(reply_tx.send(7), Ok(()));
        ended.cancel();
        assert_eq!(reply.await, Ok(7));
    }
}

/// A caller is cancelled while its label is printed, and the next one comes.
async fn mutex(addr: SocketAddr, fake: &Fake) -> anyhow::Result<()> {
    let conn = BufStream::new(TcpStream::connect(addr).await?);
    let conn = tokio::sync::Mutex::new(conn);
    // ANCHOR: broken_mutex
    let print = async |parcel| exchange(&mut *conn.lock().await, parcel).await;
    // ANCHOR_END: broken_mutex
    assert!(timeout(SECOND / 2, print(61)).await.is_err());
    let (wrong, right) = (print(62).await?, print(63).await?);
    println!("a lock: parcel 62 gets job {wrong}, parcel 63 gets job {right}");
    assert_eq!((wrong, right), (14, 15), "the jobs of parcels 61 and 62");
    sleep(60 * SECOND).await;
    assert_eq!(fake.take(), [61, 62, 63]);

    let printer = tokio::sync::Mutex::new(printer(addr));
    // ANCHOR: fixed_mutex
    let print = async |parcel| printer.lock().await.print(parcel).await;
    // ANCHOR_END: fixed_mutex
    assert!(timeout(SECOND / 2, print(71)).await.is_err());
    let right = print(72).await?;
    println!("the connection is taken out: parcel 72 gets job {right}");
    assert_eq!(right, 18);
    assert_eq!(fake.take(), [71, 72]);
    assert_eq!(printer.lock().await.jobs, HashMap::from([(72, 18)]));
    Ok(())
}

/// The service, with the part that the page shows.
async fn call(addr: SocketAddr) -> anyhow::Result<()> {
    // ANCHOR: call
    let printer = Printer { addr, conn: None, jobs: HashMap::new() };
    let token = CancellationToken::new();
    let (handle, mut task) = Handle::start(printer, 3, token.clone());
    let job = handle.ask(|reply_tx| Request::Print(7, reply_tx)).await??;
    let count = handle.ask(Request::Count).await?;
    token.cancel(); // at the shutdown
    match timeout(Duration::from_secs(25), &mut task).await {
        Ok(ended) => drop(ended?), // an error, if it has panicked
        Err(_late) => task.abort(),
    }
    // ANCHOR_END: call
    assert_eq!((job, count), (20, 1));
    assert_eq!(handle.ask(Request::Count).await, Err(Ended));
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let (fake, addr, _server) = Fake::start().await?;
    order(addr).await?;
    assert_eq!(fake.take(), [1, 2, 3]);
    gives_up(addr, &fake).await?;
    failures(addr, &fake).await?;
    ends(addr, &fake).await?;
    late(addr).await;
    mutex(addr, &fake).await?;
    not_polled(addr).await;
    call(addr).await
}
// ANCHOR_END: all
