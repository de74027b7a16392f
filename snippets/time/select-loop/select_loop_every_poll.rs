// ANCHOR: all
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Fuse, FusedFuture, FutureExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

type Wire = Receiver<u32>;
type Line = Sender<u32>;
type Bell = Receiver<()>;

async fn encode(telegram: u32) -> u32 {
    sleep(Duration::from_secs(2)).await;
    telegram
}

// ANCHOR: broken
// Broken: what the second arm has taken is dropped by the first.
async fn lose(mut wire: Wire, line: Line, mut bell: Bell) {
    loop {
        tokio::select! {
            biased;
            Some(()) = bell.recv() => {}
            passed = async {
                let code = encode(wire.recv().await?).await;
                line.send(code).await.ok()
            } => if passed.is_none() { return },
        }
    }
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: every arm waits once, and what is taken lies outside of the loop.
async fn keep(mut wire: Wire, line: Line, mut bell: Bell) {
    let (mut code, mut encoding) = (None, pin!(Fuse::terminated()));
    loop {
        let idle = encoding.is_terminated() && code.is_none();
        tokio::select! {
            biased;
            Some(()) = bell.recv() => {}
            Ok(place) = line.reserve(), if code.is_some() => {
                place.send(code.take().expect("there is one"));
            }
            encoded = &mut encoding => code = Some(encoded),
            telegram = wire.recv(), if idle => match telegram {
                Some(telegram) => encoding.set(encode(telegram).fuse()),
                None => return,
            },
        }
    }
}
// ANCHOR_END: fixed

// ANCHOR: ring
/// Rings before the first poll, after it, before the second, and so on: at the
/// n-th of these moments. Returns whether there are as many.
async fn ring(n: usize, bell: Sender<()>, work: impl Future) -> bool {
    let (mut work, mut moments) = (pin!(work), 0);
    poll_fn(|context| {
        let mut moment = || {
            moments += 1;
            if moments == n {
                bell.try_send(()).expect("it rings once");
            }
        };
        moment();
        let poll = work.as_mut().poll(context);
        if poll.is_pending() {
            moment();
        }
        poll
    })
    .await;
    moments >= n
}
// ANCHOR_END: ring

// ANCHOR: check
/// Passes on three telegrams, and rings at another moment each time. Returns
/// how many runs have lost one, and how many there were.
async fn check(relay: impl AsyncFn(Wire, Line, Bell)) -> (usize, usize) {
    let mut lost = 0;
    for n in 1.. {
        let (bell, rung) = channel(1);
        let ((send, wire), (line, codes)) = (channel(3), channel(1));
        for telegram in 1..=3 {
            send.try_send(telegram).expect("room for three");
        }
        drop(send);
        let tape = ReceiverStream::new(codes).throttle(Duration::from_secs(5));
        let printing = tokio::spawn(tape.collect::<Vec<_>>());
        if !ring(n, bell, relay(wire, line, rung)).await {
            return (lost, n - 1);
        }
        lost += usize::from(printing.await.expect("no panic") != [1, 2, 3]);
    }
    unreachable!("it ends")
}

#[tokio::test(start_paused = true)]
async fn no_moment_costs_a_telegram() {
    assert_eq!(check(lose).await, (8, 9));
    assert_eq!(check(keep).await, (0, 9));
}
// ANCHOR_END: check
// ANCHOR_END: all
