// ANCHOR: all
use std::env::{args, current_exe};
use std::os::unix::process::ExitStatusExt;

use futures::future::{BoxFuture, FutureExt};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use tokio::process::Command;

/// The steps of a shaft.
const DEPTH: u32 = 100_000;

// ANCHOR: broken
/// Broken: each step is a call on the stack, for all that it is boxed.
async fn climb(step: u32) -> u32 {
    if step == DEPTH {
        return step;
    }
    if step.is_multiple_of(500) {
        println!("{step}");
    }
    Box::pin(climb(step + 1)).await
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: what lies ahead is on a list, and the list on the heap.
async fn by_list() -> u32 {
    let (mut ahead, mut deepest) = (vec![0], 0);
    while let Some(step) = ahead.pop() {
        deepest = step;
        ahead.extend((step < DEPTH).then_some(step + 1));
    }
    deepest
}

/// Fixed: a task is polled by the runtime, not by who waits for it.
fn by_tasks(step: u32) -> BoxFuture<'static, u32> {
    let climb = async move {
        match step {
            DEPTH => step,
            _ => tokio::spawn(by_tasks(step + 1)).await.expect("no panic"),
        }
    };
    climb.boxed()
}
// ANCHOR_END: fixed

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    // An overflow ends the process, so it has one of its own.
    if args().nth(1).as_deref() == Some("climb") {
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        setrlimit(Resource::Core, none)?; // no core file
        let step = tokio::spawn(climb(0)).await?;
        unreachable!("at step {step}");
    }
    let mut climb = Command::new(current_exe()?);
    let end = climb.arg("climb").kill_on_drop(true).output().await?;
    assert_eq!(end.status.signal(), Some(Signal::ABORT.as_raw()));
    let said = String::from_utf8(end.stderr)?;
    assert!(said.contains("overflowed its stack"), "{said}");
    let steps = String::from_utf8(end.stdout)?;
    let last: u32 = steps.lines().last().unwrap_or_default().parse()?;
    println!("recursion: aborted, after more than 1000 steps");
    assert!((1_000..DEPTH).contains(&last), "{last}");

    let deepest = by_list().await;
    println!("a list: {deepest} steps");
    assert_eq!(deepest, DEPTH);

    let deepest = by_tasks(0).await;
    println!("a task for each: {deepest} steps");
    assert_eq!(deepest, DEPTH);
    Ok(())
}
// ANCHOR_END: all
