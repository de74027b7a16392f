//! Breaks blocks: every fence, every assertion, every picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::python;
use super::results::read;
use crate::model::{Block, Book, Kind, Page};
use crate::run::workspace::Workspace;

/// One way to break one block.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub kind: &'static str,
    /// Relative to the book's root.
    pub file: PathBuf,
    /// The file's text with the change in it.
    pub text: String,
    /// Where, for a person: the line in the file, from 1.
    pub line: usize,
}

/// The kind whose program must compile and run to be caught.
pub(crate) const INVERTED: &str = "Rust assertion inverted";

/// Kinds of which each is caught by one comparison of two texts, and how many
/// of each are enough.
const COMPARED: [&str; 4] = [
    "dependency changed",
    "include path wrong",
    "message line changed",
    "output line changed",
];
const ENOUGH: usize = 25;

/// The mutants of the blocks of a book: all that apply, of [`COMPARED`] a
/// sample.
pub(crate) fn mutants(
    book: &Book,
    workspace: &Workspace,
) -> Result<Vec<Mutant>, String> {
    let mut found = Vec::new();
    let mut files = BTreeSet::new();
    for page in &book.pages {
        let text = read(&book.root, &page.file)?;
        for (index, block) in page.blocks.iter().enumerate() {
            let before = index.checked_sub(1).map(|at| &page.blocks[at]);
            of_fence(page, block, before, &text, &mut found);
            for file in &block.files {
                if !files.insert(file.clone()) {
                    continue;
                }
                let text = read(&book.root, file)?;
                of_file(workspace, file, block, &text, &mut found)?;
            }
        }
        for picture in &page.pictures {
            of_picture(&picture.file, &picture.text, &mut found);
        }
    }
    let mut counts = BTreeMap::new();
    for mutant in &found {
        *counts.entry(mutant.kind).or_insert(0) += 1;
    }
    let mut seen = BTreeMap::new();
    found.retain(|Mutant { kind, .. }| {
        let (seen, count) = (seen.entry(*kind).or_insert(0), counts[kind]);
        *seen += 1;
        // One for each step over the boundary of a share.
        !COMPARED.contains(kind)
            || *seen * ENOUGH / count > (*seen - 1) * ENOUGH / count
    });
    Ok(found)
}

/// The text with one line, from 1, put in place of what it was.
fn with_line(text: &str, line: usize, new: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines[line - 1] = new;
    lines.join("\n") + "\n"
}

fn of_fence(
    page: &Page,
    block: &Block,
    before: Option<&Block>,
    text: &str,
    found: &mut Vec<Mutant>,
) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(fence) = lines.get(block.line - 1) else { return };
    let mut push = |kind, line: usize, new: &str| {
        found.push(Mutant {
            kind,
            file: page.file.clone(),
            text: with_line(text, line, new),
            line,
        });
    };
    let skipping = match &block.kind {
        Kind::Text | Kind::Shell | Kind::Sql => "```".to_owned(),
        _ => format!("{fence},ignore"),
    };
    push("tag that skips", block.line, &skipping);
    if let Kind::CompileFail(expected) = &block.kind {
        let other = if expected == "E0308" { "E0277" } else { "E0308" };
        let fence = fence.replace(expected.as_str(), other);
        push("error code changed", block.line, &fence);
    }
    let of_error = before.is_some_and(Block::fails);
    let printed = match block.kind {
        Kind::Console => Some("output line changed"),
        Kind::Text if of_error => Some("message line changed"),
        _ => None,
    };
    let body = block.line + 1..=block.line + block.text.lines().count();
    for line in body {
        let Some(old) = lines.get(line - 1) else { break };
        if old.starts_with("```") {
            break;
        }
        // The command is another rule's.
        let command = block.kind == Kind::Console && line == block.line + 1;
        if let Some(kind) = printed.filter(|_| !command && !old.is_empty()) {
            push(kind, line, &format!("{old}!"));
        }
        if old.starts_with("{{#") {
            push("include path wrong", line, &old.replacen('.', "x.", 1));
        }
        if block.kind == Kind::Toml && old.contains(" = ") {
            push("dependency changed", line, &bumped(old));
            push("dependency changed", line, "# none");
        }
    }
}

/// `"1.54.1"` becomes `"1.54.19"`.
fn bumped(line: &str) -> String {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(\d[^"]*)""#).expect("a valid pattern")
    });
    VERSION.replace(line, "\"${1}9\"").into_owned()
}

fn of_file(
    workspace: &Workspace,
    file: &Path,
    block: &Block,
    text: &str,
    found: &mut Vec<Mutant>,
) -> Result<(), String> {
    let mut push = |kind, line, text| {
        found.push(Mutant { kind, file: file.to_owned(), text, line });
    };
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
    match extension {
        "rs" if block.kind.is_rust() => {
            let broken = text.replacen("fn main(", "fn main((", 1);
            let broken = if broken == *text {
                text.replacen("fn ", "fn (", 1)
            } else {
                broken
            };
            push("Rust syntax error", 1, broken);
            if !block.fails() {
                for (line, inverted) in rust_inverted(text) {
                    push(INVERTED, line, inverted);
                }
            }
        }
        "py" => {
            for change in python::assertions(workspace, text)? {
                push("Python assertion inverted", change.line, change.text);
            }
        }
        _ => {}
    }
    Ok(())
}

/// A picture with a bar taken out, and with a word too many.
fn of_picture(file: &Path, text: &str, found: &mut Vec<Mutant>) {
    let lines = text.lines().enumerate();
    let ways = [
        ("timeline without a bar", "<rect", ""),
        ("timeline told wrongly", "</li>", "; and more</li>"),
    ];
    for (kind, of, new) in ways {
        let Some((index, line)) =
            lines.clone().find(|(_, line)| line.contains(of))
        else {
            continue;
        };
        let new = if new.is_empty() {
            "<g></g>".to_owned()
        } else {
            line.replace(of, new)
        };
        let text = with_line(text, index + 1, &new);
        let file = file.to_owned();
        found.push(Mutant { kind, file, text, line: index + 1 });
    }
}

/// A program with one of its assertions inverted, for each of them.
fn rust_inverted(text: &str) -> Vec<(usize, String)> {
    let mut inverted = Vec::new();
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (from, to) in [
            ("assert_eq!(", "assert_ne!("),
            ("assert_ne!(", "assert_eq!("),
            ("assert!(", "assert_not!("),
        ] {
            for (at, _) in line.match_indices(from) {
                // `debug_assert!` contains `assert!`.
                let before = line[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let at = start + at;
                let mut mutated = text.to_owned();
                mutated.replace_range(at..at + from.len(), to);
                if from == "assert!(" {
                    let first = mutated.find('\n').map_or(0, |end| end + 1);
                    mutated.insert_str(first, ASSERT_NOT);
                }
                inverted.push((index + 1, mutated));
            }
        }
    }
    inverted
}

/// After the first line, an anchor's comment, and before the rest.
const ASSERT_NOT: &str = "macro_rules! assert_not { \
    ($claim:expr $(, $($message:tt)*)?) => { assert!(!$claim) }; \
    ($claim:expr,) => { assert!(!$claim) } }\n";
