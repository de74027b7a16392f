// ANCHOR: all
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::{sleep, timeout};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Default)]
struct Reply {
    value: Option<u32>,
    waker: Option<Waker>,
}

fn send(reply: &Mutex<Reply>, value: u32) {
    let mut reply = reply.lock().expect("no holder panics");
    reply.value = Some(value);
    if let Some(waker) = reply.waker.take() {
        waker.wake();
    }
}

async fn receive_broken(reply: &Mutex<Reply>) -> u32 {
    // ANCHOR: broken
    let receive = poll_fn(|_cx| {
        let reply = reply.lock().expect("no holder panics");
        match reply.value {
            Some(value) => Poll::Ready(value),
            None => Poll::Pending,
        }
    });
    // ANCHOR_END: broken
    receive.await
}

async fn receive(reply: &Mutex<Reply>) -> u32 {
    // ANCHOR: fixed
    let receive = poll_fn(|cx| {
        let mut reply = reply.lock().expect("no holder panics");
        match reply.value {
            Some(value) => Poll::Ready(value),
            None => {
                reply.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    });
    // ANCHOR_END: fixed
    receive.await
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let reply = Arc::new(Mutex::new(Reply::default()));
    let sender = Arc::clone(&reply);
    let sending = tokio::spawn(async move {
        sleep(DAY / 24).await;
        send(&sender, 1250);
    });
    // Tasks, so that the timeout does not poll them.
    let shared = Arc::clone(&reply);
    let broken = tokio::spawn(async move { receive_broken(&shared).await });
    let shared = Arc::clone(&reply);
    let fixed = tokio::spawn(async move { receive(&shared).await });
    let fixed = timeout(DAY, fixed).await.expect("in time");
    assert_eq!(fixed.expect("no panic"), 1250);
    sending.await.expect("no panic");

    let mut broken = broken;
    assert!(timeout(DAY, &mut broken).await.is_err());
    println!("no waker: after a day it still waits");
    broken.abort();
    assert!(broken.await.expect_err("aborted").is_cancelled());
    println!("a waker: 1250");
}
// ANCHOR_END: all
