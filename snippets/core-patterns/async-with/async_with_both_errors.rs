// ANCHOR: all
use thiserror::Error;

#[derive(Debug, Error, PartialEq)]
#[error("the card is declined")]
struct Declined;

#[derive(Debug, Error, PartialEq)]
#[error("the drawer jams")]
struct Jammed;

async fn sell(good: bool) -> anyhow::Result<u32> {
    if good { Ok(7) } else { Err(Declined.into()) }
}

async fn close(good: bool) -> Result<(), Jammed> {
    if good { Ok(()) } else { Err(Jammed) }
}

// ANCHOR: broken
// Broken: `?` leaves with the second error and drops the first.
async fn last_error(sells: bool, closes: bool) -> anyhow::Result<u32> {
    let sale = sell(sells).await;
    close(closes).await?;
    sale
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: whoever asks for either finds it.
async fn both_errors(sells: bool, closes: bool) -> anyhow::Result<u32> {
    match (sell(sells).await, close(closes).await) {
        (Err(error), Err(closing)) => Err(error.context(closing)),
        (sale, closed) => closed.map_err(Into::into).and(sale),
    }
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let error = last_error(false, false).await.unwrap_err();
    println!("`?`: {error:#}");
    assert_eq!(error.downcast_ref(), Some(&Jammed));
    assert_eq!(error.downcast_ref::<Declined>(), None);

    let error = both_errors(false, false).await.unwrap_err();
    println!("`context`: {error:#}");
    assert_eq!(error.downcast_ref(), Some(&Jammed));
    assert_eq!(error.downcast_ref(), Some(&Declined));

    // One of the two alone, and neither.
    let error = both_errors(false, true).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Declined));
    let error = both_errors(true, false).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Jammed));
    assert_eq!(both_errors(true, true).await?, 7);
    Ok(())
}
// ANCHOR_END: all
