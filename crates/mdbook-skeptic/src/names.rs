//! The tables of the dictionary in the pages, and the script with its rows,
//! which the reader's browser looks names up in.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dictionary::{Dictionary, FOLDER, Group, Library, Row, cell};
use serde_json::{Value, json};

use crate::model::{Book, Page};
use crate::table::filled;

/// Between these lines of a page stand the tables of its libraries.
const BEGIN: &str = "<!-- dictionary: made by `cargo bless` -->\n";
const END: &str = "<!-- end of the dictionary -->\n";

/// What the table of the coverage begins with.
const COVERAGE: &str = "| Package | Names | Uses | With a row | Bar |\n\
                        |---|---|---|---|---|\n";

/// How often real code uses which name.
const USAGE: &str = "tests/usage.tsv";

/// The script, which each page may load.
const SCRIPT: &str = "book/reference/dictionary.js";

/// Whether a file is the dictionary's data, or made from it.
pub(crate) fn is_ours(file: &Path) -> bool {
    let is_data = file.parent() == Some(Path::new(FOLDER))
        && file.extension().is_some_and(|it| it == "toml");
    is_data || file == Path::new(SCRIPT)
}

/// The pages with their tables as they must be, and the script; nothing for a
/// book without a dictionary.
///
/// # Errors
///
/// What of the dictionary or of a page is not in order.
pub(crate) fn files(book: &Book) -> Result<Vec<(PathBuf, String)>, String> {
    let of = |page: &&Page| !page.about.dictionary.is_empty();
    let pages: Vec<_> = book.pages.iter().filter(of).collect();
    if pages.is_empty() {
        return Ok(Vec::new());
    }
    let dictionary =
        Dictionary::read(&book.root).map_err(|faults| faults.join("\n"))?;
    let mut files = Vec::new();
    for page in &pages {
        let file = page.file.display();
        let text = fs::read_to_string(book.root.join(&page.file))
            .map_err(|error| format!("cannot read {file}: {error}"))?;
        let text = text.replace("\r\n", "\n");
        let parts = text
            .split_once(BEGIN)
            .and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let Some((before, after)) = parts else {
            return Err(format!(
                "{file} has no place for the dictionary's tables; write the two \
                 lines\n{BEGIN}{END}where they are to stand"
            ));
        };
        let mut tables = String::new();
        for name in &page.about.dictionary {
            let mut libraries = dictionary.libraries.iter();
            let library = libraries.find(|library| library.file == *name);
            let library = library.ok_or_else(|| {
                format!("{file}: the dictionary has no {name}.toml")
            })?;
            tables += &of_library(library, &book.pages)?;
        }
        let text = format!("{before}{BEGIN}\n{tables}{END}{after}");
        files.push((page.file.clone(), text));
    }
    files.push((SCRIPT.into(), script(&dictionary, &pages, &book.pages)?));
    for page in &book.pages {
        files.extend(with_coverage(book, page, &dictionary)?);
    }
    Ok(files)
}

/// A page with the table of the coverage as it is now; `None` for a page that
/// has none.
fn with_coverage(
    book: &Book,
    page: &Page,
    dictionary: &Dictionary,
) -> Result<Option<(PathBuf, String)>, String> {
    let read = |file: &Path| {
        let text = fs::read_to_string(book.root.join(file));
        text.map_err(|error| format!("cannot read {}: {error}", file.display()))
    };
    let text = read(&page.file)?;
    if !text.contains(COVERAGE) {
        return Ok(None);
    }
    let coverage = dictionary
        .coverage(&read(Path::new(USAGE))?)
        .map_err(|why| format!("{USAGE}: {why}"))?;
    let mut coverage: Vec<_> = coverage.iter().collect();
    coverage.sort_by_key(|(_, of)| Reverse(of.of_uses));
    let rows = coverage.iter().map(|(package, of)| {
        // To the whole per cent below: 100 is all.
        let covered = 100 * of.uses / of.of_uses.max(1);
        let bar = "█".repeat(covered / 5) + &"░".repeat(20 - covered / 5);
        format!(
            "| {package} | {} of {} | {} of {} | {covered} % | {bar} |\n",
            of.names, of.of_names, of.uses, of.of_uses
        )
    });
    let rows: String = rows.collect();
    let text = filled(&text, COVERAGE, &rows);
    Ok(text.map(|text| (page.file.clone(), text)))
}

fn of_library(library: &Library, all: &[Page]) -> Result<String, String> {
    let mut text = format!("## {}\n\n", library.title);
    if let Some(about) = &library.about {
        let _ = write!(text, "{}\n\n", about.trim());
    }
    for group in &library.groups {
        let _ = write!(
            text,
            "### {} {{#{}}}\n\n| Python | Rust | What is different | Recipe |\n\
             |---|---|---|---|\n",
            group.title,
            id(library, group)
        );
        for row in &group.rows {
            let recipes = recipes(row, all)?;
            let recipes = recipes
                .iter()
                .map(|(title, link)| format!("[{title}](../{link})"));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                python(row),
                cell(row.rust.as_deref().unwrap_or("none")),
                cell(&row.differs),
                recipes.collect::<Vec<_>>().join(", ")
            );
        }
        text.push('\n');
    }
    Ok(text)
}

/// The id of a group's heading: groups of two libraries may have one title.
fn id(library: &Library, group: &Group) -> String {
    let title = group.title.to_lowercase();
    let words = title.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let words = std::iter::once(library.file.as_str()).chain(words);
    words.collect::<Vec<_>>().join("-")
}

/// How many names of a row its table shows. The search finds all.
const SHOWN: usize = 6;

/// A row's names as its table shows them: of several modules that have one
/// name, the first.
fn python(row: &Row) -> String {
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    let mut names: Vec<&String> = Vec::new();
    for name in &row.python {
        if !names.iter().any(|known| last(known) == last(name)) {
            names.push(name);
        }
    }
    let shown = names.iter().take(SHOWN).map(|name| {
        // A construct is in angle brackets in the data alone.
        format!("`{}`", name.trim_matches(['<', '>']))
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}, and {more} more"),
    }
}

/// The title and the link of each recipe of a row.
fn recipes<'r>(
    row: &'r Row,
    all: &'r [Page],
) -> Result<Vec<(&'r str, &'r str)>, String> {
    let recipe = |link: &'r String| {
        let path = link.split('#').next().unwrap_or(link);
        let page = all.iter().find(|page| page.path == Path::new(path));
        let page = page.ok_or_else(|| {
            format!("the dictionary links to {link}, which is on no page")
        })?;
        Ok((page.title.as_str(), link.as_str()))
    };
    row.recipe.iter().map(recipe).collect()
}

/// `window.cookbookDictionary`: the packages, the sections of the pages, and
/// the rows, each with the number of its section.
fn script(
    dictionary: &Dictionary,
    pages: &[&Page],
    all: &[Page],
) -> Result<String, String> {
    let (mut packages, mut sections, mut rows) =
        (Vec::new(), Vec::new(), Vec::new());
    for library in &dictionary.libraries {
        packages.extend(&library.packages);
        let mut with = pages.iter();
        let page = with
            .find(|page| page.about.dictionary.contains(&library.file))
            .ok_or_else(|| {
                let file = &library.file;
                format!("no page has the tables of the dictionary's {file}")
            })?;
        for group in &library.groups {
            let page = page.path.to_string_lossy().replace('\\', "/");
            let link = format!("{page}#{}", id(library, group));
            sections.push(json!([library.title, group.title, html(&link)]));
            for row in &group.rows {
                let recipes: Vec<Value> = recipes(row, all)?
                    .iter()
                    .map(|(title, link)| json!([title, html(link)]))
                    .collect();
                let at = sections.len() - 1;
                let Row { python, rust, differs, .. } = row;
                let row = json!([at, python, rust, differs, recipes]);
                rows.push(row.to_string());
            }
        }
    }
    let sections: Vec<_> = sections.iter().map(Value::to_string).collect();
    Ok(format!(
        "// Made by `cargo bless` from the dictionary: do not edit.\n\
         window.cookbookDictionary = {{\npackages: {},\nsections: [\n{}\n],\n\
         rows: [\n{}\n]}};\n",
        json!(packages),
        sections.join(",\n"),
        rows.join(",\n")
    ))
}

/// The address of a page's path with a `#heading` or without.
fn html(link: &str) -> String {
    let (path, heading) = link.split_at(link.find('#').unwrap_or(link.len()));
    address(Path::new(path)) + heading
}

/// Where mdBook renders a page, below the book's own address.
pub(crate) fn address(page: &Path) -> String {
    let mut path = page.with_extension("html");
    let stem = page.file_stem().map(OsStr::to_ascii_lowercase);
    if stem.is_some_and(|stem| stem == "readme") {
        path.set_file_name("index.html");
    }
    let parts: Vec<_> = path.iter().map(OsStr::to_string_lossy).collect();
    parts.join("/")
}
