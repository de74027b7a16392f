// ANCHOR: all
use std::collections::BTreeMap;
use std::future::{IntoFuture, pending};
use std::{io, pin::pin, time::Duration};

use async_channel::{Receiver, Sender, bounded, unbounded};
use axum::extract::{Path, State};
use axum::{Router, http::StatusCode, routing::post};
use futures::future::join_all;
use rustix::process::{Signal, getpid, kill_process};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Clone)]
struct Lab {
    samples: Sender<u32>,
    to_do: Receiver<u32>,
    returned: Sender<u32>,
}

async fn take(State(lab): State<Lab>, Path(id): Path<u32>) -> StatusCode {
    let taken = lab.samples.send(id).await; // waits while eight are there
    taken.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::ACCEPTED)
}

/// The centrifuge never stops.
async fn work(lab: Lab, stop: CancellationToken) {
    while let Ok(id) = lab.to_do.recv().await {
        stop.run_until_cancelled(pending::<()>()).await;
        lab.returned.try_send(id).expect("unbounded");
    }
}

async fn run(tcp: TcpListener, lab: Lab) -> io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
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
    tokio::select! {
        ended = &mut server => return ended,
        _ = term.recv() => closing.cancel(), // 1. Nobody comes in any more.
    }
    let limit = Instant::now() + Duration::from_secs(30);
    // 2. Who is inside gets an answer.
    let waiting = timeout_at(limit, &mut server).await.is_err();
    lab.samples.close(); // 3. What has been taken is analysed,
    if timeout_at(limit, workers.wait()).await.is_err() {
        stop.cancel(); // 4. or returned.
        workers.wait().await;
    }
    if waiting {
        _ = timeout(Duration::from_secs(1), server).await; // 5. They get 503.
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let address = tcp.local_addr()?;
    let ((samples, to_do), (returned, back)) = (bounded(8), unbounded());
    let server = tokio::spawn(run(tcp, Lab { samples, to_do, returned }));

    let client = reqwest::Client::new();
    let hand_in = |id| client.post(format!("http://{address}/{id}")).send();
    let answers = tokio::spawn(join_all((1..=20).map(hand_in)));
    sleep(Duration::from_secs(1)).await; // until nothing moves any more
    let start = Instant::now();
    kill_process(getpid(), Signal::TERM)?;
    server.await??;
    println!("it takes {:?}", start.elapsed());
    assert_eq!(start.elapsed(), Duration::from_secs(30));

    let mut codes = BTreeMap::new();
    for answer in answers.await? {
        *codes.entry(answer?.status().as_u16()).or_insert(0) += 1;
    }
    println!("answers {codes:?}, returned {}", back.len());
    assert_eq!(codes, BTreeMap::from([(202, 12), (503, 8)]));
    assert_eq!(back.len(), 12);
    Ok(())
}
// ANCHOR_END: all
