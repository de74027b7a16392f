//! Reads what a page says of itself.

use crate::model::About;
use crate::problem::{Fault, Rule};

const START: &str = "<!-- page\n";

/// What a page's source says; nothing where it has no such comment.
///
/// # Errors
///
/// The comment's line, from 1, and what is wrong with it.
pub(crate) fn read(source: &str) -> Result<About, (usize, Fault)> {
    let source = source.replace("\r\n", "\n");
    let Some(at) = source.find(START) else { return Ok(About::default()) };
    let line = 1 + source[..at].matches('\n').count();
    let fault = |what: &str| (line, Fault::new(Rule::About, what, KEYS));
    let Some((table, after)) = source[at + START.len()..].split_once("-->")
    else {
        return Err(fault("the comment `<!-- page` has no end"));
    };
    if after.contains(START) {
        return Err(fault("there are two comments `<!-- page`"));
    }
    toml::from_str(table).map_err(|error| {
        let message = error.message().trim().replace('\n', ", ");
        fault(&format!("the comment `<!-- page` is not in order: {message}"))
    })
}

/// How to correct the comment.
const KEYS: &str = "its keys are question = \"…\", no-timeline = \
    \"reason\", real-clock = [\"program\"] and linux = [\"program\"]";
