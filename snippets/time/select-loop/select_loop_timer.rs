// ANCHOR: all
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver, UnboundedSender};
use tokio::time::{Instant, sleep};

const QUIET: Duration = Duration::from_secs(5);

// ANCHOR: broken
// Broken: every question begins the five seconds anew.
async fn anew(mut questions: Receiver<()>, line: UnboundedSender<()>) {
    loop {
        tokio::select! {
            asked = questions.recv() => match asked {
                Some(()) => {}
                None => return,
            },
            () = sleep(QUIET) => line.send(()).expect("a line"),
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the timer outlives the turn.
async fn kept(mut questions: Receiver<()>, line: UnboundedSender<()>) {
    let mut timer = pin!(sleep(QUIET));
    loop {
        tokio::select! {
            asked = questions.recv() => match asked {
                Some(()) => {}
                None => return,
            },
            () = &mut timer => {
                line.send(()).expect("a line");
                timer.as_mut().reset(Instant::now() + QUIET);
            }
        }
    }
}
// ANCHOR_END: fixed

/// How many signs of life the line has seen.
async fn signs(
    office: impl AsyncFn(Receiver<()>, UnboundedSender<()>),
) -> usize {
    let (ask, questions) = mpsc::channel(1);
    let (line, signs) = mpsc::unbounded_channel();
    let asking = async move {
        for _ in 0..10 {
            sleep(Duration::from_secs(3)).await;
            ask.send(()).await.expect("an office");
        }
        sleep(Duration::from_secs(1)).await;
    };
    tokio::join!(office(questions, line), asking);
    signs.len()
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (anew, kept) = (signs(anew).await, signs(kept).await);
    println!("signs of life in half a minute: {anew} anew, {kept} kept");
    assert_eq!((anew, kept), (0, 6));
}
// ANCHOR_END: all
