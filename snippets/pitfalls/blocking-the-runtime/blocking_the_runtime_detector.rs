// ANCHOR: all
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::{Id, JoinHandle, id};
use tokio::time::sleep;

// ANCHOR: polls
/// The tasks that have a thread at this moment, and since when.
static POLLS: LazyLock<Mutex<HashMap<Id, Poll>>> =
    LazyLock::new(Mutex::default);

struct Poll {
    task: &'static str,
    since: Instant,
    reported: bool,
}

/// Like `tokio::spawn`, and the task is entered in `POLLS` while it runs.
fn spawn<F>(task: &'static str, future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut future = Box::pin(future);
    tokio::spawn(poll_fn(move |context| {
        let poll = Poll { task, since: Instant::now(), reported: false };
        POLLS.lock().expect("no panic inside").insert(id(), poll);
        let _leave = Leave(id()); // on panic too
        future.as_mut().poll(context)
    }))
}

struct Leave(Id);

impl Drop for Leave {
    fn drop(&mut self) {
        POLLS.lock().expect("no panic inside").remove(&self.0);
    }
}
// ANCHOR_END: polls

// ANCHOR: detector
/// Names each task that keeps its thread for longer than `limit`, while it
/// does. Runs on a thread that no task can take, until `stop` is dropped.
fn detect(limit: Duration, report: Sender<&'static str>, stop: Receiver<()>) {
    while stop.recv_timeout(limit / 5) == Err(RecvTimeoutError::Timeout) {
        for poll in POLLS.lock().expect("no panic inside").values_mut() {
            if !poll.reported && poll.since.elapsed() > limit {
                poll.reported = true;
                _ = report.send(poll.task);
            }
        }
    }
}
// ANCHOR_END: detector

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (report, reports) = channel();
    let (stop, stopped) = channel();
    let limit = Duration::from_millis(50);
    let detector = thread::spawn(move || detect(limit, report, stopped));

    // ANCHOR: stall
    let heart = spawn("heart", sleep(Duration::from_millis(100)));
    let scanner = spawn("scanner", async move {
        reports.try_iter().for_each(drop); // what was before is not meant
        // Broken: blocks. It has the thread until somebody points at it.
        reports.recv_timeout(Duration::from_secs(30))
    });
    let guilty = scanner.await??;
    println!("{guilty} has had its thread for more than {limit:?}");
    assert_eq!(guilty, "scanner");
    // ANCHOR_END: stall

    heart.await?;
    drop(stop);
    detector.join().expect("the detector does not panic");
    Ok(())
}
// ANCHOR_END: all
