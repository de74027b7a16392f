//! The foot of each page: what of it has been checked, with which versions, and
//! on which day.

use std::path::Path;

use anyhow::Result;
use chrono::{DateTime, Utc};
use mdbook_skeptic::{Book, Passed, passed};

use crate::pages;

/// Writes the foot of each page of a rendered book. A page on which nothing is
/// checked has that of the whole book.
///
/// # Errors
///
/// A page is not as mdBook's template makes it.
pub fn write(html: &Path, book: &Book) -> Result<()> {
    let feet = passed(book);
    let mut whole = Passed::default();
    for foot in feet.values() {
        whole.add(foot);
    }
    for (index, page) in book.pages.iter().enumerate() {
        let foot = match feet.get(&page.path) {
            Some(foot) if foot.checks > 0 => sentence("page", foot),
            _ => sentence("book", &whole),
        };
        let file = match page.path.ends_with("README.md") {
            true => page.path.with_file_name("index.html"),
            false => page.path.with_extension("html"),
        };
        insert(&html.join(file), &foot)?;
        // The first page is the home page, too. Elsewhere, the versions of the
        // whole book would be longer than the page.
        if index == 0 {
            insert(&html.join("index.html"), &foot)?;
            whole.with.retain(|name, _| ALL.contains(&name.as_str()));
        }
    }
    Ok(())
}

/// What the whole book is about.
const ALL: [&str; 3] = ["CPython", "Rust", "tokio"];

/// `Checks of this page: 23 of 23 passed, the last on 2026-11-30, with …`
fn sentence(what: &str, found: &Passed) -> String {
    let Passed { checks, passed, last, with, .. } = found;
    let with = with.iter().map(|(name, version)| format!("{name} {version}"));
    let with = with.collect::<Vec<_>>().join(", ");
    let passed = match last {
        None => {
            format!("0 of {checks} ran on this machine. `cargo test` runs them")
        }
        Some(last) => {
            let day = DateTime::<Utc>::from(*last).format("%Y-%m-%d");
            format!("{passed} of {checks} passed, the last on {day}")
        }
    };
    format!("Checks of this {what}: {passed}, with {with}.")
}

/// Puts a text at the end of a page's content.
fn insert(file: &Path, text: &str) -> Result<()> {
    let page = pages::read(file)?;
    let (before, after) = pages::around(file, &page, "</main>", "<main>")?;
    let text = pages::escape(text);
    let foot = format!("<footer class=\"checked\">{text}</footer>");
    pages::write(file, &format!("{before}{foot}\n</main>{after}"))
}
