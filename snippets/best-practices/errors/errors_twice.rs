// ANCHOR: all
use std::num::ParseIntError;

use thiserror::Error;

#[derive(Debug, Error)]
// ANCHOR: broken
#[error("{response:?} is not a price: {source}")]
// ANCHOR_END: broken
struct Twice {
    response: String,
    source: ParseIntError,
}

#[derive(Debug, Error)]
// ANCHOR: fixed
#[error("{response:?} is not a price")]
// ANCHOR_END: fixed
struct Once {
    response: String,
    source: ParseIntError,
}

fn main() -> anyhow::Result<()> {
    let response = "twelve".to_owned();
    let source = response.parse::<u32>().expect_err("twelve");
    let cause = source.to_string();

    let twice = Twice { response: response.clone(), source: source.clone() };
    let text = format!("{:#}", anyhow::Error::new(twice));
    println!("{text}");
    assert_eq!(text.matches(&cause).count(), 2);

    let once = Once { response, source };
    let text = format!("{:#}", anyhow::Error::new(once));
    println!("{text}");
    assert_eq!(text.matches(&cause).count(), 1);
    Ok(())
}
// ANCHOR_END: all
