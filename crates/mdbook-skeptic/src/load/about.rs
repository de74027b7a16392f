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
    let about: About = toml::from_str(table).map_err(|error| {
        let message = error.message().trim().replace('\n', ", ");
        fault(&format!("the comment `<!-- page` is not in order: {message}"))
    })?;
    let question = about.question.as_deref().unwrap_or("?");
    if question.trim().is_empty() || question.contains(['\n', '|']) {
        return Err(fault("the question is not one line of text for a table"));
    }
    let reason = about.no_timeline.as_deref().unwrap_or("given");
    if reason.trim().is_empty() {
        return Err(fault("no-timeline gives no reason"));
    }
    Ok(about)
}

/// How to correct the comment.
const KEYS: &str = "its keys are question = \"…\", no-timeline = \
    \"reason\", real-clock = [\"program\"], linux = [\"program\"], keep = \
    \"test\" or \"none\", and dictionary = [\"library\"]";
