//! The part of a page's first program that a reader keeps: the anchor `keep`.
//!
//! Programs are compiled with warnings as errors: an item of the part that the
//! rest of the program does not use is one.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::RegexSet;

use crate::anchor::{lines_of, without_anchors};
use crate::model::{Block, Keep, Kind};
use crate::problem::{Fault, Rule};

/// The name of its anchor, in Rust and in Python.
const NAME: &str = "keep";

/// How many lines it may have.
const LINES: usize = 70;

/// What belongs to the rest of the program: assertions, the paused clock, a
/// seed.
static OF_TESTS: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        r"\b(debug_)?assert(_\w+)?!",
        r"\b(panic|todo|unimplemented)!",
        r"(?m)(^|:)\s*assert\b",
        r"\bAssertionError\b",
        r"\bstart_paused\b",
        r"\btime::(\{[^}]*)?\b(pause|advance|resume)\b",
        r"::\w*seed\w*\b|\bseed\(|\bRandom\(",
    ])
    .expect("valid patterns")
});

/// The part that a page's blocks show, and what is wrong with it, each fault
/// with its line; `None` where the first Rust block is not the anchor `keep` of
/// its program.
pub(crate) fn of(
    root: &Path,
    blocks: &[Block],
) -> (Option<Keep>, Vec<(usize, Fault)>) {
    let first = |is: fn(&Kind) -> bool| blocks.iter().find(|b| is(&b.kind));
    let rust = first(Kind::is_rust);
    let found = rust.and_then(|block| Some((block, part(root, block)?)));
    let Some((block, text)) = found else { return (None, Vec::new()) };
    let mut faults = Vec::new();
    let mut fault = |line, what: String, help: &str| {
        faults.push((line, Fault::new(Rule::Keep, what, help)));
    };
    let python = first(|kind| *kind == Kind::Python);
    let of_python = python.and_then(|python| part(root, python));
    match python {
        Some(python) if of_python.is_none() => fault(
            python.line,
            "the part to keep is shown in Rust, and not in Python".into(),
            "put the anchor `keep` around the same part of the Python program, \
             and include `:keep`",
        ),
        _ => {}
    }
    let both =
        [(block, Some(&text)), (python.unwrap_or(block), of_python.as_ref())];
    for (block, text) in both {
        let Some(text) = text else { continue };
        let count = text.lines().count();
        if count > LINES {
            fault(
                block.line,
                format!("the part to keep has {count} lines"),
                "show at most 70; move the rest below it, or to another page",
            );
        }
        // Comments may speak of them.
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with(['/', '#', '"']))
            .collect();
        if OF_TESTS.is_match(&code.join("\n")) {
            fault(
                block.line,
                "the part to keep holds an assertion, a panic, a paused clock \
                 or a seed"
                    .into(),
                "move it below the part to keep",
            );
        }
    }
    let adds = |block: &&Block| {
        let mut lines = block.text.lines();
        block.kind == Kind::Shell && lines.all(|l| l.starts_with("cargo add"))
    };
    let mut commands = blocks.iter().filter(adds);
    let (Some(added), None) = (commands.next(), commands.next()) else {
        fault(
            block.line,
            "the part to keep has no `cargo add` lines, or two blocks of them"
                .into(),
            "show one ```sh block with a line `cargo add`; `cargo bless` \
             writes them",
        );
        return (None, faults);
    };
    let keep = Keep {
        file: block.file().unwrap_or(Path::new("")).to_owned(),
        text,
        python: of_python,
        line: added.line,
        commands: added.text.clone(),
    };
    (Some(keep), faults)
}

/// The anchor `keep` of a block's file, if that is what the block shows.
fn part(root: &Path, block: &Block) -> Option<String> {
    let file = fs::read_to_string(root.join(block.file()?)).ok()?;
    let lines = lines_of(&file, NAME)?;
    let part = file.lines().skip(lines.start).take(lines.len());
    let part = without_anchors(part);
    (part.trim_end() == block.shown.trim_end()).then_some(part)
}
