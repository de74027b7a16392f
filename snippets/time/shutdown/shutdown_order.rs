// ANCHOR: all
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Takes a sample every second, until it is told to stop.
async fn reception(samples: Sender<u32>, stop: CancellationToken) -> u32 {
    let mut taken = 0;
    while !stop.is_cancelled() {
        sleep(Duration::from_secs(1)).await;
        taken += u32::from(samples.send(taken).await.is_ok());
    }
    taken
}

async fn analyse(_sample: u32) {
    sleep(Duration::from_secs(3)).await;
}

// ANCHOR: broken
// Broken: the signal ends all at once, also those who finish what is begun.
async fn stops(mut samples: Receiver<u32>, stop: CancellationToken) -> u32 {
    let mut analysed = 0;
    let work = async {
        while let Some(sample) = samples.recv().await {
            analyse(sample).await;
            analysed += 1;
        }
    };
    stop.run_until_cancelled(work).await;
    analysed
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the signal ends the reception, and its end ends the laboratory.
async fn drains(mut samples: Receiver<u32>) -> u32 {
    let mut analysed = 0;
    while let Some(sample) = samples.recv().await {
        analyse(sample).await;
        analysed += 1;
    }
    analysed
}
// ANCHOR_END: fixed

async fn evening(
    laboratory: impl AsyncFn(Receiver<u32>, CancellationToken) -> u32,
) -> (u32, u32) {
    let (send, samples) = channel(8);
    let stop = CancellationToken::new();
    let signal = async {
        sleep(Duration::from_millis(4_500)).await;
        stop.cancel();
    };
    let (taken, analysed, ()) = tokio::join!(
        reception(send, stop.clone()),
        laboratory(samples, stop.clone()),
        signal
    );
    (taken, analysed)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let (taken, analysed) = evening(stops).await;
    println!("all at once: {taken} taken, {analysed} analysed");
    assert_eq!((taken, analysed), (4, 1));

    let (taken, analysed) =
        evening(async |samples, _| drains(samples).await).await;
    println!("in order: {taken} taken, {analysed} analysed");
    assert_eq!((taken, analysed), (5, 5));
}
// ANCHOR_END: all
