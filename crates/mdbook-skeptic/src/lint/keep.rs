//! The parts of programs that a reader keeps: the anchors `keep`, and `call`,
//! which shows how they are used.
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

/// The name of the anchor of a fragment that calls it.
const CALL: &str = "call";

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

/// The parts that a page's blocks show, and what is wrong with them, each fault
/// with its line; `None` where the first Rust block is not the anchor `keep` of
/// its program.
pub(crate) fn of(
    root: &Path,
    blocks: &[Block],
) -> (Option<Keep>, Vec<(usize, Fault)>) {
    let parts = |is: fn(&Kind) -> bool| {
        let blocks = blocks.iter().filter(move |block| is(&block.kind));
        let parts = blocks.map(|block| (block, part(root, block, NAME)));
        parts.collect::<Vec<_>>()
    };
    let rust = parts(Kind::is_rust);
    let python = parts(|kind| *kind == Kind::Python);
    let Some((block, Some(_))) = rust.first() else {
        return (None, Vec::new());
    };
    let mut faults = Vec::new();
    let mut fault = |line, what: String, help: &str| {
        faults.push((line, Fault::new(Rule::Keep, what, help)));
    };
    if let Some((python, None)) = python.first() {
        fault(
            python.line,
            "the part to keep is shown in Rust, and not in Python".into(),
            "put the anchor `keep` around the same part of the Python program, \
             and include `:keep`",
        );
    }
    for (block, text) in rust.iter().chain(&python) {
        let Some(text) = text else { continue };
        let count = text.lines().count();
        if count > LINES {
            fault(
                block.line,
                format!("the part to keep has {count} lines"),
                &format!(
                    "show at most {LINES}; move the rest below it, or to \
                     another page"
                ),
            );
        }
        // Comments may speak of them.
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !is_comment(line.trim_start()))
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
    let file = block.file().unwrap_or(Path::new("")).to_owned();
    let keep = Keep {
        file,
        line: added.line,
        commands: added.text.clone(),
        calls: rust
            .iter()
            .filter_map(|(block, _)| part(root, block, CALL))
            .collect(),
        rust: rust.into_iter().filter_map(|(_, text)| text).collect(),
        python: python.into_iter().filter_map(|(_, text)| text).collect(),
    };
    (Some(keep), faults)
}

/// Of Rust or of Python, or the start of a docstring.
fn is_comment(line: &str) -> bool {
    ["//", "# ", "\""].iter().any(|start| line.starts_with(start))
}

/// The anchor of this name in a block's file, if that is what the block shows.
fn part(root: &Path, block: &Block, name: &str) -> Option<String> {
    let file = fs::read_to_string(root.join(block.file()?)).ok()?;
    let lines = lines_of(&file, name)?;
    let part = file.lines().skip(lines.start).take(lines.len());
    let part = without_anchors(part);
    (part.trim_end() == block.shown.trim_end()).then_some(part)
}
