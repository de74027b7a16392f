//! Rewrites what a book shows of its programs: outputs, the compiler's
//! messages, dependency blocks, the script of its parts.

use std::fs;
use std::path::{Path, PathBuf};

use mdbook_driver::config::Config;

use crate::book::Book;
use crate::check::{self, Check};
use crate::fence::Kind;
use crate::include;
use crate::page::{Block, Page};
use crate::parts;
use crate::problem::Problem;
use crate::rt;
use crate::rt::service::Needed;
use crate::timeline;

/// Rewrites every output, message and dependency block that a page shows, from
/// a run of the programs as they are, and the script of their parts. Returns
/// the files that have changed.
///
/// An output, a message or a timeline that a page includes and that is empty or
/// does not exist yet is made, as is the script. Nothing else is written. With
/// `only`, the other pages are left as they are.
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
    let mut changed = make_missing(root);
    let book = Book::load(root)?;
    let mut problems = Vec::new();
    let mut pages = book.pages.clone();
    if let Some(only) = only {
        pages.retain(|page| page.file == only);
        if pages.is_empty() {
            return Err(vec![Problem::new(
                only,
                None,
                "no page of the book",
                "name it as SUMMARY.md does, below the source folder",
            )]);
        }
    }
    if let Some(file) = &book.settings.parts {
        match write(&book, file.clone(), parts::script(&book.pages)) {
            Ok(file) => changed.extend(file),
            Err(why) => problems.push(Problem::new(
                file,
                None,
                why,
                "mend it, and bless again",
            )),
        }
    }
    // From the end of a page to its start, so that lines keep their numbers.
    for page in &pages {
        for (index, block) in page.blocks.iter().enumerate().rev() {
            match rewrite(&book, page, index, block) {
                Ok(file) => changed.extend(file),
                Err(why) => problems.push(Problem::new(
                    &page.file,
                    block.line,
                    why,
                    "mend it, and bless again",
                )),
            }
        }
    }
    for page in &pages {
        for picture in &page.pictures {
            let limit = book.settings.time_limit;
            match timeline::draw(&book.root, &picture.file, limit)
                .and_then(|text| write(&book, picture.file.clone(), text))
            {
                Ok(file) => changed.extend(file),
                Err(why) => problems.push(Problem::new(
                    &page.file,
                    picture.line,
                    why,
                    "mend it, and bless again",
                )),
            }
        }
    }
    changed.sort();
    changed.dedup();
    if problems.is_empty() { Ok(changed) } else { Err(problems) }
}

fn rewrite(
    book: &Book,
    page: &Page,
    index: usize,
    block: &Block,
) -> Result<Option<PathBuf>, String> {
    let with = |extension: &str| {
        let file = block.file().filter(|file| {
            file.extension().is_some_and(|found| found == extension)
        });
        file.map(Path::to_owned)
    };
    let before = index.checked_sub(1).map(|before| &page.blocks[before]);
    match &block.kind {
        Kind::Console => {
            let Some(file) = with("out") else { return Ok(None) };
            let limit = book.settings.time_limit;
            // Tests are one check with their output, at their own line.
            let checked = match before {
                Some(tests) if block.test().is_some() => tests,
                _ => block,
            };
            let place = format!("{}:{}", page.file.display(), checked.line);
            let checks = check::of(book);
            let service = checks
                .iter()
                .find(|check| check.place == place)
                .and_then(Check::service);
            let needed = service.map(|it| Needed::by(&book.root, it));
            let printed = match (block.example(), before) {
                (Some(name), _) => {
                    let program =
                        rt::output::example(&book.root, name, source(before))?;
                    rt::output::of(program, &[], true, needed, limit)
                }
                (None, Some(tests)) => {
                    let root = &book.root;
                    rt::output::of_test_program(
                        root,
                        &tests.text,
                        needed,
                        limit,
                    )
                }
                (None, None) => return Ok(None),
            };
            write(book, file, printed?)
        }
        Kind::Text => {
            let Some(file) = with("stderr") else { return Ok(None) };
            let Some(Block { kind: Kind::CompileFail(expected), text, .. }) =
                before
            else {
                return Ok(None);
            };
            let message = rt::compile::message(&book.root, text, expected)?;
            write(book, file, message)
        }
        Kind::Toml => {
            let programs: Vec<String> =
                book.programs_of(page).into_iter().map(str::to_owned).collect();
            let features = book.settings.features.as_deref();
            let new = rt::dependencies::block(&book.root, features, &programs)?;
            if new == block.text {
                return Ok(None);
            }
            let source = book.root.join(&page.file);
            let text = fs::read_to_string(&source)
                .map_err(|error| format!("cannot read the page: {error}"))?;
            let mut lines: Vec<&str> = text.lines().collect();
            let end = block.line + block.text.lines().count();
            if lines.get(end).is_none_or(|line| !line.starts_with("```")) {
                return Err("this block is not typed into the page".into());
            }
            lines.splice(block.line..end, new.lines());
            write(book, page.file.clone(), lines.join("\n") + "\n")
        }
        _ => Ok(None),
    }
}

/// The file of the program whose run is shown.
fn source(before: Option<&Block>) -> &Path {
    before.and_then(Block::file).unwrap_or(Path::new(""))
}

fn write(
    book: &Book,
    file: PathBuf,
    text: String,
) -> Result<Option<PathBuf>, String> {
    let path = book.root.join(&file);
    if fs::read_to_string(&path).is_ok_and(|known| known == text) {
        return Ok(None);
    }
    fs::write(path, text)
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(Some(file))
}

/// Makes the outputs and messages that pages include and that are empty or do
/// not exist, without which the book would not load.
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
            let result = path
                .extension()
                .and_then(|found| found.to_str())
                .is_some_and(|found| ["out", "stderr", "svg"].contains(&found));
            let file = folder.join(&path);
            // Named as `rewrite` names it.
            let named = file
                .parent()
                .and_then(|folder| folder.canonicalize().ok())
                .zip(root.canonicalize().ok())
                .and_then(|(folder, root)| {
                    let below = folder.strip_prefix(root).ok()?;
                    Some(below.join(file.file_name()?))
                });
            // A picture has to look like one for the book to load.
            let text = match path.extension() {
                Some(found) if found == "svg" => "<figure></figure>\n",
                _ => "not run yet\n",
            };
            let missing =
                file.symlink_metadata().map_or(true, |f| f.len() == 0);
            if let Some(named) = named
                && result
                && missing
                && fs::write(&file, text).is_ok()
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

    #[test]
    fn what_is_missing_or_empty_is_made_and_named_as_it_is_rewritten() {
        let book = tempfile::TempDir::new().expect("a temporary folder");
        let write = |file: &str, text: &str| {
            let file = book.path().join(file);
            let folder = file.parent().expect("below the book");
            fs::create_dir_all(folder).expect("a folder");
            fs::write(file, text).expect("a file");
        };
        write("code/empty.out", "");
        write("code/known.out", "2\n");
        let include = |name| format!("{{{{#include ../code/{name}.out}}}}\n");
        write(
            "src/page.md",
            &["missing", "empty", "known"].map(include).concat(),
        );
        assert_eq!(
            make_missing(book.path()),
            [Path::new("code/missing.out"), Path::new("code/empty.out")]
        );
    }
}
