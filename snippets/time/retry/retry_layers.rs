// ANCHOR: all
use std::cell::Cell;
use std::future::Future;

use backon::{ConstantBuilder, Retryable};

/// The failure of all that is below, and whether somebody has tried again.
#[derive(Debug, PartialEq)]
struct Down {
    retried: bool,
}

/// Three attempts in all.
const TWICE_MORE: ConstantBuilder = ConstantBuilder::new().with_max_times(2);

// ANCHOR: broken
// Broken: each layer does the best it can.
async fn each<F>(ask: impl FnMut() -> F) -> Result<(), Down>
where
    F: Future<Output = Result<(), Down>>,
{
    ask.retry(TWICE_MORE).await
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: who is nearest to it tries again, and says that it has.
async fn nearest<F>(ask: impl FnMut() -> F) -> Result<(), Down>
where
    F: Future<Output = Result<(), Down>>,
{
    let retrying = ask.retry(TWICE_MORE).when(|down| !down.retried);
    retrying.await.map_err(|_| Down { retried: true })
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let calls = Cell::new(0);
    let records = || async {
        calls.set(calls.get() + 1);
        Err(Down { retried: false })
    };

    let end = each(|| each(|| each(records))).await;
    println!("each layer: {} calls", calls.get());
    assert_eq!((end.is_err(), calls.take()), (true, 27));

    let end = nearest(|| nearest(|| nearest(records))).await;
    println!("the nearest: {} calls", calls.get());
    assert_eq!((end.is_err(), calls.take()), (true, 3));
}
// ANCHOR_END: all
