// ANCHOR: all
use std::pin::pin;
use std::time::Duration;

use futures::future::{Fuse, FusedFuture, FutureExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

// ANCHOR: encode
async fn encode(telegram: u32) -> u32 {
    sleep(Duration::from_secs(2)).await;
    telegram
}
// ANCHOR_END: encode

// ANCHOR: relay
/// Passes on telegrams until the wire ends, and says at any time how many.
async fn relay(
    mut wire: Receiver<u32>,
    line: Sender<u32>,
    mut questions: Receiver<oneshot::Sender<u32>>,
) -> anyhow::Result<u32> {
    // ANCHOR: state
    let (mut passed, mut code) = (0, None);
    let mut encoding = pin!(Fuse::terminated());
    // ANCHOR_END: state
    loop {
        let idle = encoding.is_terminated() && code.is_none();
        tokio::select! {
            biased;
            // ANCHOR: question
            Some(question) = questions.recv() => drop(question.send(passed)),
            // ANCHOR_END: question
            // ANCHOR: pass
            place = line.reserve(), if code.is_some() => {
                place?.send(code.take().expect("there is one"));
                passed += 1;
            }
            // ANCHOR_END: pass
            // ANCHOR: take
            encoded = &mut encoding => code = Some(encoded),
            telegram = wire.recv(), if idle => match telegram {
                Some(telegram) => encoding.set(encode(telegram).fuse()),
                None => return Ok(passed),
            },
            // ANCHOR_END: take
        }
    }
}
// ANCHOR_END: relay

async fn print(mut line: Receiver<u32>) -> Vec<u32> {
    let mut tape = Vec::new();
    while let Some(code) = line.recv().await {
        sleep(Duration::from_secs(5)).await;
        tape.push(code);
    }
    tape
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> anyhow::Result<()> {
    let ((send, wire), (line, codes)) = (channel(8), channel(1));
    let (ask, questions) = channel(1);
    let relay = tokio::spawn(relay(wire, line, questions));
    let print = tokio::spawn(print(codes));
    for telegram in 1..=4 {
        send.send(telegram).await?;
    }
    drop(send);

    let (start, mut answers) = (Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_secs(12) {
        let (question, answer) = oneshot::channel();
        ask.send(question).await?;
        answers.push(answer.await?);
        sleep(Duration::from_secs(3)).await;
    }
    println!("asked every three seconds: {answers:?}");
    assert_eq!(answers, [0, 1, 2, 3]);
    assert_eq!(relay.await??, 4);
    let tape = print.await?;
    println!("on the tape: {tape:?}");
    assert_eq!(tape, [1, 2, 3, 4]);
    Ok(())
}
// ANCHOR_END: all
