// ANCHOR: all
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use async_stream::stream;
use futures::stream::{Stream, StreamExt, unfold};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

static PUT_AWAY: AtomicU32 = AtomicU32::new(0);

struct Telescope;

impl Drop for Telescope {
    fn drop(&mut self) {
        PUT_AWAY.fetch_add(1, Relaxed);
    }
}

/// From a state, without a macro.
fn counted() -> impl Stream<Item = u32> {
    unfold(1, async |next| (next <= 3).then_some((next, next + 1)))
}

/// From a loop, as an async generator.
fn generated() -> impl Stream<Item = u32> {
    stream! {
        let _telescope = Telescope;
        for ship in 1..=3 {
            yield ship;
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // From a task of its own.
    let (send, receive) = mpsc::channel(1);
    let sender = tokio::spawn(async move {
        for ship in 1..=3 {
            send.send(ship).await.expect("`main` receives");
        }
    });
    let sent = ReceiverStream::new(receive);

    for mut ships in [counted().boxed(), generated().boxed(), sent.boxed()] {
        let mut seen = Vec::new();
        while let Some(ship) = ships.next().await {
            seen.push(ship);
        }
        assert_eq!(seen, [1, 2, 3]);
        println!("while let: {seen:?}");
    }
    sender.await?;
    assert_eq!(PUT_AWAY.load(Relaxed), 1);

    // Left early, it is dropped, and its variables with it.
    let mut ships = generated().boxed();
    assert_eq!(ships.next().await, Some(1));
    assert_eq!(PUT_AWAY.load(Relaxed), 1);
    drop(ships);
    assert_eq!(PUT_AWAY.load(Relaxed), 2);
    println!("drop: cleaned up at once");
    Ok(())
}
// ANCHOR_END: all
