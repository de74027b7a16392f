// ANCHOR: all
use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::task::{JoinHandle, yield_now};

async fn until_good(mut scene: impl AsyncFnMut(u32) -> bool) -> u32 {
    let mut take = 1;
    while !scene(take).await {
        take += 1;
    }
    take
}

// ANCHOR: named
/// The same in a task of its own. The scene's future has a name: `F`.
fn second_unit<F>(
    mut scene: impl FnMut(u32) -> F + Send + 'static,
) -> JoinHandle<u32>
where
    F: Future<Output = bool> + Send + 'static,
{
    tokio::spawn(async move {
        let mut take = 1;
        while !scene(take).await {
            take += 1;
        }
        take
    })
}
// ANCHOR_END: named

trait Scene {
    async fn play(&self, take: u32) -> bool;
}

struct Duel;

impl Scene for Duel {
    async fn play(&self, take: u32) -> bool {
        !kiss(take).await
    }
}

async fn kiss(take: u32) -> bool {
    yield_now().await;
    take == 3
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // ANCHOR: moved
    // `move`: the closure owns what it lends to its futures.
    let takes = tokio::spawn(async {
        let actor = String::from("Ada");
        let scene = async move |take| {
            println!("{actor}, take {take}");
            kiss(take).await
        };
        until_good(scene).await
    });
    assert_eq!(takes.await?, 3);
    // ANCHOR_END: moved

    // ANCHOR: shared
    // What you want back is shared: the closure owns a clone of the `Arc`.
    let reel = Arc::new(Mutex::new(Vec::new()));
    let camera = Arc::clone(&reel);
    let takes = tokio::spawn(until_good(async move |take| {
        camera.lock().expect("never poisoned").push(take);
        kiss(take).await
    }));
    assert_eq!(takes.await?, 3);
    assert_eq!(*reel.lock().expect("never poisoned"), [1, 2, 3]);
    // ANCHOR_END: shared

    // ANCHOR: unit
    assert_eq!(second_unit(kiss).await?, 3);
    let mut reel = Vec::new();
    let takes = second_unit(move |take| {
        reel.push(take); // by the closure, before there is a future
        let shot = reel.len();
        async move { kiss(take).await && shot == 3 }
    });
    assert_eq!(takes.await?, 3);
    // ANCHOR_END: unit

    // ANCHOR: trait
    // The type has a name, so the compiler sees which future it is.
    assert!(tokio::spawn(async { Duel.play(1).await }).await?);
    // ANCHOR_END: trait
    Ok(())
}
// ANCHOR_END: all
