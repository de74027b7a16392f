//! What the plan needs of the book: its pages, its address, its crates.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use dictionary::Row;
use toml::{Table, Value};

use crate::plan::Crate;

pub struct Book {
    pub summary: String,
    /// Where the book is read, with a `/` at its end.
    pub url: String,
    /// What its programs depend on.
    dependencies: Table,
    /// The version of each crate in Cargo.lock.
    locked: BTreeMap<String, String>,
}

impl Book {
    pub fn read(root: &Path, url: &str) -> Result<Book> {
        let read = |name: &str| {
            let text = fs::read_to_string(root.join(name));
            text.with_context(|| format!("cannot read the book's {name}"))
        };
        let table = |name: &str| -> Result<Table> {
            let table = read(name)?.parse();
            table.with_context(|| format!("the book's {name} is not in order"))
        };
        let manifest = table("Cargo.toml")?;
        let dependencies = manifest
            .get("workspace")
            .and_then(|workspace| workspace.get("dependencies")?.as_table());
        let lock = table("Cargo.lock")?;
        let packages = lock.get("package").and_then(Value::as_array);
        let locked = packages.into_iter().flatten().filter_map(|package| {
            let field = |key| Some(package.get(key)?.as_str()?.to_owned());
            Some((field("name")?, field("version")?))
        });
        Ok(Book {
            summary: read("book/SUMMARY.md")?,
            url: format!("{}/", url.trim_end_matches('/')),
            dependencies: dependencies.cloned().unwrap_or_default(),
            // Of two versions the last is the newest.
            locked: locked.collect(),
        })
    }

    /// The address of a page below `book`, with a `#heading` or without.
    pub fn address(&self, link: &str) -> String {
        let (path, heading) = match link.split_once('#') {
            Some((path, heading)) => (path, format!("#{heading}")),
            None => (link, String::new()),
        };
        let path = path.replace("README.md", "index.md");
        let page = path.strip_suffix(".md").unwrap_or(&path);
        format!("{}{page}.html{heading}", self.url)
    }

    /// The crates of the book that the rows' counterparts are in, with the
    /// versions and the features of its programs; the most used first.
    pub fn crates(&self, rows: &[(&Row, usize)]) -> Vec<Crate> {
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        for (row, count) in rows {
            for name in row.crates() {
                *uses.entry(name).or_default() += count;
            }
        }
        let is_known =
            |(name, _): &(&str, usize)| self.locked.contains_key(*name);
        let of = |(name, uses): (&str, usize)| Crate {
            name: name.to_owned(),
            line: self.line(name),
            uses,
        };
        let mut crates: Vec<_> =
            uses.into_iter().filter(is_known).map(of).collect();
        crates.sort_by_key(|of| Reverse(of.uses));
        crates
    }

    fn line(&self, name: &str) -> String {
        let version = &self.locked[name];
        let dependency = self.dependencies.get(name);
        let features = dependency.and_then(|it| it.get("features"));
        let features = features.and_then(Value::as_array).into_iter().flatten();
        let features = features.filter_map(Value::as_str);
        // What only tests need.
        let features = features.filter(|feature| *feature != "test-util");
        let features: Vec<_> =
            features.map(|feature| format!("\"{feature}\"")).collect();
        let features = features.join(", ");
        match features.is_empty() {
            true => format!("{name} = \"{version}\""),
            false => format!(
                "{name} = {{ version = \"{version}\", features = [{features}] }}"
            ),
        }
    }
}
