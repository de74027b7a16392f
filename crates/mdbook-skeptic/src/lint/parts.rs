//! Which lines of a page's Python program correspond to which of its Rust
//! program: anchors of the same name in both files.

use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::anchor::{self, place};
use crate::model::{Block, Kind, Part};
use crate::problem::Problem;

/// A program as a block shows it.
struct Program<'a> {
    file: &'a Path,
    /// The lines of the file that are shown, from 0, anchors not counted.
    shown: Range<usize>,
    /// How many blank lines of the block come before them.
    blank: usize,
}

impl<'a> Program<'a> {
    fn of(root: &Path, block: &'a Block) -> Option<Program<'a>> {
        let lines = block.text.lines();
        Some(Program {
            file: block.file()?,
            shown: place(root, block)?,
            blank: lines.take_while(|line| line.is_empty()).count(),
        })
    }

    fn in_block(&self, anchor: &Anchor) -> Range<usize> {
        let lines = |at: usize| at - self.shown.start + self.blank;
        lines(anchor.holds.start)..lines(anchor.holds.end)
    }

    /// The anchors within the lines that are shown, but for one around all of
    /// them.
    fn anchors(&self, root: &Path, problems: &mut Vec<Problem>) -> Vec<Anchor> {
        let text = fs::read_to_string(root.join(self.file)).unwrap_or_default();
        let mut found: Vec<Anchor> = Vec::new();
        let mut open: Vec<(&str, usize, usize)> = Vec::new();
        let mut wrong = Vec::new();
        // How many lines there were, and how many up to the last not blank.
        let (mut number, mut filled) = (0, 0);
        for (line, code) in (1..).zip(text.lines()) {
            match anchor::anchor(code) {
                None => {
                    number += 1;
                    if !code.trim().is_empty() {
                        filled = number;
                    }
                }
                Some((name, false)) => {
                    let again = found.iter().any(|anchor| anchor.name == name)
                        || open.iter().any(|(other, ..)| *other == name);
                    if again {
                        wrong.push((line, name));
                    }
                    open.push((name, line, number));
                }
                Some((name, true)) => {
                    let begun =
                        open.iter().position(|(other, ..)| *other == name);
                    let Some(begun) = begun.map(|at| open.remove(at)) else {
                        wrong.push((line, name));
                        continue;
                    };
                    let (_, line, start) = begun;
                    if start >= filled {
                        wrong.push((line, name));
                        continue;
                    }
                    let name = name.to_owned();
                    found.push(Anchor { name, line, holds: start..filled });
                }
            }
        }
        wrong.extend(open.iter().map(|(name, line, _)| (*line, *name)));
        for (line, name) in wrong {
            problems.push(Problem::new(
                self.file,
                line,
                format!(
                    "the anchor `{name}` holds nothing, or does not open and \
                     close exactly once"
                ),
                format!(
                    "put `ANCHOR: {name}` and `ANCHOR_END: {name}` around the \
                     lines that it stands for"
                ),
            ));
        }
        found.retain(|Anchor { holds, .. }| {
            let shown = &self.shown;
            let inside = shown.start <= holds.start && holds.end <= shown.end;
            inside && holds != shown
        });
        found
    }
}

/// An anchor of a file.
struct Anchor {
    name: String,
    /// Where it begins in the file, from 1.
    line: usize,
    /// The lines of the file that it holds, from 0, anchors not counted.
    holds: Range<usize>,
}

/// The parts of a page, in the order of its Python program.
pub(crate) fn of(
    root: &Path,
    blocks: &[Block],
    problems: &mut Vec<Problem>,
) -> Vec<Part> {
    let first = |heading: &str, is: fn(&Kind) -> bool| {
        let block = blocks.iter().find(|b| b.heading == heading && is(&b.kind));
        Program::of(root, block?)
    };
    let python = first("In Python", |kind| *kind == Kind::Python);
    let rust = first("In Rust", Kind::is_rust);
    let (Some(python), Some(rust)) = (python, rust) else { return Vec::new() };
    let of_python = python.anchors(root, problems);
    let of_rust = rust.anchors(root, problems);

    // A fragment of the program needs no counterpart.
    let is_fragment = |anchor: &Anchor| {
        blocks.iter().any(|block| {
            block.file() == Some(python.file)
                && place(root, block).as_ref() == Some(&anchor.holds)
        })
    };
    let mut matched = Vec::new();
    for anchor in &of_python {
        match of_rust.iter().find(|other| other.name == anchor.name) {
            Some(other) => matched.push((anchor, other)),
            None if is_fragment(anchor) => {}
            None => problems.push(Problem::new(
                python.file,
                anchor.line,
                format!(
                    "what the page shows of {} has no anchor `{}` to match",
                    rust.file.display(),
                    anchor.name
                ),
                "put it around the lines that correspond, or correct the name",
            )),
        }
    }
    let of_python = matched.iter().map(|(anchor, _)| *anchor);
    apart(python.file, of_python.collect(), problems);
    let of_rust = matched.iter().map(|(_, anchor)| *anchor);
    apart(rust.file, of_rust.collect(), problems);

    // They share no lines, so that the first to end was the first to begin.
    let parts = matched.into_iter().map(|(anchor, other)| Part {
        name: anchor.name.clone(),
        python: python.in_block(anchor),
        rust: rust.in_block(other),
    });
    parts.collect()
}

/// Reports parts of a file that share lines: a line belongs to one part.
fn apart(file: &Path, mut parts: Vec<&Anchor>, problems: &mut Vec<Problem>) {
    parts.sort_by_key(|anchor| anchor.holds.start);
    for pair in parts.windows(2) {
        let [first, second] = pair else { continue };
        if second.holds.start < first.holds.end {
            problems.push(Problem::new(
                file,
                second.line,
                format!(
                    "the parts `{}` and `{}` share lines",
                    first.name, second.name
                ),
                "end one before the other begins",
            ));
        }
    }
}
