// ANCHOR: all
use std::error::Error;
use std::io::{Read, Seek};
use std::num::ParseIntError;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
#[error("the response {response:?} is not a price")]
struct QuoteError {
    response: String,
    source: ParseIntError,
}

fn main() -> anyhow::Result<()> {
    let mut log = tempfile::tempfile()?;
    tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_target(false)
        .with_writer(Arc::new(log.try_clone()?))
        .init();
    let response = "twelve".to_owned();
    let source = response.parse::<u32>().expect_err("twelve");
    let error = QuoteError { response, source };

    // ANCHOR: broken
    tracing::error!("{error:#}");
    // ANCHOR_END: broken
    // ANCHOR: fixed_field
    tracing::error!(error = &error as &dyn Error, "no price");
    // ANCHOR_END: fixed_field
    // ANCHOR: fixed
    let error = anyhow::Error::from(error);
    tracing::error!("{error:#}");
    // ANCHOR_END: fixed

    let mut lines = String::new();
    log.rewind()?;
    log.read_to_string(&mut lines)?;
    print!("{lines}");
    let lines: Vec<_> = lines.lines().collect();
    let (text, cause) = (
        r#"the response "twelve" is not a price"#,
        "invalid digit found in string",
    );
    assert_eq!(lines[0], format!("ERROR {text}"));
    assert_eq!(
        lines[1],
        format!("ERROR no price error={text} error.sources=[{cause}]")
    );
    assert_eq!(lines[2], format!("ERROR {text}: {cause}"));
    Ok(())
}
// ANCHOR_END: all
