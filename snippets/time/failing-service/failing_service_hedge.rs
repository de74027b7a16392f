// ANCHOR: all
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use futures::future::select_ok;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

// ANCHOR: hedged
/// Asks again if the first answer takes longer than most of them.
async fn hedged<T, E, F>(most: Duration, ask: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut first = pin!(ask());
    if let Ok(answer) = timeout(most, &mut first).await {
        return answer;
    }
    let second = pin!(ask());
    let (answer, _) = select_ok([first, second]).await?;
    Ok(answer)
}
// ANCHOR_END: hedged

/// Two seconds a call, but for the twentieth.
struct Wholesaler {
    start: Instant,
    rung: AtomicU32,
    /// From when to when, in the order in which they were over.
    calls: Mutex<Vec<(u64, u64)>>,
}

impl Wholesaler {
    fn new() -> Self {
        let (rung, calls) = (AtomicU32::new(0), Mutex::default());
        Self { start: Instant::now(), rung, calls }
    }

    async fn ask(&self) -> Result<&'static str, &'static str> {
        let from = self.start.elapsed().as_secs();
        let _call = Call { wholesaler: self, from };
        let rung = self.rung.fetch_add(1, Relaxed) + 1;
        sleep(if rung == 20 { 60 * SECOND } else { 2 * SECOND }).await;
        Ok("in stock")
    }
}

struct Call<'a> {
    wholesaler: &'a Wholesaler,
    from: u64,
}

impl Drop for Call<'_> {
    /// It is over, answered or not.
    fn drop(&mut self) {
        let to = self.wholesaler.start.elapsed().as_secs();
        let mut calls = self.wholesaler.calls.lock().expect("never poisoned");
        calls.push((self.from, to));
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), &'static str> {
    let wholesaler = Wholesaler::new();
    for _customer in 0..20 {
        wholesaler.ask().await?;
    }
    let calls = wholesaler.calls.into_inner().expect("never poisoned");
    println!("alone: {} calls, at last {:?}", calls.len(), &calls[19..]);
    assert_eq!((calls.len(), calls[19]), (20, (38, 98)));

    // Nineteen of twenty are answered within three seconds.
    let wholesaler = Wholesaler::new();
    for _customer in 0..19 {
        hedged(3 * SECOND, || wholesaler.ask()).await?;
    }
    // ANCHOR: slow
    hedged(3 * SECOND, || wholesaler.ask()).await?;
    // ANCHOR_END: slow
    let calls = wholesaler.calls.into_inner().expect("never poisoned");
    println!("hedged: {} calls, at last {:?}", calls.len(), &calls[19..]);
    // The loser is over in the same moment as the winner.
    assert_eq!((calls.len(), &calls[19..]), (21, &[(41, 43), (38, 43)][..]));
    Ok(())
}
// ANCHOR_END: all
