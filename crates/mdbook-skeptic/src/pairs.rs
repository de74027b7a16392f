//! What a block shows, and what must stand beside it.

use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::fence::Kind;
use crate::include;
use crate::page::{Block, Picture};
use crate::timeline;

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[A-Za-z0-9_-]+$").expect("a valid pattern"));
static PYTHON_ASSERTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*(assert\b|raise AssertionError|with pytest\.raises)")
        .expect("a valid pattern")
});

/// Checks the blocks of a page one against the other; a fault is (line, what
/// is wrong, how to correct it).
///
/// `commands` are those that the project's own checks run, in their order.
pub(crate) fn check(
    root: &Path,
    blocks: &[Block],
    commands: &[String],
) -> Vec<(usize, String, String)> {
    let mut faults = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let mut fault = |what: String, help: String| {
            faults.push((block.line, what, help));
        };
        let before = index.checked_sub(1).map(|before| &blocks[before]);
        if let Some((what, help)) = altered(root, block) {
            fault(what, help);
        }
        match &block.kind {
            Kind::Console => {
                if let Err((what, help)) = console(root, block, before) {
                    fault(what, help);
                }
            }
            Kind::CompileFail(expected) => {
                let message = blocks.get(index + 1);
                let here = |next: &Block| {
                    next.kind == Kind::Text && next.heading == block.heading
                };
                if !message.is_some_and(here) {
                    fault(
                        format!("the message of {expected} is not shown"),
                        "put the compiler's message into a ```text fence \
                         right after this block"
                            .into(),
                    );
                }
            }
            Kind::Test => {
                let name = block.file().and_then(Path::file_stem);
                let next = blocks.get(index + 1).and_then(Block::test);
                if name.is_none() || name != next.map(OsStr::new) {
                    fault(
                        "the run of these tests is not shown".into(),
                        "include the file of a [[test]] target, and put \
                         ```console with `$ cargo test --test NAME` right \
                         after it"
                            .into(),
                    );
                }
            }
            Kind::Python => {
                // The whole file runs; the page may show a part of it.
                let file = block.file().map(|file| root.join(file));
                let file = file.and_then(|file| fs::read_to_string(file).ok());
                let program = file.as_deref().unwrap_or(&block.text);
                if !PYTHON_ASSERTS.is_match(program) {
                    fault(
                        "this Python asserts nothing".into(),
                        "assert what the page says of it".into(),
                    );
                }
            }
            Kind::Shell => {
                let lines = block.text.lines().map(str::trim);
                let lines: Vec<&str> =
                    lines.filter(|line| !line.is_empty()).collect();
                let run = |at: &[String]| at.iter().eq(lines.iter().copied());
                if !lines.is_empty() && !commands.windows(lines.len()).any(run)
                {
                    fault(
                        format!("no check runs `{}`", lines.join("; ")),
                        "run these lines, one after the other as they stand \
                         here, in the script that book.toml names as `commands`"
                            .into(),
                    );
                }
            }
            Kind::Sql => {
                let embeds = blocks.iter().any(|other| {
                    other.kind == Kind::Rust
                        && other.text.contains("migrate!(")
                        && embedded(other).is_some_and(|folder| {
                            block.file().is_some_and(|f| f.starts_with(folder))
                        })
                });
                if !embeds {
                    fault(
                        "no program of this page runs this SQL".into(),
                        "include a file of the `migrations` beside a program \
                         that embeds them by `sqlx::migrate!`"
                            .into(),
                    );
                }
            }
            Kind::Text | Kind::Json => {
                let runs = |before: &Block| {
                    before.heading == block.heading
                        && (before.kind.is_rust()
                            || [Kind::Python, Kind::Console]
                                .contains(&before.kind))
                        && !matches!(before.kind, Kind::CompileFail(_))
                };
                if before.is_some_and(runs) {
                    fault(
                        "this may be what the program prints, and nothing \
                         compares it"
                            .into(),
                        "show it in a ```console fence, or under a heading of \
                         its own"
                            .into(),
                    );
                }
            }
            Kind::Toml if blocks.iter().all(|b| !b.kind.is_rust()) => {
                fault(
                    "no program on this page needs these dependencies".into(),
                    "show the program with them".into(),
                );
            }
            _ => {}
        }
        let message = before
            .is_some_and(|b| matches!(b.kind, Kind::CompileFail(_)))
            && block.kind == Kind::Text;
        if (message || block.kind == Kind::Console) && !block.files.is_empty() {
            fault(
                "what a program or the compiler prints stands in the page, and \
                 here a file is included"
                    .into(),
                "remove the include, and run `cargo bless`".into(),
            );
        }
    }
    faults
}

/// The folder of migrations beside a program.
fn embedded(block: &Block) -> Option<std::path::PathBuf> {
    Some(block.file()?.parent()?.join("migrations"))
}

/// The lines of its file that a block shows, from 0, anchors not counted and
/// without blank ones around them.
pub(crate) fn place(root: &Path, block: &Block) -> Option<Range<usize>> {
    let lines = lines_of(root, block)?;
    let shown = shown(block)?;
    let same = |at: &[String]| at.iter().eq(shown.iter().copied());
    let start = lines.windows(shown.len()).position(same)?;
    Some(start..start + shown.len())
}

/// The lines of a block without a command above them, and without blank ones
/// around them.
fn shown(block: &Block) -> Option<Vec<&str>> {
    let skip = usize::from(block.kind == Kind::Console);
    let mut shown: Vec<&str> =
        block.text.trim_end().lines().skip(skip).collect();
    let first = shown.iter().position(|line| !line.is_empty())?;
    Some(shown.split_off(first))
}

/// The lines of the file that a block shows, without its anchors.
fn lines_of(root: &Path, block: &Block) -> Option<Vec<String>> {
    let text = fs::read_to_string(root.join(block.file()?)).ok()?;
    let lines = text.lines().filter(|line| !include::is_anchor(line));
    Some(lines.map(str::to_owned).collect())
}

/// What is shown must be the file's, line by line: a list takes indentation
/// off, and a preprocessor can change anything.
fn altered(root: &Path, block: &Block) -> Option<(String, String)> {
    lines_of(root, block)?;
    shown(block)?;
    if place(root, block).is_some() {
        return None;
    }
    Some((
        format!("this is not what {} holds", block.file()?.display()),
        "include it outside of lists and quotes, as it is".into(),
    ))
}

/// Whether a block shows its whole file, hidden lines included.
fn is_whole(root: &Path, block: &Block) -> bool {
    lines_of(root, block).is_some_and(|lines| {
        let file = lines.join("\n");
        file.trim() == block.text.trim()
    })
}

fn console(
    root: &Path,
    block: &Block,
    before: Option<&Block>,
) -> Result<(), (String, String)> {
    let name = block.example().or(block.test());
    let Some(name) = name.filter(|name| NAME.is_match(name)) else {
        return Err((
            "no checker for this command".into(),
            "begin with `$ cargo run --example NAME`, and show what it prints"
                .into(),
        ));
    };
    if block.test().is_some() && before.is_none_or(|b| b.kind != Kind::Test) {
        return Err((
            format!("the tests of `{name}` are not shown"),
            "put them into a ```rust,test fence right before this one".into(),
        ));
    }
    let of = before.filter(|before| before.kind.is_rust());
    let of = of.and_then(Block::file).and_then(Path::file_stem);
    if of.is_none_or(|stem| stem != name) {
        return Err((
            format!("the program `{name}` is not shown above its output"),
            format!("include {name}.rs in the fence right before this one"),
        ));
    }
    if !before.is_some_and(|before| is_whole(root, before)) {
        return Err((
            format!("a part of `{name}` is neither shown nor hidden"),
            "put all of it between `ANCHOR: all` and `ANCHOR_END: all`".into(),
        ));
    }
    Ok(())
}

/// A picture must be all of its file, and of a program that the page shows.
pub(crate) fn pictures(
    root: &Path,
    blocks: &[Block],
    pictures: &[Picture],
) -> Vec<(usize, String, String)> {
    let shown = |picture: &&Picture| {
        let program = timeline::source(&picture.file).map(|(file, _)| file);
        blocks.iter().any(|block| {
            block.kind.is_rust() && block.file() == program.as_deref()
        })
    };
    let whole = |picture: &Picture| {
        let file = fs::read_to_string(root.join(&picture.file));
        file.is_ok_and(|file| file.trim_end() == picture.text.trim_end())
    };
    pictures
        .iter()
        .filter_map(|picture| {
            if !whole(picture) {
                let file = picture.file.display();
                let what = format!("this is not all of {file}");
                let help = "include the whole file, and nothing beside it";
                return Some((picture.line, what, help.into()));
            }
            if shown(&picture) {
                return None;
            }
            let what = format!(
                "{} is drawn from no program of this page",
                picture.file.display()
            );
            let help = "call it after a program that the page shows, \
                        `program.svg` or `program.anchor.svg`"
                .into();
            Some((picture.line, what, help))
        })
        .collect()
}
