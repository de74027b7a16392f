// ANCHOR: all
use std::num::ParseIntError;

use anyhow::Context;

// ANCHOR: boundary
#[derive(Debug, thiserror::Error)]
#[error("the depot has answered {answer:?}")]
struct Nonsense {
    answer: String,
    source: ParseIntError,
}

async fn packs(answer: &str) -> Result<Option<u32>, Nonsense> {
    let nonsense = |source| Nonsense { answer: answer.into(), source };
    match answer {
        "not kept" => Ok(None),
        number => number.parse().map(Some).map_err(nonsense),
    }
}
// ANCHOR_END: boundary

// ANCHOR: context
async fn restock(medicine: &str, answer: &str) -> anyhow::Result<u32> {
    let packs = packs(answer).await;
    let packs = packs.with_context(|| format!("cannot restock {medicine}"))?;
    packs.with_context(|| format!("{medicine} is not kept"))
}
// ANCHOR_END: context

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    assert_eq!(restock("quinine", "40").await?, 40);

    // ANCHOR: none
    let error = restock("quinine", "not kept").await.unwrap_err();
    println!("{error:#}");
    assert_eq!(error.chain().len(), 1, "a `None` has no cause");
    // ANCHOR_END: none

    // ANCHOR: chain
    // Each error tells its own part; the chain is what went wrong.
    let task = tokio::spawn(restock("quinine", "plenty"));
    let error = task.await?.unwrap_err();
    println!("{error:#}");
    let told: Vec<_> = error.chain().map(ToString::to_string).collect();
    assert_eq!(told[0], "cannot restock quinine");
    assert_eq!(told[1], r#"the depot has answered "plenty""#);
    assert_eq!(told[2], "invalid digit found in string");

    // The type is still there, beneath the context ...
    let nonsense = error.downcast_ref::<Nonsense>().expect("is in there");
    assert_eq!(nonsense.answer, "plenty");
    // ... but for a cause of it, ask each link of the chain.
    assert!(error.downcast_ref::<ParseIntError>().is_none());
    assert!(error.chain().any(|cause| cause.is::<ParseIntError>()));
    // ANCHOR_END: chain
    Ok(())
}
// ANCHOR_END: all
