// ANCHOR: all
use std::thread;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

#[derive(Debug, PartialEq)]
struct NoSignal;

// ANCHOR: listen
/// Calls until the satellite answers, after 1, 2 and 4 seconds once more.
async fn listen(
    mut call: impl AsyncFnMut() -> Result<u32, NoSignal>,
) -> Result<u32, NoSignal> {
    for pause in [1, 2, 4] {
        if let Ok(height) = call().await {
            return Ok(height);
        }
        sleep(Duration::from_secs(pause)).await;
    }
    call().await
}
// ANCHOR_END: listen

// ANCHOR: answer
#[tokio::test]
async fn an_answer_is_returned() {
    assert_eq!(listen(async || Ok(550)).await, Ok(550));
}
// ANCHOR_END: answer

// ANCHOR: exact
#[tokio::test(start_paused = true)]
async fn it_calls_again_after_1_2_and_4_seconds() {
    let start = Instant::now();
    let mut calls = Vec::new();
    let answer = listen(async || {
        calls.push(start.elapsed().as_secs());
        Err(NoSignal)
    });
    assert_eq!(answer.await, Err(NoSignal));
    assert_eq!(calls, [0, 1, 3, 7]);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}
// ANCHOR_END: exact

#[tokio::test(start_paused = true)]
async fn the_third_call_is_answered() {
    let start = Instant::now();
    let mut answers = [Err(NoSignal), Err(NoSignal), Ok(550)].into_iter();
    let answer = listen(async || answers.next().expect("not called again"));
    assert_eq!(answer.await, Ok(550));
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

// ANCHOR: deadline
#[tokio::test(start_paused = true)]
async fn a_pass_of_five_seconds_ends_it() {
    let mut calls = 0;
    let answer = listen(async || {
        calls += 1;
        Err(NoSignal)
    });
    assert!(timeout(Duration::from_secs(5), answer).await.is_err());
    assert_eq!(calls, 3);
}
// ANCHOR_END: deadline

// ANCHOR: runtime
#[tokio::test]
async fn a_task_runs_on_the_thread_of_the_test() {
    let task = tokio::spawn(async { thread::current().id() });
    assert_eq!(task.await.expect("no panic"), thread::current().id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unless_the_test_asks_for_more() {
    let task = tokio::spawn(async { thread::current().id() });
    assert_ne!(task.await.expect("no panic"), thread::current().id());
}
// ANCHOR_END: runtime
// ANCHOR_END: all
