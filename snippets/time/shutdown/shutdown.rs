// ANCHOR: all
use std::collections::BTreeMap;
use std::future::{IntoFuture, pending};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, iter, pin::pin, sync::Arc, time::Duration};

use async_channel::{Receiver, Sender, bounded, unbounded};
use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::post};
use futures::stream::{self, StreamExt};
use rustix::process::{Signal, getpid, kill_process};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Clone)]
struct Lab {
    came_in: Arc<AtomicUsize>,
    samples: Sender<u32>,
    to_do: Receiver<u32>,
    report: Sender<(u32, bool)>,
}

// ANCHOR: take
async fn take(State(lab): State<Lab>, Path(id): Path<u32>) -> StatusCode {
    lab.came_in.fetch_add(1, Relaxed);
    let taken = lab.samples.send(id).await; // waits while eight are there
    taken.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::ACCEPTED)
}
// ANCHOR_END: take

// ANCHOR: work
/// For number 7 the centrifuge never stops.
async fn work(lab: Lab, stop: CancellationToken) {
    while let Ok(id) = lab.to_do.recv().await {
        let analyse = async { if id == 7 { pending().await } else { id } };
        let analysed = stop.run_until_cancelled(analyse).await.is_some();
        lab.report.try_send((id, analysed)).expect("unbounded");
    }
}
// ANCHOR_END: work

// ANCHOR: run
async fn run(tcp: TcpListener, lab: Lab) -> io::Result<()> {
    // ANCHOR: signal
    let mut term = signal(SignalKind::terminate())?;
    // ANCHOR_END: signal
    let (closing, stop) = (CancellationToken::new(), CancellationToken::new());
    let workers = TaskTracker::new();
    for _ in 0..4 {
        workers.spawn(work(lab.clone(), stop.clone()));
    }
    workers.close();
    let app = Router::new().route("/{id}", post(take)).with_state(lab.clone());
    let server = axum::serve(tcp, app)
        .with_graceful_shutdown(closing.clone().cancelled_owned());
    let mut server = pin!(server.into_future());
    // ANCHOR: closing
    tokio::select! {
        ended = &mut server => return ended,
        _ = term.recv() => closing.cancel(), // 1. Nobody comes in any more.
    }
    // ANCHOR_END: closing
    let limit = Instant::now() + Duration::from_secs(30);
    // ANCHOR: inside
    // 2. Who is inside gets an answer.
    let waiting = timeout_at(limit, &mut server).await.is_err();
    // ANCHOR_END: inside
    // ANCHOR: rest
    lab.samples.close(); // 3. What has been taken is analysed,
    if timeout_at(limit, workers.wait()).await.is_err() {
        stop.cancel(); // 4. or returned.
        workers.wait().await;
    }
    // ANCHOR_END: rest
    if waiting {
        _ = timeout(Duration::from_secs(1), server).await; // 5. They get 503.
    }
    Ok(())
}
// ANCHOR_END: run

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    for last in [100, 500, 900] {
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        let address = tcp.local_addr()?;
        let ((samples, to_do), (report, done)) = (bounded(8), unbounded());
        let lab = Lab { came_in: Arc::default(), samples, to_do, report };
        let server = tokio::spawn(run(tcp, lab.clone()));
        // ANCHOR: load
        let client = reqwest::Client::new();
        let hand_in = async |id| {
            if id == last {
                kill_process(getpid(), Signal::TERM).expect("it is us");
            }
            let answer = client.post(format!("http://{address}/{id}")).send();
            answer.await.map(|answer| (id, answer.status()))
        };
        let answers = stream::iter(1..=1_000).map(hand_in).buffer_unordered(50);
        let mut got: BTreeMap<_, _> =
            answers.flat_map(stream::iter).collect().await;
        server.await??;
        // ANCHOR_END: load
        // ANCHOR: count
        assert_eq!(got.len(), lab.came_in.load(Relaxed), "all are answered");
        got.retain(|_, status| *status == StatusCode::ACCEPTED);
        let mut ends: Vec<_> = iter::from_fn(|| done.try_recv().ok()).collect();
        ends.sort();
        assert!(ends.iter().map(|(id, _)| id).eq(got.keys()), "each once");
        ends.retain(|(_, analysed)| !analysed);
        assert_eq!(ends, [(7, false)], "the others are analysed");
        assert!(TcpStream::connect(address).await.is_err(), "it is closed");
        // ANCHOR_END: count
        println!("SIGTERM at {last}: nothing lost, number 7 returned");
    }
    Ok(())
}
// ANCHOR_END: all
