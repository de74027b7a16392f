// ANCHOR: all
// ANCHOR: keep
use anyhow::Result;
use tokio::task::JoinError;

/// Returns the value of a task, or logs once why there is none.
fn report<T>(name: &str, joined: Result<Result<T>, JoinError>) -> Option<T> {
    match joined {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => tracing::error!("{name} has failed: {error:#}"),
        Err(end) if end.is_panic() => tracing::error!("{name}: {end}"),
        Err(_) => tracing::warn!("{name} was cancelled"),
    }
    None
}
// ANCHOR_END: keep

// What the carrier sends, and what must come of it.
use std::future::pending;
use std::io::{Read, Seek};
use std::num::ParseIntError;
use std::sync::Arc;

use anyhow::Context;

#[derive(Debug, thiserror::Error)]
#[error("the response {response:?} is not a price")]
struct QuoteError {
    response: String,
    source: ParseIntError,
}

async fn quote(response: &str) -> Result<Option<u32>, QuoteError> {
    match response {
        "none" => Ok(None),
        "heavy" => panic!("the scales show {} kg", 500),
        "silent" => pending().await,
        price => price.parse().map(Some).map_err(|source| {
            let response = price.to_owned();
            QuoteError { response, source }
        }),
    }
}

// ANCHOR: call
/// The price of the label, or an error that names the parcel.
async fn price(parcel: u32, carrier: &str) -> Result<u32> {
    let quoted = quote(carrier).await;
    let what = || format!("no price for parcel {parcel}");
    let quoted = quoted.with_context(what)?;
    quoted.with_context(|| format!("parcel {parcel} is too heavy"))
}
// ANCHOR_END: call

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut log = tempfile::tempfile()?;
    tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_target(false)
        .with_writer(Arc::new(log.try_clone()?))
        .init();

    let value = report("label 7", tokio::spawn(price(7, "1250")).await);
    assert_eq!(value, Some(1250));
    let task = tokio::spawn(price(8, "none"));
    assert_eq!(report("label 8", task.await), None);
    let task = tokio::spawn(price(9, "twelve"));
    assert_eq!(report("label 9", task.await), None);
    let task = tokio::spawn(price(10, "heavy"));
    assert_eq!(report("label 10", task.await), None);
    let task = tokio::spawn(price(11, "silent"));
    task.abort();
    assert_eq!(report("label 11", task.await), None);

    let mut lines = String::new();
    log.rewind()?;
    log.read_to_string(&mut lines)?;
    print!("{lines}");
    let lines: Vec<_> = lines.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 4, "a line for each failure");
    let too_heavy = "ERROR label 8 has failed: parcel 8 is too heavy";
    assert_eq!(lines[0], too_heavy);
    let chain = "no price for parcel 9: the response \"twelve\" is not a \
                 price: invalid digit found in string";
    assert_eq!(lines[1], format!("ERROR label 9 has failed: {chain}"));
    assert!(lines[2].starts_with("ERROR label 10: task "));
    let panic = r#" panicked with message "the scales show 500 kg""#;
    assert!(lines[2].ends_with(panic));
    assert_eq!(lines[3], "WARN label 11 was cancelled");

    // The type is below the context.
    let error = price(7, "twelve").await.expect_err("no price");
    let quoted = error.downcast_ref::<QuoteError>();
    assert_eq!(quoted.context("its type")?.response, "twelve");
    // A cause of it is found in the chain alone.
    assert!(error.downcast_ref::<ParseIntError>().is_none());
    assert!(error.chain().any(|cause| cause.is::<ParseIntError>()));
    Ok(())
}
// ANCHOR_END: all
