//! Rewrites what a book shows of its programs: outputs, the compiler's
//! messages, dependency blocks, timelines; and the files that are made from it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mdbook_driver::config::Config;

use crate::anchor::is_anchor;
use crate::compare;
use crate::generated;
use crate::load::page::invisible;
use crate::load::{config, include};
use crate::model::{Block, Book, Check, Kind, Page, What, drawn_from};
use crate::plan;
use crate::problem::Problem;
use crate::run::workspace::{Context, Workspace};

/// Rewrites every output, message, dependency block and timeline that a page
/// shows, from a run of the programs as they are, and the files that are made
/// from the pages. Returns the files that have changed.
///
/// With `only`, outputs, messages, blocks and timelines of the other pages are
/// left as they are.
///
/// # Errors
///
/// Everything that stands in the way, one problem each; what could be
/// rewritten has been.
pub fn bless(
    root: impl AsRef<Path>,
    only: Option<&Path>,
) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let root = root.as_ref();
    let only = only.map(|only| config::page(root, only)).transpose()?;
    let mut changed = make_missing(root);
    let book = Book::load(root)?;
    let is_asked =
        |page: &&Page| only.as_ref().is_none_or(|only| page.file == *only);
    let mut problems = Vec::new();
    let mut report = |file: &Path, line, what| {
        problems.push(Problem::new(file, line, what, AGAIN));
    };
    // First the manifests: without them there is nothing to run.
    let files = generated::files(&book).unwrap_or_else(|why| {
        report(Path::new("book.toml"), None, why);
        Vec::new()
    });
    for (file, text) in files {
        match write(&book, &file, &text) {
            Ok(false) => {}
            Ok(true) => changed.push(file),
            Err(why) => report(&file, None, why),
        }
    }
    // Blocks below a table that has grown stand elsewhere now.
    let book = Book::load(root)?;
    let mut checks = plan::checks(&book);
    checks.retain(|check| check.shown().is_some());
    let workspace = Workspace::new(&book.root);
    if !checks.is_empty()
        && let Err(why) = workspace.libraries()
    {
        let what = format!("the programs do not compile:\n{why}");
        problems.push(Problem::whole("snippets", what, AGAIN));
        return Err(problems);
    }
    let context = Context {
        workspace: &workspace,
        limit: Duration::from_secs(book.settings.time_limit),
        features: book.settings.features.as_deref(),
    };
    for page in book.pages.iter().filter(is_asked) {
        let place = format!("{}:", page.file.display());
        let mut bodies = Vec::new();
        // What a program prints comes before its timeline.
        let mut printed = BTreeMap::new();
        let of_page = checks.iter().filter(|c| c.place.starts_with(&place));
        for check in of_page {
            let line = check.place[place.len()..].parse().ok();
            let mut check = check.clone();
            if let What::Picture { file, printed: output, .. } = &mut check.what
            {
                let program = drawn_from(file).map(|(of, _)| of);
                let stem = program.as_deref().and_then(Path::file_stem);
                let stem = stem.and_then(|stem| stem.to_str());
                if let Some(new) = stem.and_then(|stem| printed.get(stem)) {
                    *output = Some(String::clone(new));
                }
            }
            let text = match check.correction(&context) {
                Ok(None) => continue,
                Ok(Some(text)) => text,
                Err(why) => {
                    report(&page.file, line, why);
                    continue;
                }
            };
            match &check.what {
                What::Picture { file, .. } => {
                    match write(&book, file, &text) {
                        Ok(false) => {}
                        Ok(true) => changed.push(file.clone()),
                        Err(why) => report(&page.file, line, why),
                    }
                    continue;
                }
                What::Output { example, .. } => {
                    printed.insert(example.clone(), text.clone());
                }
                _ => {}
            }
            if let Some(block) = block_of(page, &check, line) {
                bodies.push((block, text));
            }
        }
        bodies.sort_by_key(|(block, _)| block.line);
        match rewrite(&book, page, &bodies) {
            Ok(false) => {}
            Ok(true) => changed.push(page.file.clone()),
            Err((line, why)) => report(&page.file, line, why),
        }
    }
    changed.sort();
    changed.dedup();
    if problems.is_empty() { Ok(changed) } else { Err(problems) }
}

const AGAIN: &str = "correct it, and run `cargo bless` again";

/// The block that shows what a check finds out: that of a message or of a
/// test's output comes after the program, where the check stands.
fn block_of<'a>(
    page: &'a Page,
    check: &Check,
    line: Option<usize>,
) -> Option<&'a Block> {
    let at = page.blocks.iter().position(|b| Some(b.line) == line)?;
    let after = matches!(check.what, What::Tests { .. } | What::Error { .. });
    page.blocks.get(at + usize::from(after))
}

/// Puts texts into the blocks of a page that show them; whether the page has
/// changed.
///
/// # Errors
///
/// The line of the block, where it is one, and why it cannot be written.
fn rewrite(
    book: &Book,
    page: &Page,
    bodies: &[(&Block, String)],
) -> Result<bool, (Option<usize>, String)> {
    let source = fs::read_to_string(book.root.join(&page.file))
        .map_err(|error| (None, format!("cannot read the page: {error}")))?;
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    // From the end of the page to its start, so that lines keep their numbers.
    for (block, text) in bodies.iter().rev() {
        let failed = |why: String| (Some(block.line), why);
        put(&mut lines, block, text).map_err(failed)?;
    }
    write(book, &page.file, &(lines.join("\n") + "\n"))
        .map_err(|why| (None, why))
}

/// Puts a text into one block, below its command.
fn put(
    lines: &mut Vec<String>,
    block: &Block,
    text: &str,
) -> Result<(), String> {
    if !include::directives(text).is_empty() {
        return Err(
            "what is printed holds `{{#`, which mdBook takes for a directive"
                .into(),
        );
    }
    // The book would not load with these, and `bless` could not correct it.
    if let Some(line) = text.lines().find(|line| is_anchor(line)) {
        return Err(format!("what is printed looks like an anchor: {line}"));
    }
    if let Some(mark) =
        invisible(text).or(text.chars().find(|c| *c == '\u{1b}'))
    {
        return Err(format!("what is printed has an invisible {mark:?}"));
    }
    let fence = |line: &str| -> usize {
        line.chars().take_while(|mark| *mark == '`').count()
    };
    let open = block.line - 1;
    let marks = lines.get(open).map_or(0, |line| fence(line));
    // Nothing is replaced but what mdBook has read as this block.
    let close = open + 1 + block.text.lines().count();
    let typed = marks >= 3
        && lines.get(close).is_some_and(|line| fence(line.trim()) >= marks)
        && compare::same(&lines[open + 1..close].join("\n"), &block.text);
    if !typed {
        return Err("this block is not typed into the page".into());
    }
    let command = usize::from(block.kind == Kind::Console);
    let body: Vec<String> =
        text.trim_end().lines().map(|line| line.trim_end().into()).collect();
    // A fence in the text must not end this one.
    let longest = body.iter().map(|line| fence(line.trim_start())).max();
    let needed = longest.map_or(3, |longest| (longest + 1).max(3));
    if needed > marks {
        let info = lines[open].trim_start_matches('`').to_owned();
        lines[open] = "`".repeat(needed) + &info;
        lines[close] = "`".repeat(needed);
    }
    lines.splice(open + 1 + command..close, body);
    Ok(())
}

/// Writes a file, if that changes it; whether it does.
fn write(book: &Book, file: &Path, text: &str) -> Result<bool, String> {
    let path = book.root.join(file);
    let known = fs::read_to_string(&path).unwrap_or_default();
    if compare::same(&known, text) && path.exists() {
        return Ok(false);
    }
    fs::write(path, text)
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(true)
}

/// Makes the timelines that pages include and that are empty or do not exist,
/// without which the book would not load.
fn make_missing(root: &Path) -> Vec<PathBuf> {
    let mut made = Vec::new();
    let config = fs::read_to_string(root.join("book.toml")).unwrap_or_default();
    let config: Config = config.parse().unwrap_or_default();
    let pages = walkdir::WalkDir::new(root.join(config.book.src))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|e| e.path().extension().is_some_and(|found| found == "md"));
    for page in pages {
        let Ok(text) = fs::read_to_string(page.path()) else { continue };
        let folder = page.path().parent().unwrap_or(root);
        for directive in include::directives(&text) {
            let include::Kind::Include { path, .. } = directive.kind else {
                continue;
            };
            if path.extension().is_none_or(|found| found != "svg") {
                continue;
            }
            let file = folder.join(&path);
            // Named as a picture of the book is.
            let named = file
                .parent()
                .and_then(|folder| folder.canonicalize().ok())
                .zip(root.canonicalize().ok())
                .and_then(|(folder, root)| {
                    let below = folder.strip_prefix(root).ok()?;
                    Some(below.join(file.file_name()?))
                });
            let missing =
                file.symlink_metadata().map_or(true, |f| f.len() == 0);
            if let Some(named) = named
                && missing
                && fs::write(&file, "<figure></figure>\n").is_ok()
            {
                made.push(named);
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page with this text in its block, which begins in line 2 and is
    /// read to hold `known`.
    fn put_into(
        page: &str,
        (kind, known): (Kind, &str),
        text: &str,
    ) -> Result<String, String> {
        let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
        let block = Block {
            kind,
            line: 2,
            heading: String::new(),
            text: known.to_owned(),
            shown: known.to_owned(),
            files: Vec::new(),
        };
        put(&mut lines, &block, text)?;
        Ok(lines.join("\n"))
    }

    #[test]
    fn a_text_stands_below_its_command_in_a_fence_that_it_does_not_end() {
        let page = "a\n```console\n$ run\nold\n```\nb";
        let old = (Kind::Console, "$ run\nold\n");
        let put = |text| put_into(page, old.clone(), text);
        let plain = put("new\n\nlines  \n\n");
        let shown = "a\n```console\n$ run\nnew\n\nlines\n```\nb";
        assert_eq!(plain.as_deref(), Ok(shown));
        let fenced = put("````\nx\n````\n");
        let shown = "a\n`````console\n$ run\n````\nx\n````\n`````\nb";
        assert_eq!(fenced.as_deref(), Ok(shown));
        let nothing = put("");
        assert_eq!(nothing.as_deref(), Ok("a\n```console\n$ run\n```\nb"));
        let empty = (Kind::Text, "");
        let message = put_into("a\n```text\n```\nb", empty, "error\n");
        assert_eq!(message.as_deref(), Ok("a\n```text\nerror\n```\nb"));
        let directive = put("{{#include x}}").expect_err("mdBook expands it");
        assert!(directive.contains("`{{#`"), "{directive}");
        for refused in ["a // ANCHOR: x\n", "a\u{200b}\n", "\u{1b}[1ma\n"] {
            put(refused).expect_err("the book would not load");
        }
        let untyped = Err("this block is not typed into the page".to_owned());
        let text = (Kind::Text, "x\n");
        let listed = put_into("-\n  ```text\n  x\n  ```", text.clone(), "y");
        assert_eq!(listed, untyped);
        // Its end is where Markdown ends it, not at the next fence.
        let indented = "a\n```text\nx\n ```\nb\n```rust\nfn f() {}\n```";
        let put = put_into(indented, text.clone(), "y").expect("it is typed");
        assert_eq!(put, indented.replace("\nx\n", "\ny\n"));
        let moved = put_into("a\nb\n```text\nx\n```", text, "y");
        assert_eq!(moved, untyped);
    }

    #[test]
    fn a_timeline_is_made_that_is_missing_or_empty() {
        let book = tempfile::TempDir::new().expect("a temporary folder");
        let write = |file: &str, text: &str| {
            let file = book.path().join(file);
            let folder = file.parent().expect("below the book");
            fs::create_dir_all(folder).expect("a folder");
            fs::write(file, text).expect("a file");
        };
        write("code/empty.svg", "");
        write("code/known.svg", "<figure>\n");
        let include = |name| format!("{{{{#include ../code/{name}.svg}}}}\n");
        write(
            "src/page.md",
            &["missing", "empty", "known"].map(include).concat(),
        );
        assert_eq!(
            make_missing(book.path()),
            [Path::new("code/missing.svg"), Path::new("code/empty.svg")]
        );
    }
}
