//! What is wrong with a book, where, and how to correct it.

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing wrong with a book.
///
/// Displays as two lines:
///
/// ```text
/// book/chapter/page.md:12: what is wrong
/// help: how to correct it
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The source file, relative to the book's root where it lies below it.
    pub file: PathBuf,
    /// The line in that file, from 1; `None` where the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// How to correct it.
    pub help: String,
}

impl Problem {
    pub(crate) fn new(
        file: impl AsRef<Path>,
        line: impl Into<Option<usize>>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        Problem {
            file: file.as_ref().to_owned(),
            line: line.into(),
            what: what.into(),
            help: help.into(),
        }
    }

    /// A problem of a whole file.
    pub(crate) fn whole(
        file: impl AsRef<Path>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        Problem::new(file, None, what, help)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}\nhelp: {}", self.what.trim_end(), self.help)
    }
}

impl std::error::Error for Problem {}

/// A broken rule, before it is known on which page: [`Fault::at`] says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub rule: Rule,
    pub what: String,
    pub help: String,
}

/// What a [`Fault`] breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A fence names a checker.
    Fence,
    /// An include brings in what it names.
    Include,
    /// Raw HTML and Markdown show no code.
    Markup,
    /// Code is tagged as code.
    Disguise,
    /// What is shown is what is compiled.
    Compiled,
    /// A program runs as it stands, and asserts something.
    Program,
    /// What belongs together stands together.
    Pair,
    /// The comment `<!-- page` has the keys that there are.
    About,
    /// The part to keep is all that a reader needs, and nothing more.
    Keep,
}

impl Fault {
    pub(crate) fn new(
        rule: Rule,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Fault {
        Fault { rule, what: what.into(), help: help.into() }
    }

    pub(crate) fn at(
        self,
        file: &Path,
        line: impl Into<Option<usize>>,
    ) -> Problem {
        Problem::new(file, line, self.what, self.help)
    }
}
