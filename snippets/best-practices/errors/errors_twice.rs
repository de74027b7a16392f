// ANCHOR: all
use std::num::ParseIntError;

use thiserror::Error;

// ANCHOR: broken
// Broken: the cause stands in the message, and in the chain.
#[derive(Debug, Error)]
#[error("the depot has answered {answer:?}: {source}")]
struct Twice {
    answer: String,
    source: ParseIntError,
}
// ANCHOR_END: broken

// ANCHOR: fixed
// Fixed: the message tells what this error adds.
#[derive(Debug, Error)]
#[error("the depot has answered {answer:?}")]
struct Once {
    answer: String,
    source: ParseIntError,
}
// ANCHOR_END: fixed

fn main() -> anyhow::Result<()> {
    let answer = "plenty".to_owned();
    let source = answer.parse::<u32>().unwrap_err();
    let cause = source.to_string();

    let twice = Twice { answer: answer.clone(), source: source.clone() };
    let report = format!("{:#}", anyhow::Error::new(twice));
    println!("{report}");
    assert_eq!(report.matches(&cause).count(), 2);

    let once = Once { answer, source };
    let report = format!("{:#}", anyhow::Error::new(once));
    println!("{report}");
    assert_eq!(report.matches(&cause).count(), 1);
    Ok(())
}
// ANCHOR_END: all
