// ANCHOR: all
use std::future::Future;
use std::mem::size_of_val;

use tokio::task::yield_now;

/// Holds its plan while it waits.
async fn draw() -> u8 {
    let mut plan = [0; 16 * 1024];
    yield_now().await;
    plan[0] += 1;
    plan[0]
}

/// The same, with its plan on the heap.
async fn draw_on_heap() -> u8 {
    let mut plan = vec![0; 16 * 1024];
    yield_now().await;
    plan[0] += 1;
    plan[0]
}

/// A wrapper, for a log or a metric.
async fn noted<F: Future>(work: F) -> F::Output {
    work.await
}

fn kib(future: &impl Future<Output = u8>) -> usize {
    size_of_val(future) / 1024
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // ANCHOR: broken
    // Broken: a wrapper holds it twice, as its argument and in its await.
    let plain = draw();
    let thrice = noted(noted(noted(draw())));
    println!("{} KiB, in three wrappers {}", kib(&plain), kib(&thrice));
    assert_eq!((kib(&plain), kib(&thrice)), (16, 128));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: a box is a pointer, however large what it holds.
    let boxed = noted(noted(noted(Box::pin(draw()))));
    println!("boxed: {} KiB in three wrappers", kib(&boxed));
    assert_eq!(kib(&boxed), 0);

    // Better: nothing large to hold.
    let small = noted(noted(noted(draw_on_heap())));
    println!("a Vec: {} KiB in three wrappers", kib(&small));
    assert_eq!(kib(&small), 0);
    // ANCHOR_END: fixed

    let drawn = [plain.await, thrice.await, boxed.await, small.await];
    assert_eq!(drawn, [1; 4]);
}
// ANCHOR_END: all
