//! What the guard works on: data alone.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::beside::Beside;
use crate::settings::Settings;

/// A book that has passed every rule that can be checked without running it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Book {
    /// The folder of `book.toml`.
    pub root: PathBuf,
    /// mdBook's source folder, relative to the root.
    pub src: PathBuf,
    /// The pages, in the order of `SUMMARY.md`.
    pub pages: Vec<Page>,
    /// What `book.toml` says to the guard.
    pub settings: Settings,
    /// Every file that a page includes, relative to the root.
    pub included: BTreeSet<PathBuf>,
}

impl Book {
    /// Every block with its page.
    pub fn blocks(&self) -> impl Iterator<Item = (&Page, &Block)> + Clone {
        self.pages
            .iter()
            .flat_map(|page| page.blocks.iter().map(move |block| (page, block)))
    }

    /// The distinct programs of a page that must run.
    pub(crate) fn programs_of<'a>(&self, page: &'a Page) -> Vec<&'a str> {
        let programs: BTreeSet<&str> = page
            .blocks
            .iter()
            .filter(|block| block.kind.is_rust() && !block.fails())
            .map(|block| block.text.trim_end())
            .collect();
        programs.into_iter().collect()
    }
}

/// A page of the book.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// Its source, relative to the book's root: `book/chapter/page.md`.
    pub file: PathBuf,
    /// Its path in `SUMMARY.md`: `chapter/page.md`.
    pub path: PathBuf,
    /// Its name in `SUMMARY.md`.
    pub title: String,
    /// The names of the chapters above it, outermost first.
    pub parents: Vec<String>,
    /// What it says of itself.
    pub about: About,
    /// What a reader keeps of it; `None` where it does not begin with such a part.
    pub keep: Option<Keep>,
    /// Every fenced block that it shows, in order.
    pub blocks: Vec<Block>,
    /// Every timeline that it shows, in order.
    pub pictures: Vec<Picture>,
    /// Every figure from the folder that `book.toml` names as `plots`. What
    /// compares them with what was measured is the book's own test.
    pub plots: Vec<Picture>,
    /// What corresponds in its Python and its Rust program; none where
    /// `book.toml` asks for no `parts`.
    pub parts: Vec<Part>,
}

/// What a page says of itself to the checks, as TOML in a comment that readers
/// do not see. The comment begins with a line `<!-- page`.
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
    /// Why the page has no part to keep.
    pub keep: Option<NoKeep>,
    /// The libraries of the dictionary whose tables the page has.
    pub dictionary: Vec<String>,
}

/// Why a page has no part to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoKeep {
    /// What a reader keeps is a test.
    Test,
    /// What a reader keeps is a line, or an idea.
    None,
}

/// What a reader keeps of a page: the anchor `keep` of its first program, and of
/// each other one that it shows so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keep {
    /// The first program, relative to the book's root.
    pub file: PathBuf,
    /// The Rust parts, as a reader copies them; the first program's first.
    pub rust: Vec<String>,
    /// The Python parts.
    pub python: Vec<String>,
    /// The fragments of Rust that call them: the anchors `call`.
    pub calls: Vec<String>,
    /// The line of the fence of the page's `cargo add` lines, from 1.
    pub line: usize,
    /// These lines.
    pub commands: String,
}

/// A figure that a page includes: a timeline, drawn from the run of a program,
/// or a plot.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Picture {
    /// The line of the page's source that includes it, from 1.
    pub line: usize,
    /// Its file, relative to the book's root.
    pub file: PathBuf,
    /// Its HTML.
    pub text: String,
}

/// The program whose run the timeline in this file shows, and the part of it,
/// if not all: `queue.rs` for `queue.svg`, and its part `fixed` for
/// `queue.fixed.svg`.
pub(crate) fn drawn_from(picture: &Path) -> Option<(PathBuf, Option<String>)> {
    let stem = picture.file_stem()?.to_str()?;
    let (program, part) = match stem.split_once('.') {
        Some((program, part)) => (program, Some(part.to_owned())),
        None => (stem, None),
    };
    Some((picture.with_file_name(format!("{program}.rs")), part))
}

/// A part of a program that a page shows in Python and in Rust.
///
/// Lines are those of the block as mdBook renders it, from 0, hidden ones
/// counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The name of the anchor in both files.
    pub name: String,
    /// Its lines in the first Python block under "In Python".
    pub python: Range<usize>,
    /// Its lines in the first Rust block under "In Rust".
    pub rust: Range<usize>,
}

/// A fenced block as the reader sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Block {
    /// What it is, and so what checks it.
    pub kind: Kind,
    /// The line of the fence in the page's source, from 1.
    pub line: usize,
    /// The nearest heading above it; empty where there is none.
    pub heading: String,
    /// All of its text. Of a Rust block also the lines that mdBook hides.
    pub text: String,
    /// What is not hidden of it.
    pub shown: String,
    /// The files whose text it includes, relative to the book's root.
    pub files: Vec<PathBuf>,
}

impl Block {
    /// The file a block shows, where it shows exactly one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self.files.as_slice() {
            [file] => Some(file),
            _ => None,
        }
    }

    /// The program whose run a `console` block shows: `NAME` of its first
    /// line, `$ cargo run --example NAME`.
    #[must_use]
    pub fn example(&self) -> Option<&str> {
        self.command()?.strip_prefix("cargo run --example ")
    }

    /// The test target whose run a `console` block shows: `NAME` of its first
    /// line, `$ cargo test --test NAME`.
    #[must_use]
    pub fn test(&self) -> Option<&str> {
        self.command()?.strip_prefix("cargo test --test ")
    }

    fn command(&self) -> Option<&str> {
        if self.kind != Kind::Console {
            return None;
        }
        self.text.lines().next()?.strip_prefix("$ ")
    }

    /// Whether it shows a program that must not compile.
    pub(crate) fn fails(&self) -> bool {
        matches!(self.kind, Kind::CompileFail(_))
    }
}

/// What a block shows, and so what checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `rust`: compiled and run by skeptic; must succeed.
    Rust,
    /// `rust,test`: a `[[test]]` target; every test in it must pass.
    Test,
    /// `rust,compile_fail,E0277` or `rust,compile_fail,unused_must_use`: must
    /// give exactly this error, or this lint's message. `no_code` stands for
    /// an error that has no code.
    CompileFail(String),
    /// `console`: a command and what it prints, compared with a real run.
    Console,
    /// `python`: run by CPython.
    Python,
    /// `toml`: a `[dependencies]` block.
    Toml,
    /// `sh`: commands that the project's own checks run.
    Shell,
    /// `text`: prose or a picture in characters; no code in disguise.
    Text,
    /// `sql`: a file that a program of the page embeds by `migrate!`.
    Sql,
}

impl Kind {
    /// Whether it is Rust, in which mdBook hides lines that begin with `# `.
    #[must_use]
    pub fn is_rust(&self) -> bool {
        matches!(self, Kind::Rust | Kind::Test | Kind::CompileFail(_))
    }
}

/// A test of the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Check {
    /// Of the test: chapter, recipe, what is checked, and the fence's line.
    pub name: String,
    /// `book/chapter/page.md:12`
    pub place: String,
    /// What is checked.
    pub what: What,
    /// The server that it needs: a variable and the script that starts it.
    pub service: Option<(String, PathBuf)>,
    /// What the program needs when it is compiled.
    pub beside: Option<Beside>,
    /// Whether the page says that the program needs Linux.
    pub linux: bool,
}

impl Check {
    /// A check that nothing but itself is needed for.
    #[must_use]
    pub fn new(place: &str, what: What) -> Check {
        Check {
            name: String::new(),
            place: place.to_owned(),
            what,
            service: None,
            beside: None,
            linux: false,
        }
    }

    /// What the page shows of it; `None` where that is the program alone.
    pub(crate) fn shown(&self) -> Option<&str> {
        match &self.what {
            What::Program { .. } | What::Python { .. } => None,
            What::Output { shown, .. }
            | What::Tests { shown, .. }
            | What::Error { shown, .. }
            | What::Dependencies { shown, .. }
            | What::Keep { shown, .. }
            | What::Picture { shown, .. } => Some(shown),
        }
    }
}

/// What a [`Check`] checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A program that skeptic compiles and runs.
    Program {
        /// The test's name without the line, as skeptic wants it.
        stem: String,
        /// Of the fence.
        line: usize,
        /// The program.
        text: String,
    },
    /// What an example prints.
    Output {
        /// Its name.
        example: String,
        /// Its source, relative to the book's root.
        file: PathBuf,
        /// What the page shows.
        shown: String,
    },
    /// What a file of tests prints.
    Tests {
        /// The name of the `[[test]]`.
        target: String,
        /// Its source, relative to the book's root.
        file: PathBuf,
        /// Its text.
        program: String,
        /// What the page shows.
        shown: String,
    },
    /// A Python program, which has to end with success.
    Python {
        /// Its file, where it has one; the page may show a part of it.
        file: Option<PathBuf>,
        /// What the page shows.
        text: String,
    },
    /// The parts of programs that a reader keeps, each of which has to compile
    /// alone.
    Keep {
        /// The Rust parts.
        rust: Vec<String>,
        /// The Python parts.
        python: Vec<String>,
        /// The fragments of Rust that call them.
        calls: Vec<String>,
        /// The page's `cargo add` lines.
        shown: String,
    },
    /// The compiler's message for a program.
    Error {
        /// The error's code, `no_code`, or a lint's name.
        expected: String,
        /// The program.
        program: String,
        /// What the page shows.
        shown: String,
    },
    /// The `[dependencies]` that the page's programs need.
    Dependencies {
        /// What the page shows.
        shown: String,
        /// The programs.
        programs: Vec<String>,
    },
    /// A timeline.
    Picture {
        /// Its file, relative to the book's root.
        file: PathBuf,
        /// What the page shows.
        shown: String,
        /// What the page shows of the program's output.
        printed: Option<String>,
    },
}
