// ANCHOR: all
use std::future::Future;
use std::mem::size_of_val;

use tokio::task::yield_now;

/// Holds its label while it waits.
async fn render() -> u8 {
    let mut label = [0; 16 * 1024];
    yield_now().await;
    label[0] += 1;
    label[0]
}

/// The same, with its label on the heap.
async fn render_on_heap() -> u8 {
    let mut label = vec![0; 16 * 1024];
    yield_now().await;
    label[0] += 1;
    label[0]
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
    let plain = render();
    let wrapped = noted(noted(noted(render())));
    // ANCHOR_END: broken
    println!("{} KiB, in three wrappers {}", kib(&plain), kib(&wrapped));
    assert_eq!((kib(&plain), kib(&wrapped)), (16, 128));

    // ANCHOR: fixed
    let boxed = noted(noted(noted(Box::pin(render()))));
    let small = noted(noted(noted(render_on_heap()))); // it has a `Vec`
    // ANCHOR_END: fixed
    println!("boxed: {} KiB, a Vec: {} KiB", kib(&boxed), kib(&small));
    assert_eq!((kib(&boxed), kib(&small)), (0, 0));

    let rendered = [plain.await, wrapped.await, boxed.await, small.await];
    assert_eq!(rendered, [1; 4]);
}
// ANCHOR_END: all
