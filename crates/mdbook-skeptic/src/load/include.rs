//! mdBook's `{{#include}}` and its kin: found as mdBook finds them, and checked
//! where mdBook only logs.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::anchor::{anchor, is_shared};
use crate::problem::{Fault, Rule};

/// The pattern of `mdbook-driver` 0.5 (`builtin_preprocessors/links.rs`).
static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\\\{\{#.*\}\}|\{\{\s*#([a-zA-Z0-9_]+)\s+([^}]+)\}\}")
        .expect("a valid pattern")
});
/// Looks like a directive to a person, whatever mdBook makes of it.
static LOOKALIKE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\{\{\s*#").expect("a valid pattern"));

/// mdBook gives up on includes nested deeper than this, and drops the text.
const DEEPEST: usize = 10;

/// A directive in a text, by its byte range.
#[derive(Debug, Clone)]
pub(crate) struct Directive {
    pub range: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// `\{{#…}}`: shown as it is, without the backslash.
    Escaped,
    Title,
    Include {
        path: PathBuf,
        part: Part,
    },
    /// The file comes with a fence of its own.
    Playground {
        path: PathBuf,
    },
    /// No directive of mdBook's: it would be shown as it stands.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// From 0, the end not included.
    Lines(usize, Option<usize>),
    Anchor(String),
}

/// All directives of a text, in order.
pub(crate) fn directives(text: &str) -> Vec<Directive> {
    let mut found: Vec<Directive> = Vec::new();
    for capture in DIRECTIVE.captures_iter(text) {
        let range = capture.get(0).expect("group 0").range();
        let kind = match (capture.get(1), capture.get(2)) {
            (Some(name), Some(rest)) => parse(name.as_str(), rest.as_str()),
            _ => Kind::Escaped,
        };
        found.push(Directive { range, kind });
    }
    for lookalike in LOOKALIKE.find_iter(text) {
        let inside = |d: &Directive| d.range.contains(&lookalike.start());
        if !found.iter().any(inside) {
            let range = lookalike.range();
            found.push(Directive { range, kind: Kind::Unknown });
        }
    }
    found.sort_by_key(|directive| directive.range.start);
    found
}

fn parse(name: &str, rest: &str) -> Kind {
    let Some(argument) = rest.split_whitespace().next() else {
        return Kind::Unknown;
    };
    match name {
        "title" => Kind::Title,
        "include" | "rustdoc_include" => {
            let (path, part) = argument
                .split_once(':')
                .map_or((argument, ""), |(path, part)| (path, part));
            Kind::Include { path: path.into(), part: parse_part(part) }
        }
        "playground" | "playpen" => Kind::Playground { path: argument.into() },
        _ => Kind::Unknown,
    }
}

/// As mdBook reads it: numbers are lines from 1, anything else an anchor.
fn parse_part(part: &str) -> Part {
    let mut parts = part.splitn(3, ':');
    let first = parts.next().unwrap_or_default();
    let end = parts.next().map(str::parse::<usize>);
    let start = match first.parse::<usize>() {
        Ok(line) => Some(line.saturating_sub(1)),
        Err(_) if first.is_empty() => None,
        Err(_) => return Part::Anchor(first.to_owned()),
    };
    match (start, end) {
        (Some(start), Some(Ok(end))) => Part::Lines(start, Some(end)),
        (Some(start), Some(Err(_))) => Part::Lines(start, None),
        (Some(start), None) => Part::Lines(start, Some(start + 1)),
        (None, Some(Ok(end))) => Part::Lines(0, Some(end)),
        (None, _) => Part::Whole,
    }
}

/// A broken include.
fn fault(what: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault::new(Rule::Include, what, help)
}

/// Checks a directive and all that it brings in, relative to `base`.
///
/// Pushes each file it names onto `files`.
pub(crate) fn check(
    directive: &Directive,
    text: &str,
    base: &Path,
    root: &Path,
    files: &mut Vec<PathBuf>,
) -> Result<(), Fault> {
    check_nested(directive, text, base, root, files, &mut Vec::new())
}

fn check_nested(
    directive: &Directive,
    text: &str,
    base: &Path,
    root: &Path,
    files: &mut Vec<PathBuf>,
    chain: &mut Vec<PathBuf>,
) -> Result<(), Fault> {
    let shown = &text[directive.range.clone()];
    let (path, part) = match &directive.kind {
        Kind::Escaped | Kind::Title => return Ok(()),
        Kind::Unknown => {
            return Err(fault(
                format!("`{shown}` is no directive of mdBook's"),
                "spell it `{{#include path}}` on one line, or put a \
                 backslash before it to show it as it is",
            ));
        }
        Kind::Include { path, part } => (path, part.clone()),
        Kind::Playground { path } => (path, Part::Whole),
    };
    let file = base.join(path);
    let canonical = file.canonicalize().map_err(|error| {
        fault(
            format!("`{shown}`: cannot read {}: {error}", path.display()),
            "correct the path; it is relative to the page's folder",
        )
    })?;
    if !canonical.starts_with(root) {
        return Err(fault(
            format!("`{shown}` reads a file outside the book's folder"),
            "move the file next to the book",
        ));
    }
    let bytes = fs::read(&canonical).map_err(|error| {
        fault(
            format!("`{shown}`: cannot read {}: {error}", path.display()),
            "name a file, and make it readable",
        )
    })?;
    let content = String::from_utf8(bytes).map_err(|error| {
        fault(
            format!("`{shown}`: {} is not UTF-8 ({error})", path.display()),
            "save the file as UTF-8",
        )
    })?;
    check_part(shown, &content, &part)?;
    if let Some(line) = content.lines().find(|line| is_shared(line)) {
        return Err(fault(
            format!(
                "`{shown}`: mdBook takes out all of a line with an anchor, and \
                 this one holds more: {}",
                line.trim()
            ),
            "put the comment `ANCHOR: name` on a line of its own",
        ));
    }

    files.push(canonical.clone());
    if chain.contains(&canonical) || chain.len() >= DEEPEST {
        return Err(fault(
            format!("`{shown}` includes itself, or nests too deep"),
            format!("break the cycle; mdBook stops at {DEEPEST} levels"),
        ));
    }
    chain.push(canonical.clone());
    let base = canonical.parent().expect("a file has a folder").to_owned();
    for nested in directives(&content) {
        // Braces in a program are its own business: mdBook leaves them alone.
        if matches!(nested.kind, Kind::Unknown) {
            continue;
        }
        if canonical.extension().is_none_or(|extension| extension != "md") {
            return Err(fault(
                format!(
                    "`{shown}`: {} includes something itself, so that what \
                     is shown is not the file",
                    path.display()
                ),
                "include in pages only",
            ));
        }
        check_nested(&nested, &content, &base, root, files, chain)?;
    }
    chain.pop();
    Ok(())
}

fn check_part(shown: &str, content: &str, part: &Part) -> Result<(), Fault> {
    let total = content.lines().count();
    match part {
        Part::Whole if content.trim().is_empty() => Err(fault(
            format!("`{shown}` shows nothing: the file is empty"),
            "write the file, or remove the include",
        )),
        Part::Whole => Ok(()),
        Part::Lines(start, end) => {
            let end = end.unwrap_or(total);
            if *start < end && end <= total {
                return Ok(());
            }
            Err(fault(
                format!("`{shown}`: the file has {total} lines"),
                "correct the range, or use an anchor",
            ))
        }
        Part::Anchor(name) => {
            let mut starts = 0;
            let mut ends = 0;
            let mut lines = 0;
            for line in content.lines() {
                match anchor(line) {
                    Some((of, true)) if of == name => ends += 1,
                    Some((of, false)) if of == name => starts += 1,
                    Some(_) => {}
                    None if starts > ends && !line.trim().is_empty() => {
                        lines += 1;
                    }
                    None => {}
                }
            }
            let wrong = match (starts, ends, lines) {
                (0, _, _) => "is not in the file",
                (1, 1, 0) => "holds no line",
                (1, 1, _) => return Ok(()),
                (1, 0, _) => "is never closed",
                _ => "does not open and close exactly once",
            };
            Err(fault(
                format!("`{shown}`: the anchor `{name}` {wrong}"),
                format!(
                    "put `ANCHOR: {name}` and `ANCHOR_END: {name}` around the lines to show"
                ),
            ))
        }
    }
}
