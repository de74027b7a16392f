//! An error is returned, a panic ends the task.
use std::num::ParseIntError;

use tokio::task::JoinError;

const CITIES: [&str; 2] = ["Oslo", "Bergen"];

// ANCHOR: fixed
/// An index outside of the array panics, as in any Rust function.
async fn track(parcel: &str) -> Result<&'static str, ParseIntError> {
    let number: usize = parcel.parse()?;
    Ok(CITIES[number])
}

async fn track_in_task(parcel: &'static str) -> anyhow::Result<String> {
    let task = tokio::spawn(track(parcel));
    // The first `?` is for a panic, the second for the error of `track`.
    let city = task.await??;
    Ok(format!("in {city}"))
}
// ANCHOR_END: fixed

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let city = track_in_task("1").await?;
    assert_eq!(city, "in Bergen");
    println!("1: {city}");

    let error = track_in_task("one").await.expect_err("not a number");
    assert!(error.is::<ParseIntError>());
    println!("one: {error}");

    let panic = track_in_task("2").await.expect_err("not a city");
    let panic: JoinError = panic.downcast().expect("from the handle");
    assert!(panic.is_panic());
    println!("2: a panic");

    // The program goes on.
    let city = track_in_task("0").await?;
    assert_eq!(city, "in Oslo");
    println!("0: {city}");
    Ok(())
}
