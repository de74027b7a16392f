//! Files that are made from the book, and by nobody's hand: the manifests of
//! the programs, the tables of the chapters, the script of matching parts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::beside::{self, Beside};
use crate::compare;
use crate::model::{Block, Book, Kind, Page, Part};
use crate::mutate::results::{self, Results};
use crate::names;
use crate::run::crates::Known;
use crate::table::filled;

/// Each generated file, relative to the book's root, and its whole text.
///
/// # Errors
///
/// What of the book cannot be written down.
pub(crate) fn files(book: &Book) -> Result<Vec<(PathBuf, String)>, String> {
    let mut files = manifests(book)?;
    for page in &book.pages {
        files.extend(chapter(book, page)?);
    }
    files.extend(of_mutants(book)?);
    files.extend(names::files(book)?);
    if let Some(script) = &book.settings.parts {
        files.push((script.clone(), script_of(book)?));
    }
    Ok(files)
}

/// What the script in the reader's browser knows of the pages: which parts of
/// the Python and the Rust program correspond, and the files that the programs
/// need when they are compiled.
fn script_of(book: &Book) -> Result<String, String> {
    let mut of_pages = Vec::new();
    for page in &book.pages {
        let mut programs = page.blocks.iter().filter_map(Block::file);
        let Some(beside) = programs.find_map(|p| Beside::of(&book.root, p))
        else {
            continue;
        };
        let folder = book.root.join(beside.folder);
        let mut files = BTreeMap::new();
        for file in beside::files(&folder) {
            let below = file.strip_prefix(&folder).unwrap_or(&file);
            let text = fs::read_to_string(&file).map_err(|error| {
                format!("cannot read {}: {error}", file.display())
            })?;
            let below = below.to_string_lossy().replace('\\', "/");
            files.insert(below, text);
        }
        let address = json!(names::address(&page.path));
        of_pages.push(format!("{address}:{}", json!(files)));
    }
    Ok(format!(
        "{}window.cookbookFiles = {{\n{}\n}};\n",
        parts(&book.pages),
        of_pages.join(",\n")
    ))
}

/// Compares a file that is made from the book with what it must be.
///
/// # Panics
///
/// If they differ, or the file cannot be read.
pub fn check(root: &str, file: impl AsRef<Path>, expected: &str) {
    let file = file.as_ref();
    let text = fs::read_to_string(Path::new(root).join(file));
    let file = file.display();
    match text {
        Ok(text) if compare::same(&text, expected) => {}
        Ok(text) => panic!(
            "{file} is not what is made from the pages:\n{}help: run `cargo \
             bless`",
            compare::difference(&text, expected)
        ),
        Err(error) => {
            panic!("cannot read {file}: {error}\nhelp: run `cargo bless`")
        }
    }
}

/// The parts of all pages as the script that `parts` in `book.toml` names.
fn parts(pages: &[Page]) -> String {
    let with_parts = pages.iter().filter(|page| !page.parts.is_empty());
    let pages: Vec<String> = with_parts
        .map(|page| {
            let parts: Value = page.parts.iter().map(part).collect();
            format!("{}:{parts}", json!(names::address(&page.path)))
        })
        .collect();
    format!("window.cookbookParts = {{\n{}\n}};\n", pages.join(",\n"))
}

/// For the script lines have both ends.
fn part(part: &Part) -> Value {
    let lines = |lines: &Range<usize>| [lines.start, lines.end - 1];
    let (python, rust) = (lines(&part.python), lines(&part.rust));
    json!({ "name": part.name, "python": python, "rust": rust })
}

/// What a package of programs has.
#[derive(Default)]
struct Package {
    crates: BTreeSet<String>,
    /// By kind of target and name: the file, relative to the package.
    targets: BTreeMap<(&'static str, String), PathBuf>,
}

/// The Cargo.toml of each folder of programs: of all, and of a recipe that has
/// a package of its own.
///
/// That of all depends on every crate that a program names: skeptic links each
/// program with the dependencies of this package.
fn manifests(book: &Book) -> Result<Vec<(PathBuf, String)>, String> {
    let Some(common) = &book.settings.snippets else { return Ok(Vec::new()) };
    let known = Known::read(&book.root)?;
    let mut names = BTreeMap::new();
    let mut packages = BTreeMap::from([(common.clone(), Package::default())]);
    for (page, block) in book.blocks().filter(|(_, b)| b.kind.is_rust()) {
        let place = || format!("{}:{}", page.file.display(), block.line);
        let named = known
            .named(&block.text)
            .map_err(|why| format!("{}: {why}", place()))?;
        let Some(file) = block.file().filter(|f| f.starts_with(common)) else {
            continue;
        };
        let beside = Beside::of(&book.root, file).map(|beside| beside.folder);
        for folder in [Some(common.clone()), beside.clone()] {
            let Some(folder) = folder else { continue };
            let package = packages.entry(folder).or_default();
            package.crates.extend(named.keys().cloned());
        }
        let folder = beside.as_ref().unwrap_or(common);
        let kind = match block.kind {
            Kind::Rust => "example",
            Kind::Test => "test",
            _ => continue,
        };
        let below = file.strip_prefix(folder).unwrap_or(file);
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let key = (kind, name.into_owned());
        // Those of all packages are built into one folder.
        let known = names.entry(key.clone()).or_insert(file);
        if *known != file {
            return Err(format!(
                "{}: {} and {} have the same name; rename one",
                place(),
                known.display(),
                file.display()
            ));
        }
        let package = packages.get_mut(folder).expect("entered above");
        package.targets.insert(key, below.to_owned());
    }
    let members = members(book, common, packages.keys())?;
    let manifest = |(folder, package): (PathBuf, Package)| {
        let text = manifest(common, &folder, package);
        (folder.join("Cargo.toml"), text)
    };
    // The workspace last: what it names must be there.
    let manifests = packages.into_iter().map(manifest);
    Ok(manifests.chain([members]).collect())
}

/// The workspace's manifest, in which each recipe that is a package of its own
/// stands below the line of the folder of all programs.
fn members<'a>(
    book: &Book,
    common: &Path,
    folders: impl Iterator<Item = &'a PathBuf>,
) -> Result<(PathBuf, String), String> {
    let file = PathBuf::from("Cargo.toml");
    let text = fs::read_to_string(book.root.join(&file))
        .map_err(|error| format!("cannot read Cargo.toml: {error}"))?;
    let below: Vec<String> = folders
        .filter(|folder| *folder != common)
        .map(|folder| format!("    \"{}\",", folder.display()))
        .collect();
    let line = format!("    \"{}\",", common.display());
    let of_recipe = format!("    \"{}/", common.display());
    if !text.lines().any(|known| known == line) {
        return Err(format!(
            "Cargo.toml has no line `{line}` in the list of its members"
        ));
    }
    let mut lines = Vec::new();
    let mut is_below = false;
    for known in text.lines() {
        is_below &= known.starts_with(&of_recipe);
        if !is_below {
            lines.push(known);
        }
        if known == line {
            is_below = true;
            lines.extend(below.iter().map(String::as_str));
        }
    }
    Ok((file, lines.join("\n") + "\n"))
}

/// The build script of a recipe whose programs read files when they are
/// compiled: cargo does not know which files a macro reads.
const SCRIPT: &str = "crates/mdbook-skeptic/rerun.rs";

fn manifest(common: &Path, folder: &Path, package: Package) -> String {
    let name = folder.to_string_lossy().replace(['/', '\\'], "-");
    let mut text = format!(
        "# Made by `cargo bless` from the pages: do not edit.\n\
         [package]\nname = \"{name}\"\nversion.workspace = true\n\
         edition.workspace = true\nrust-version.workspace = true\n\
         license.workspace = true\n"
    );
    if folder == common {
        text += "description = \"The programs that the book shows\"\n";
    } else {
        text += "description = \"Programs that need files when they are \
                 compiled\"\n";
    }
    text += "publish = false\nautobins = false\nautoexamples = false\n\
             autotests = false\nautobenches = false\nautolib = false\n";
    if folder == common {
        text += "build = false\n";
    } else {
        let up = "../".repeat(folder.components().count());
        let _ = writeln!(text, "build = \"{up}{SCRIPT}\"");
    }
    text += "\n[dev-dependencies]\n";
    for name in package.crates {
        let _ = writeln!(text, "{name}.workspace = true");
    }
    for ((kind, name), file) in package.targets {
        let file = file.to_string_lossy().replace('\\', "/");
        let _ = write!(
            text,
            "\n[[{kind}]]\nname = \"{name}\"\npath = \"{file}\"\n"
        );
    }
    text
}

/// What the table of a chapter begins with.
const TABLE: &str = "| Your question | The page |\n| --- | --- |\n";

/// A chapter's opening page, whose table has a row for each page that says
/// which question it answers; `None` for any other page.
fn chapter(
    book: &Book,
    page: &Page,
) -> Result<Option<(PathBuf, String)>, String> {
    if !page.path.ends_with("README.md") {
        return Ok(None);
    }
    let folder = page.path.parent();
    let rows = book.pages.iter().filter_map(|other| {
        if other.parents.last() != Some(&page.title) {
            return None;
        }
        let question = other.about.question.as_deref()?;
        let file = match other.path.parent() == folder {
            true => other.path.file_name()?.to_string_lossy().into_owned(),
            // Both are in folders of the book.
            false => format!("../{}", other.path.display()),
        };
        Some(format!("| {question} | [{}]({file}) |\n", other.title))
    });
    let rows: String = rows.collect();
    let file = page.file.display();
    let text = fs::read_to_string(book.root.join(&page.file))
        .map_err(|error| format!("cannot read {file}: {error}"))?;
    match filled(&text, TABLE, &rows) {
        None if rows.is_empty() => Ok(None),
        None => Err(format!(
            "{file} has no table of its pages; write the two lines\n{TABLE}\
             where it is to stand"
        )),
        Some(text) => Ok(Some((page.file.clone(), text))),
    }
}

/// The page that shows what became of the mutants, with their table as it is
/// now; `None` where no page has such a table.
///
/// # Errors
///
/// What cannot be read.
pub(crate) fn of_mutants(
    book: &Book,
) -> Result<Option<(PathBuf, String)>, String> {
    let Some(file) = &book.settings.mutants else { return Ok(None) };
    let results = Results::read(&book.root, file)?;
    let parts = results::parts(book)?;
    for page in &book.pages {
        let text = results::read(&book.root, &page.file)?;
        let rows = results.rows(&parts, page);
        if let Some(text) = filled(&text, results::PARTS, &rows) {
            return Ok(Some((page.file.clone(), text)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const MANIFEST: &str = "[workspace]\nmembers = [\n    \".\",\n    \
        \"code\",\n    \"code/old/gone\",\n    \"crates\",\n]\n\n\
        [workspace.dependencies]\nsqlx = \"0.9\"\ntokio = \"1\"\n\
        unused = \"1\"\n";

    /// A book with a program in `code`, and one with migrations beside it.
    fn made() -> TempDir {
        let book = TempDir::new().expect("a temporary folder");
        let write = |file: &str, text: &str| {
            let file = book.path().join(file);
            let folder = file.parent().expect("below the book");
            fs::create_dir_all(folder).expect("a folder");
            fs::write(file, text).expect("a file");
        };
        let settings = "[preprocessor.skeptic]\nrenderers = []\nsnippets = \
                        \"code\"\n";
        write("book.toml", settings);
        write("Cargo.toml", MANIFEST);
        let package = "[[package]]\nname = \"sqlx\"\nversion = \"0.9.0\"\n";
        write(
            "Cargo.lock",
            &(package.to_owned() + &package.replace("sqlx", "hyper")),
        );
        write(
            "src/SUMMARY.md",
            "- [Chapter](a/README.md)\n  - [One](a/one.md)\n  \
             - [Two](a/two.md)\n",
        );
        write("src/a/README.md", &format!("# Chapter\n\n{TABLE}\nMore.\n"));
        for (name, uses) in [("one", "tokio"), ("two", "sqlx")] {
            let page = format!(
                "# {name}\n\n<!-- page\nquestion = \"Why {name}?\"\n-->\n\n\
                 ```rust\n{{{{#include ../../code/a/{name}/{name}.rs}}}}\n```\n"
            );
            write(&format!("src/a/{name}.md"), &page);
            let program = format!(
                "fn main() {{\n    {uses}::start!();\n    \
                assert_eq!(1, 1);\n}}\n"
            );
            write(&format!("code/a/{name}/{name}.rs"), &program);
        }
        write("code/a/two/migrations/1_a.sql", "SELECT 1;\n");
        book
    }

    fn text(files: &[(PathBuf, String)], file: &str) -> String {
        let found = files.iter().find(|(known, _)| known == Path::new(file));
        found.unwrap_or_else(|| panic!("no {file}")).1.clone()
    }

    /// Migrations are found as `sql` that a page shows; not here.
    fn load(book: &TempDir) -> Book {
        let page = book.path().join("src/a/two.md");
        let mut shown = fs::read_to_string(&page).expect("a page");
        let program = book.path().join("code/a/two/two.rs");
        let embeds = "fn main() {\n    sqlx::migrate!(\"./migrations\");\n    \
                      assert_eq!(1, 1);\n}\n";
        fs::write(program, embeds).expect("a program");
        shown +=
            "\n```sql\n{{#include ../../code/a/two/migrations/1_a.sql}}\n```\n";
        fs::write(page, shown).expect("a page");
        Book::load(book.path()).unwrap_or_else(|p| panic!("{}", p[0]))
    }

    #[test]
    fn a_program_is_an_example_of_the_package_beside_its_files() {
        let folder = made();
        let files = files(&load(&folder)).expect("they can be made");
        let all = text(&files, "code/Cargo.toml");
        let (_, targets) =
            all.split_once("[dev-dependencies]\n").expect("some");
        assert_eq!(
            targets,
            "sqlx.workspace = true\ntokio.workspace = true\n\n[[example]]\n\
             name = \"one\"\npath = \"a/one/one.rs\"\n"
        );
        let own = text(&files, "code/a/two/Cargo.toml");
        assert!(own.contains("name = \"code-a-two\"\n"), "{own}");
        let script = "build = \"../../../crates/mdbook-skeptic/rerun.rs\"\n";
        assert!(own.contains(script), "{own}");
        let (_, targets) =
            own.split_once("[dev-dependencies]\n").expect("some");
        assert_eq!(
            targets,
            "sqlx.workspace = true\n\n[[example]]\nname = \"two\"\n\
             path = \"two.rs\"\n"
        );
        let (last, workspace) = files.iter().nth_back(1).expect("a manifest");
        assert_eq!(last, Path::new("Cargo.toml"));
        let members = MANIFEST.replace("old/gone", "a/two");
        assert_eq!(*workspace, members);
    }

    #[test]
    fn a_chapter_has_a_row_for_each_page_that_answers_a_question() {
        let folder = made();
        let book = load(&folder);
        let chapter = text(&files(&book).expect("a table"), "src/a/README.md");
        let rows =
            "| Why one? | [One](one.md) |\n| Why two? | [Two](two.md) |\n";
        assert_eq!(chapter, format!("# Chapter\n\n{TABLE}{rows}\nMore.\n"));
        let file = folder.path().join("src/a/README.md");
        fs::write(&file, chapter.replace("[One]", "[1]")).expect("a page");
        let again = text(&files(&book).expect("a table"), "src/a/README.md");
        assert_eq!(again, chapter);
        fs::write(&file, "# Chapter\n").expect("a page");
        let why = files(&book).expect_err("there is no table");
        assert!(why.starts_with("src/a/README.md has no table"), "{why}");
    }

    #[test]
    fn a_page_below_a_chapter_may_be_in_another_folder() {
        let folder = made();
        let calls = folder.path().join("src/calls");
        fs::create_dir(&calls).expect("a folder");
        let opening = format!("# Calls\n\n{TABLE}");
        fs::write(calls.join("README.md"), opening).expect("a page");
        let summary = "- [Chapter](a/README.md)\n  - [One](a/one.md)\n\
                       - [Calls](calls/README.md)\n  - [Two](a/two.md)\n";
        fs::write(folder.path().join("src/SUMMARY.md"), summary)
            .expect("a page");
        let files = files(&load(&folder)).expect("two tables");
        let calls = text(&files, "src/calls/README.md");
        assert!(calls.contains("| Why two? | [Two](../a/two.md) |"), "{calls}");
        let chapter = text(&files, "src/a/README.md");
        assert!(!chapter.contains("two"), "{chapter}");
    }

    #[test]
    fn two_programs_of_one_name_are_refused() {
        let folder = made();
        let from = folder.path().join("code/a/one/one.rs");
        let to = folder.path().join("code/a/one/two.rs");
        fs::rename(from, to).expect("a program");
        let page = folder.path().join("src/a/one.md");
        let text = fs::read_to_string(&page).expect("a page");
        fs::write(&page, text.replace("one.rs", "two.rs")).expect("a page");
        let book = load(&folder);
        let why = files(&book).expect_err("both are called two");
        let both = "code/a/one/two.rs and code/a/two/two.rs have the same name";
        assert!(why.contains(both), "{why}");
    }
}
