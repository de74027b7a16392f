// ANCHOR: all
use std::backtrace::BacktraceStatus;
use std::env;
use std::num::ParseIntError;
use std::process::{Command, exit};

use anyhow::Result;

/// Fails in a call within `depth` calls.
fn parse(depth: usize) -> Result<u32, ParseIntError> {
    if depth > 0 {
        return parse(depth - 1);
    }
    "twelve".parse()
}

/// Converts the error of `parse`, within `depth` functions that await.
async fn price(depth: usize, parse_depth: usize) -> Result<u32> {
    if depth > 0 {
        return Box::pin(price(depth - 1, parse_depth)).await;
    }
    let cents = parse(parse_depth)?; // the backtrace is captured here
    Ok(cents)
}

/// How many lines the backtrace of an error has.
fn lines(price: Result<u32>) -> usize {
    let error = price.expect_err("no price");
    error.backtrace().to_string().lines().count()
}

/// The price, by a task that is spawned within `depth` calls.
fn spawned(depth: usize) -> tokio::task::JoinHandle<Result<u32>> {
    if depth > 0 {
        return spawned(depth - 1);
    }
    tokio::spawn(price(0, 0))
}

/// Exits with 1 if an error has a backtrace, else with 0.
async fn child() -> Result<()> {
    // ANCHOR: status
    let error = price(0, 0).await.expect_err("no price");
    let captured = error.backtrace().status() == BacktraceStatus::Captured;
    assert_eq!(format!("{error:?}").contains("Stack backtrace:"), captured);
    assert!(!format!("{error:#}").contains("Stack backtrace:"));
    // ANCHOR_END: status

    let here = lines(price(0, 0).await);
    assert_eq!(lines(price(100, 0).await) >= here + 100, captured);
    assert_eq!(
        lines(price(0, 100).await),
        here,
        "not where the cause was made"
    );
    // Nor where the task was spawned.
    let in_task = lines(spawned(0).await?);
    assert!(lines(spawned(100).await?) < in_task + 100);

    assert!(tokio::spawn(async { panic!("too heavy") }).await.is_err());
    exit(i32::from(captured));
}

#[tokio::main]
async fn main() -> Result<()> {
    if env::args().len() > 1 {
        return child().await;
    }
    let (all, errors) = ("RUST_BACKTRACE", "RUST_LIB_BACKTRACE");
    for (case, set, expected) in [
        ("neither", vec![], (false, false)),
        ("RUST_BACKTRACE=1", vec![(all, "1")], (true, true)),
        ("RUST_LIB_BACKTRACE=1", vec![(errors, "1")], (true, false)),
        (
            "RUST_BACKTRACE=1 RUST_LIB_BACKTRACE=0",
            vec![(all, "1"), (errors, "0")],
            (false, true),
        ),
    ] {
        let mut child = Command::new(env::current_exe()?);
        child.env_remove(all).env_remove(errors).envs(set).arg("child");
        let output = child.output()?;
        let stderr = String::from_utf8(output.stderr)?;
        let code = output.status.code();
        assert!([Some(0), Some(1)].contains(&code), "{stderr}");
        let (error, panic) =
            (code == Some(1), stderr.contains("stack backtrace:"));
        println!("{case}: an error: {error}, a panic: {panic}");
        assert_eq!((error, panic), expected);
    }
    Ok(())
}
// ANCHOR_END: all
