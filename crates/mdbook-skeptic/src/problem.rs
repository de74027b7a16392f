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
