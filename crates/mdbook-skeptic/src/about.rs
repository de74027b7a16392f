//! What a page says of itself, in a comment that readers do not see.

use serde::Deserialize;

/// The comment's content, as TOML. It begins with a line `<!-- page`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct About {
    /// The question that the page answers: its row in the table of its
    /// chapter's README.md.
    pub question: Option<String>,
    /// Why the page has no timeline.
    pub no_timeline: Option<String>,
    /// The programs that wait by the real clock.
    pub real_clock: Vec<String>,
    /// The programs that need Linux; elsewhere they are not run.
    pub linux: Vec<String>,
}

const START: &str = "<!-- page\n";

impl About {
    /// What a page's source says; nothing where it has no such comment.
    ///
    /// # Errors
    ///
    /// The comment's line, from 1, and what is wrong with it.
    pub(crate) fn read(source: &str) -> Result<About, (usize, String)> {
        let source = source.replace("\r\n", "\n");
        let Some(at) = source.find(START) else { return Ok(About::default()) };
        let line = 1 + source[..at].matches('\n').count();
        let rest = &source[at + START.len()..];
        let Some((table, after)) = rest.split_once("-->") else {
            return Err((line, "the comment `<!-- page` has no end".into()));
        };
        if after.contains(START) {
            return Err((line, "there are two comments `<!-- page`".into()));
        }
        toml::from_str(table).map_err(|error| {
            let message = error.message().trim().replace('\n', ", ");
            (
                line,
                format!("the comment `<!-- page` is not in order: {message}"),
            )
        })
    }
}

/// How to correct the comment.
pub(crate) const KEYS: &str = "its keys are question = \"…\", no-timeline = \
    \"reason\", real-clock = [\"program\"] and linux = [\"program\"]";
