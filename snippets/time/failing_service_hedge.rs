// ANCHOR: all
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
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

/// From when to when each call took, whether it was answered or hung up.
#[derive(Default)]
struct Calls(Mutex<Vec<(u64, u64)>>);

struct Call<'a>(&'a Calls, Instant, usize);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut calls = self.0.0.lock().expect("never poisoned");
        calls[self.2].1 = self.1.elapsed().as_secs();
    }
}

/// Two seconds each, but for the twentieth.
async fn ask(calls: &Calls, start: Instant) -> Result<u32, &'static str> {
    let call = {
        let mut calls = calls.0.lock().expect("never poisoned");
        calls.push((start.elapsed().as_secs(), 0));
        calls.len()
    };
    let _call = Call(calls, start, call - 1);
    sleep(if call == 20 { 60 * SECOND } else { 2 * SECOND }).await;
    Ok(7)
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), &'static str> {
    let (calls, start) = (Calls::default(), Instant::now());
    for _customer in 0..20 {
        ask(&calls, start).await?;
    }
    let calls = calls.0.into_inner().expect("never poisoned");
    println!("alone: {} calls, the last {:?}", calls.len(), calls[19]);
    assert_eq!((calls.len(), calls[19]), (20, (38, 98)));

    // Nineteen of twenty are answered within three seconds.
    let (calls, start) = (Calls::default(), Instant::now());
    for _customer in 0..19 {
        hedged(3 * SECOND, || ask(&calls, start)).await?;
    }
    // ANCHOR: slow
    hedged(3 * SECOND, || ask(&calls, start)).await?;
    // ANCHOR_END: slow
    let calls = calls.0.into_inner().expect("never poisoned");
    println!("hedged: {} calls, the last {:?}", calls.len(), &calls[19..]);
    // The loser is hung up in the second in which the winner answers.
    assert_eq!((calls.len(), &calls[19..]), (21, &[(38, 43), (41, 43)][..]));
    Ok(())
}
// ANCHOR_END: all
