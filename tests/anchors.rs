//! Every link of the rendered book leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use mdbook_skeptic::rt;
use memchr::memmem;
use tempfile::TempDir;

use crate::BOOK;

/// The values of an attribute in a page of mdBook's.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let mark = format!(" {attribute}=\"");
    let starts = memmem::find_iter(html.as_bytes(), &mark);
    let values =
        starts.filter_map(|at| html[at + mark.len()..].split('"').next());
    values.collect()
}

/// A relative path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = plain.pop(),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// What the book is rendered from.
fn sources() -> Vec<(PathBuf, Option<u64>)> {
    let [theme, settings, lock] = ["theme", "book.toml", "Cargo.lock"];
    let folders =
        [&*BOOK.src, theme.as_ref(), settings.as_ref(), lock.as_ref()];
    let files = folders
        .into_iter()
        .flat_map(|folder| walkdir::WalkDir::new(folder).sort_by_file_name())
        .map(|entry| entry.expect("a source of the book").into_path())
        .chain(BOOK.included.iter().cloned());
    files.map(|file| (file.clone(), rt::content(&file))).collect()
}

#[test]
fn every_internal_link_and_anchor_exists() {
    let input = (include_str!("anchors.rs"), sources());
    rt::once(input, check_links);
}

fn check_links() {
    let folder = TempDir::new().expect("a temporary folder");
    let root = folder.path().join("html");
    let mut config = Config::from_disk("book.toml").expect("the settings");
    config.build.build_dir = root.clone();
    // No link leads to it, and making it is a third of the work.
    config.set("output.html.search.enable", false).expect("a setting");
    let book = MDBook::load_with_config(".", config);
    book.and_then(|book| book.build()).expect("the book is rendered");

    let mut files = BTreeSet::new();
    let mut pages = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root).into_iter().flatten() {
        let path = entry.path().strip_prefix(&root).expect("below the root");
        if path.extension().is_some_and(|extension| extension == "html") {
            let html = fs::read_to_string(entry.path()).expect("a page");
            pages.insert(path.to_owned(), html);
        }
        files.insert(path.to_owned());
    }
    assert!(pages.len() > 10, "the book has gone");

    let anchors: BTreeMap<&Path, BTreeSet<&str>> = pages
        .iter()
        .map(|(page, html)| {
            (page.as_path(), values(html, "id").into_iter().collect())
        })
        .collect();
    let mut faults = Vec::new();
    let mut checked = 0;
    for (page, html) in &pages {
        // The 404 page and the table of contents are read from elsewhere.
        if page.ends_with("404.html") || page.ends_with("toc.html") {
            continue;
        }
        let folder = page.parent().expect("a folder");
        for link in values(html, "href").into_iter().chain(values(html, "src"))
        {
            if link.contains("://") || link.starts_with("data:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => plain(&folder.join(path)),
            };
            checked += 1;
            if !files.contains(&target) {
                faults.push(format!("{}: {link}", page.display()));
            } else if !anchor.is_empty()
                && let Some(anchors) = anchors.get(target.as_path())
                && !anchors.contains(anchor)
            {
                faults.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(checked > 100, "the links have gone");
    assert!(faults.is_empty(), "lead nowhere:\n{}", faults.join("\n"));
}

/// `.ci/docs-rs` has seen each of them in rustdoc's own output.
#[test]
fn every_docs_rs_link_is_one_that_rustdoc_has_made() {
    let known = include_str!("docs-rs.txt");
    let known: BTreeSet<&str> = known.lines().collect();
    let mut links = BTreeSet::new();
    let mut texts = Vec::new();
    for entry in walkdir::WalkDir::new("book").into_iter().flatten() {
        if entry.path().extension().is_some_and(|e| e == "md") {
            texts.push(fs::read_to_string(entry.path()).expect("a page"));
        }
    }
    for text in &texts {
        for link in text.split("https://docs.rs/").skip(1) {
            let end = |c: char| c.is_whitespace() || ")>\"".contains(c);
            let link = link.split(end).next().unwrap_or_default();
            links.insert(format!("https://docs.rs/{link}"));
        }
    }
    let links: BTreeSet<&str> = links.iter().map(String::as_str).collect();
    let unknown: Vec<_> = links.difference(&known).collect();
    let unused: Vec<_> = known.difference(&links).collect();
    assert!(
        unknown.is_empty() && unused.is_empty(),
        "not yet seen in rustdoc's output: {unknown:#?}, of no page any more: \
         {unused:#?}; run .ci/docs-rs"
    );
}
