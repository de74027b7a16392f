//! What of each page has been checked on this machine, with which versions, and
//! when.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::model::{Book, What};
use crate::plan;
use crate::run::record::Known;
use crate::run::workspace::Workspace;

/// What a page shows that is checked, and how much of it has passed here as it
/// stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passed {
    /// How many checks the page has.
    pub checks: usize,
    /// How many of them have passed.
    pub passed: usize,
    /// When the last of them did.
    pub last: Option<SystemTime>,
    /// What they need: Rust, CPython and the crates, each with its version.
    pub with: BTreeMap<String, String>,
}

impl Passed {
    /// Adds what another page shows.
    pub fn add(&mut self, other: &Passed) {
        self.checks += other.checks;
        self.passed += other.passed;
        self.last = self.last.max(other.last);
        self.with.extend(other.with.clone());
    }
}

/// By the page's path in `SUMMARY.md`, what it shows that is checked. Reads
/// what the last runs of the tests have noted, and runs nothing of the book. A
/// book without a `Cargo.lock` names no crates.
#[must_use]
pub fn passed(book: &Book) -> BTreeMap<PathBuf, Passed> {
    let workspace = Workspace::new(&book.root);
    let known = Known::read();
    let mut pages: BTreeMap<PathBuf, Passed> = BTreeMap::new();
    for page in &book.pages {
        let mut with = BTreeMap::new();
        for program in book.programs_of(page) {
            with.extend(workspace.named(program).unwrap_or_default());
        }
        pages.insert(page.path.clone(), Passed { with, ..Passed::default() });
    }
    for check in plan::checks(book) {
        let place = check.place.rsplit_once(':').map_or("", |(file, _)| file);
        let page = book.pages.iter().find(|it| it.file == *place);
        let page = page.and_then(|page| pages.get_mut(&page.path));
        let Some(page) = page else { continue };
        page.checks += 1;
        if let Some(time) = known.passed(&workspace, &check) {
            page.passed += 1;
            page.last = page.last.max(Some(time));
        }
        let (tool, version) = match check.what {
            What::Python { .. } => ("CPython", workspace.python_version()),
            _ => ("Rust", workspace.rust_version()),
        };
        if let Some(version) = version {
            page.with.insert(tool.to_owned(), version);
        }
    }
    pages
}
