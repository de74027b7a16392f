// ANCHOR: all
use std::time::Duration;

use futures::FutureExt;
use futures::future::{select_all, select_ok};
use tokio::time::sleep;

type Answer = Result<&'static str, &'static str>;

/// Minutes until they answer: who has no car says so at once.
async fn call(minutes: u64) -> Answer {
    sleep(Duration::from_secs(60 * minutes)).await;
    match minutes {
        1 => Err("Swift: no car left"),
        4 => Ok("Harbour"),
        _ => Ok("Castle"),
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    // ANCHOR: broken
    // Broken: the first answer wins, and a refusal is the quickest.
    let calls = [9, 1, 4].map(|minutes| call(minutes).boxed());
    let (answer, ..) = select_all(calls).await;
    println!("select_all: {answer:?}");
    assert_eq!(answer, Err("Swift: no car left"));

    let answer = tokio::select! {
        answer = call(9) => answer,
        answer = call(1) => answer,
    };
    println!("select!: {answer:?}");
    assert_eq!(answer, Err("Swift: no car left"));
    // ANCHOR_END: broken

    // ANCHOR: fixed
    // Fixed: an error is no answer, as long as somebody else may have one.
    let calls = [9, 1, 4].map(|minutes| call(minutes).boxed());
    let (answer, _) = select_ok(calls).await.expect("two have a car");
    println!("select_ok: {answer}");
    assert_eq!(answer, "Harbour");

    let answer = tokio::select! {
        Ok(answer) = call(9) => Some(answer),
        Ok(answer) = call(1) => Some(answer),
        else => None,
    };
    println!("select! with a pattern: {answer:?}");
    assert_eq!(answer, Some("Castle"));
    // ANCHOR_END: fixed
}
// ANCHOR_END: all
