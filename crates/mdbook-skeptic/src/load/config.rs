//! `book.toml` and `SUMMARY.md`, and the files that they name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use mdbook_driver::config::Config;
use mdbook_summary::{Summary, SummaryItem, parse_summary};

use crate::problem::Problem;
use crate::settings::Settings;

/// A page, or a text that a page includes, is refused above this, in bytes.
pub(crate) const LARGEST: usize = 4 << 20;

/// What `book.toml` says to mdBook and to the guard.
pub(crate) fn configuration(
    root: &Path,
) -> Result<(Config, Settings), Problem> {
    let problem =
        |what: String, help: &str| Problem::whole("book.toml", what, help);
    let file = root.join("book.toml");
    let text = fs::read_to_string(&file).map_err(|error| {
        problem(
            format!("cannot read it: {error}"),
            "write it, as UTF-8, or name the folder that holds it",
        )
    })?;
    let mut config: Config = text.parse().map_err(|error: anyhow::Error| {
        problem(format!("{error:#}"), "correct book.toml")
    })?;
    // mdBook would write the pages that are missing; here they are an error.
    config.build.create_missing = false;
    let settings = Settings::read(&config)
        .map_err(|what| problem(what, "correct [preprocessor.skeptic]"))?;
    let named = settings.services.values().chain(&settings.commands);
    for file in named.chain(&settings.features) {
        if !inside(file) || !root.join(file).is_file() {
            return Err(problem(
                format!("{} is no file of the book's", file.display()),
                "correct [preprocessor.skeptic]",
            ));
        }
    }
    if let Some(file) = settings.parts.as_deref().filter(|file| !inside(file)) {
        return Err(problem(
            format!("{} lies outside the book's folder", file.display()),
            "correct `parts` in [preprocessor.skeptic]",
        ));
    }
    for folder in settings.snippets.iter().chain(&settings.plots) {
        if !inside(folder) || !root.join(folder).is_dir() {
            return Err(problem(
                format!("{folder:?} is no folder of the book's"),
                "correct [preprocessor.skeptic]",
            ));
        }
    }
    Ok((config, settings))
}

/// The sources of the pages that SUMMARY.md names, relative to the root.
pub(crate) fn pages(root: &Path) -> Result<Vec<PathBuf>, Vec<Problem>> {
    let (config, _) = configuration(root).map_err(|problem| vec![problem])?;
    let src = config.book.src;
    let mut problems = Vec::new();
    let Some(summary) = summary(root, &src, &mut problems) else {
        return Err(problems);
    };
    let mut pages = Vec::new();
    each_page(&summary, |location| pages.push(src.join(location)));
    Ok(pages)
}

/// The page of this name, relative to the root: as [`pages`] has it, or as a
/// shell completes it, `./book/chapter/page.md`.
pub(crate) fn page(root: &Path, page: &Path) -> Result<PathBuf, Vec<Problem>> {
    let page = page.strip_prefix(".").unwrap_or(page);
    if pages(root)?.iter().any(|known| known == page) {
        return Ok(page.to_owned());
    }
    Err(vec![Problem::whole(
        page,
        "this is not a page of the book",
        "name a page of SUMMARY.md, such as book/chapter/page.md",
    )])
}

/// Parses SUMMARY.md, and checks every page that it names.
pub(crate) fn summary(
    root: &Path,
    src: &Path,
    problems: &mut Vec<Problem>,
) -> Option<Summary> {
    let file = src.join("SUMMARY.md");
    let text = match fs::read_to_string(root.join(&file)) {
        Ok(text) => text,
        Err(error) => {
            problems.push(Problem::whole(
                &file,
                format!("cannot read the table of contents: {error}"),
                "write it: a line `- [Title](page.md)` for every page",
            ));
            return None;
        }
    };
    let summary = match parse_summary(&text) {
        Ok(summary) => summary,
        Err(error) => {
            problems.push(Problem::whole(
                &file,
                format!("mdBook cannot read it: {error:#}"),
                "correct the list",
            ));
            return None;
        }
    };
    let mut pages = BTreeMap::new();
    each_page(&summary, |location| {
        let line = text
            .lines()
            .position(|line| line.contains(&*location.to_string_lossy()))
            .map(|index| index + 1);
        if !inside(location) {
            problems.push(Problem::new(
                &file,
                line,
                format!(
                    "{} lies outside {}",
                    location.display(),
                    src.display()
                ),
                "move the page into the source folder",
            ));
            return;
        }
        // mdBook renders README.md as index.html.
        let mut rendered: PathBuf = location
            .components()
            .filter(|part| *part != Component::CurDir)
            .collect();
        let stem = location.file_stem().map(|s| s.to_ascii_lowercase());
        if stem.is_some_and(|stem| stem == "readme") {
            rendered.set_file_name("index.md");
        }
        if let Some(other) = pages.insert(rendered, location.to_owned()) {
            let what = format!(
                "{} and {} become the same page",
                other.display(),
                location.display()
            );
            problems.push(Problem::new(
                &file,
                line,
                what,
                "list every page once, under a name of its own",
            ));
        }
        check_file(root, &src.join(location), &file, line, problems);
    });
    if pages.is_empty() && problems.is_empty() {
        problems.push(Problem::whole(
            &file,
            "the book has no page",
            "add a line `- [Title](page.md)`",
        ));
    }
    Some(summary)
}

fn each_page(summary: &Summary, mut each: impl FnMut(&Path)) {
    let items = [
        &summary.prefix_chapters,
        &summary.numbered_chapters,
        &summary.suffix_chapters,
    ];
    for item in items.into_iter().flatten() {
        visit(item, &mut each);
    }
}

fn visit(item: &SummaryItem, each: &mut impl FnMut(&Path)) {
    if let SummaryItem::Link(link) = item {
        if let Some(location) = &link.location {
            each(location);
        }
        for nested in &link.nested_items {
            visit(nested, each);
        }
    }
}

/// Sees that a page is there, and is text of a size that can be read.
pub(crate) fn check_file(
    root: &Path,
    page: &Path,
    summary: &Path,
    line: Option<usize>,
    problems: &mut Vec<Problem>,
) {
    let path = root.join(page);
    // The size first: what is too large is not read.
    let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    if size > LARGEST as u64 {
        problems.push(Problem::whole(
            page,
            format!("this page has {} MiB", size >> 20),
            "split it: 4 MiB are the most",
        ));
        return;
    }
    match fs::read(path) {
        Err(error) => problems.push(Problem::new(
            summary,
            line,
            format!("cannot read {}: {error}", page.display()),
            "write the page, or correct its path",
        )),
        Ok(bytes) => {
            if let Err(error) = String::from_utf8(bytes) {
                let valid = error.utf8_error().valid_up_to();
                let before = &error.as_bytes()[..valid];
                let line = 1 + before.iter().filter(|b| **b == b'\n').count();
                problems.push(Problem::new(
                    page,
                    line,
                    "this page is not UTF-8",
                    "save it as UTF-8",
                ));
            }
        }
    }
}

/// Whether a relative path stays below where it starts.
pub(crate) fn inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
