// ANCHOR: all
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// The radio mast: it serves 100 calls at once and refuses the rest.
#[derive(Default)]
struct Mast {
    calls: AtomicUsize,
    peak: AtomicUsize,
}

impl Mast {
    async fn read(&self, station: u32) -> Result<u32, &'static str> {
        let calls = self.calls.fetch_add(1, Relaxed) + 1;
        self.peak.fetch_max(calls, Relaxed);
        sleep(Duration::from_secs(1)).await;
        self.calls.fetch_sub(1, Relaxed);
        if calls <= 100 { Ok(station) } else { Err("the mast is busy") }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: broken
    // Broken: a thousand stations are a thousand calls at once.
    let mast = Mast::default();
    let answers = join_all((0..1000).map(|id| mast.read(id))).await;
    let refused = answers.iter().filter(|answer| answer.is_err()).count();
    println!("join_all: {:?} at once, {refused} refused", mast.peak);
    assert_eq!((mast.peak.into_inner(), refused), (1000, 900));
    // ANCHOR_END: broken

    // ANCHOR: stream
    // Fixed: a stream asks the next station when there is room.
    let (mast, start) = (Mast::default(), Instant::now());
    let reads = stream::iter(0..1000).map(|id| mast.read(id));
    let answers: Vec<_> = reads.buffer_unordered(100).collect().await;
    println!("buffer_unordered: {:?} at once, none refused", mast.peak);
    assert!(answers.iter().all(|answer| answer.is_ok()));
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert_eq!(mast.peak.into_inner(), 100);
    // ANCHOR_END: stream

    // ANCHOR: semaphore
    // Fixed, for tasks: no permit, no task.
    let (mast, start) = (Arc::new(Mast::default()), Instant::now());
    let permits = Arc::new(Semaphore::new(100));
    let (mut tasks, mut answers) = (JoinSet::new(), Vec::new());
    for id in 0..1000 {
        let permit = Arc::clone(&permits).acquire_owned().await?;
        while let Some(answer) = tasks.try_join_next() {
            answers.push(answer?); // a set keeps the tasks that are done
        }
        let mast = Arc::clone(&mast);
        tasks.spawn(async move {
            let answer = mast.read(id).await;
            drop(permit);
            answer
        });
    }
    answers.extend(tasks.join_all().await);
    println!("JoinSet: {:?} at once, none refused", mast.peak);
    assert_eq!(answers.len(), 1000);
    assert!(answers.iter().all(|answer| answer.is_ok()));
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert_eq!(mast.peak.load(Relaxed), 100);
    // ANCHOR_END: semaphore
    Ok(())
}
// ANCHOR_END: all
