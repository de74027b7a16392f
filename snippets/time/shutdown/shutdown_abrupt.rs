// ANCHOR: all
use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, net, thread};

use async_channel::{Receiver, Sender, bounded};
use axum::{Router, extract::State, routing::post};
use rustix::process::{Signal, getpid, kill_process};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::{runtime::Builder, task::JoinSet};

#[derive(Clone)]
struct Lab {
    came_in: watch::Sender<usize>,
    samples: Sender<()>,
    to_do: Receiver<()>,
    power: Arc<Semaphore>,
    analysed: Arc<AtomicUsize>,
}

async fn take(State(lab): State<Lab>) {
    lab.came_in.send_modify(|count| *count += 1);
    lab.samples.send(()).await.expect("it is open");
}

async fn work(lab: Lab) {
    while lab.to_do.recv().await.is_ok() {
        lab.power.acquire().await.expect("never closed").forget();
        lab.analysed.fetch_add(1, Relaxed);
    }
}

// ANCHOR: broken
// Broken: the signal ends `main`, and the runtime drops the rest.
async fn abrupt(tcp: net::TcpListener, lab: Lab) -> io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::spawn(work(lab.clone()));
    let app = Router::new().route("/", post(take)).with_state(lab);
    let server = axum::serve(TcpListener::from_std(tcp)?, app);
    tokio::select! {
        ended = server.into_future() => ended,
        _ = term.recv() => Ok(()),
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: first the door, then those inside, then their samples.
async fn orderly(tcp: net::TcpListener, lab: Lab) -> io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let worker = tokio::spawn(work(lab.clone()));
    let app = Router::new().route("/", post(take)).with_state(lab.clone());
    let server = axum::serve(TcpListener::from_std(tcp)?, app);
    let closing = async move { _ = term.recv().await };
    server.with_graceful_shutdown(closing).await?;
    lab.samples.close();
    Ok(worker.await?)
}
// ANCHOR_END: fixed

/// How many are answered and analysed, of fifty that have come in before the
/// signal. There is no power until the door is closed.
async fn evening<F>(run: F) -> anyhow::Result<(usize, usize)>
where
    F: AsyncFnOnce(net::TcpListener, Lab) -> io::Result<()> + Send + 'static,
{
    let tcp = net::TcpListener::bind("127.0.0.1:0")?;
    tcp.set_nonblocking(true)?;
    let (address, (samples, to_do)) = (tcp.local_addr()?, bounded(8));
    let (power, analysed) = (Arc::new(Semaphore::new(0)), Arc::default());
    let came_in = watch::Sender::new(0);
    let lab = Lab { came_in, samples, to_do, power, analysed };
    let log = lab.clone();
    let program = Builder::new_current_thread().enable_all().build()?;
    let program = thread::spawn(move || program.block_on(run(tcp, lab)));

    let client = reqwest::Client::new();
    let hand_in = |_| client.post(format!("http://{address}")).send();
    let mut answers: JoinSet<_> = (0..50).map(hand_in).collect();
    // One is in work, eight are in the queue, the others wait for a place.
    for _ in 0..9 {
        answers.join_next().await.expect("fifty")??;
    }
    log.came_in.subscribe().wait_for(|count| *count == 50).await?;
    kill_process(getpid(), Signal::TERM)?;
    while TcpStream::connect(address).await.is_ok() {}
    log.power.add_permits(50);
    let more = answers.join_all().await.into_iter().flatten().count();
    program.join().expect("no panic")?;
    Ok((9 + more, log.analysed.load(Relaxed)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (answered, analysed) = evening(abrupt).await?;
    println!("abrupt: 50 came in, {answered} answered, {analysed} analysed");
    assert_eq!((answered, analysed), (9, 0));
    let (answered, analysed) = evening(orderly).await?;
    println!("orderly: 50 came in, {answered} answered, {analysed} analysed");
    assert_eq!((answered, analysed), (50, 50));
    Ok(())
}
// ANCHOR_END: all
