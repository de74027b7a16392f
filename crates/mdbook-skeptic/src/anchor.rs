//! `ANCHOR` comments, which name a part of a file, and the part that a block
//! shows.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::compare;
use crate::model::{Block, Kind};

static ANCHOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"ANCHOR(_END)?:\s*([\w_-]+)").expect("a valid pattern")
});

/// Whether a line of a program is an anchor's comment.
pub(crate) fn is_anchor(line: &str) -> bool {
    ANCHOR.is_match(line)
}

/// Whether a line with an anchor holds anything else: mdBook takes out all of it.
pub(crate) fn is_shared(line: &str) -> bool {
    static ALONE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s*(//|#|--) ANCHOR(_END)?: [\w-]+$")
            .expect("a valid pattern")
    });
    is_anchor(line) && !ALONE.is_match(line)
}

/// The name of an anchor that a line begins, or ends: then also `true`.
pub(crate) fn anchor(line: &str) -> Option<(&str, bool)> {
    let mark = ANCHOR.captures(line)?;
    Some((mark.get(2)?.as_str(), mark.get(1).is_some()))
}

/// The lines between the two comments of an anchor, as indices from 0 into all
/// lines of a text; `None` where it has no such anchor, or an empty one.
pub(crate) fn lines_of(text: &str, name: &str) -> Option<Range<usize>> {
    let at = |is_end| {
        text.lines().position(|line| anchor(line) == Some((name, is_end)))
    };
    let (start, end) = (at(false)? + 1, at(true)?);
    (start < end).then_some(start..end)
}

/// A text without its anchors' comments.
pub(crate) fn without_anchors<'t>(
    lines: impl Iterator<Item = &'t str>,
) -> String {
    let lines = lines.filter(|line| !is_anchor(line));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// The lines of the file that a block shows, without its anchors.
pub(crate) fn lines_of_file(root: &Path, block: &Block) -> Option<Vec<String>> {
    let text = fs::read_to_string(root.join(block.file()?)).ok()?;
    let lines = text.lines().filter(|line| !is_anchor(line));
    Some(lines.map(str::to_owned).collect())
}

/// The lines of its file that a block shows, from 0, anchors not counted and
/// without blank ones around them.
pub(crate) fn place(root: &Path, block: &Block) -> Option<Range<usize>> {
    let lines = lines_of_file(root, block)?;
    let shown = shown(block)?;
    let same = |at: &[String]| at.iter().eq(shown.iter().copied());
    let start = lines.windows(shown.len()).position(same)?;
    Some(start..start + shown.len())
}

/// The lines of a block without a command above them, and without blank ones
/// around them.
pub(crate) fn shown(block: &Block) -> Option<Vec<&str>> {
    let skip = usize::from(block.kind == Kind::Console);
    let mut shown: Vec<&str> =
        block.text.trim_end().lines().skip(skip).collect();
    let first = shown.iter().position(|line| !line.is_empty())?;
    Some(shown.split_off(first))
}

/// Whether a block shows its whole file, hidden lines included.
pub(crate) fn is_whole(root: &Path, block: &Block) -> bool {
    lines_of_file(root, block).is_some_and(|lines| {
        let file = lines.join("\n");
        compare::same(file.trim_start(), block.text.trim_start())
    })
}
