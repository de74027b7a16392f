//! The dictionary of Python's async libraries: which of their names corresponds
//! to what in Rust, and which recipe of the book has it.
//!
//! It is data: a file for each library in `book/reference/dictionary`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// Where the files are, below the book's root.
pub const FOLDER: &str = "book/reference/dictionary";

/// All libraries, in the order of their files' names.
#[derive(Debug)]
pub struct Dictionary {
    pub libraries: Vec<Library>,
}

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// The file's name without `.toml`.
    #[serde(skip)]
    pub file: String,
    /// Its heading, such as `FastAPI and Starlette`.
    pub title: String,
    /// What the page says above its tables. Markdown.
    pub about: Option<String>,
    /// The packages whose names it should have all, such as `starlette`. Of
    /// others it has a few, and what it lacks is none of its business.
    #[serde(default)]
    pub packages: Vec<String>,
    #[serde(rename = "group")]
    pub groups: Vec<Group>,
}

/// The rows under one heading.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub title: String,
    #[serde(rename = "row")]
    pub rows: Vec<Row>,
}

/// What corresponds to one or more Python names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Full names, such as `asyncio.Queue.join`; families, such as
    /// `fastapi.status.HTTP_*`; constructs, such as `<async with>`.
    pub python: Vec<String>,
    /// Markdown with links. `None` if Rust has no counterpart.
    pub rust: Option<String>,
    /// Markdown: what is different, or what one does instead.
    pub differs: String,
    /// Pages below `book`, with a `#heading` or without.
    #[serde(default)]
    pub recipe: Vec<String>,
}

impl Dictionary {
    /// Reads the files in [`FOLDER`].
    ///
    /// # Errors
    ///
    /// What cannot be read or is not in order, a line for each.
    pub fn read(root: &Path) -> Result<Dictionary, Vec<String>> {
        let folder = root.join(FOLDER);
        let unreadable = |error| vec![format!("cannot read {FOLDER}: {error}")];
        let mut files = BTreeSet::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|it| it == "toml") {
                files.insert(path);
            }
        }
        let (mut libraries, mut faults) = (Vec::new(), Vec::new());
        for path in files {
            match library(&path) {
                Ok(library) => libraries.push(library),
                Err(why) => faults.push(why),
            }
        }
        let dictionary = Dictionary { libraries };
        faults.extend(dictionary.faults());
        if faults.is_empty() { Ok(dictionary) } else { Err(faults) }
    }

    /// Every row, with its library.
    pub fn rows(&self) -> impl Iterator<Item = (&Library, &Row)> {
        self.libraries.iter().flat_map(|library| {
            let groups = library.groups.iter();
            groups.flat_map(move |group| {
                group.rows.iter().map(move |row| (library, row))
            })
        })
    }

    fn faults(&self) -> Vec<String> {
        let (mut faults, mut owners) = (Vec::new(), BTreeMap::new());
        for (library, row) in self.rows() {
            let Some(first) = row.python.first() else {
                faults.push(format!(
                    "{}: a row has no `python`",
                    library.place()
                ));
                continue;
            };
            let place = format!("{}: {first}", library.place());
            if row.differs.trim().is_empty() {
                faults.push(format!("{place}: `differs` is empty"));
            }
            for name in &row.python {
                if let Some(other) = owners.insert(name.as_str(), place.clone())
                {
                    faults.push(format!(
                        "{place}: {name} stands in {other}, too"
                    ));
                }
            }
        }
        faults
    }

    /// Finds rows by names.
    pub fn index(&self) -> Index<'_> {
        let mut index = Index {
            names: BTreeMap::new(),
            families: Vec::new(),
            packages: BTreeSet::new(),
        };
        for library in &self.libraries {
            index.packages.extend(library.packages.iter().map(String::as_str));
        }
        for (_, row) in self.rows() {
            for name in &row.python {
                match name.strip_suffix('*') {
                    Some(start) => index.families.push((start, row)),
                    None => _ = index.names.insert(name, row),
                }
            }
        }
        index
    }
}

/// How much of what code uses of a package has a row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub uses: usize,
    pub of_uses: usize,
    pub names: usize,
    pub of_names: usize,
    /// The names without a row.
    pub lacking: Vec<String>,
}

impl Dictionary {
    /// By package. `usage` has a line for each name: the name, a tab, how often
    /// it is used, and whatever comes after another tab. Lines with `#` are
    /// comments.
    ///
    /// # Errors
    ///
    /// The number of the line that is not so.
    pub fn coverage(
        &self,
        usage: &str,
    ) -> Result<BTreeMap<String, Coverage>, String> {
        let index = self.index();
        let mut coverage = BTreeMap::<_, Coverage>::new();
        for (number, line) in usage.lines().enumerate() {
            if line.starts_with('#') {
                continue;
            }
            let mut fields = line.split('\t');
            let name = fields.next().unwrap_or_default();
            let uses = fields.next().and_then(|uses| uses.parse().ok());
            let Some(uses) = uses else {
                return Err(format!("line {}: no number of uses", number + 1));
            };
            let package = match name.starts_with('<') {
                true => "syntax",
                false => name.split('.').next().unwrap_or(name),
            };
            let of = coverage.entry(package.to_owned()).or_default();
            let uses: usize = uses;
            of.of_uses += uses;
            of.of_names += 1;
            if index.exact(name).is_some() {
                of.uses += uses;
                of.names += 1;
            } else {
                of.lacking.push(name.to_owned());
            }
        }
        Ok(coverage)
    }
}

/// Rows by their names.
pub struct Index<'d> {
    names: BTreeMap<&'d str, &'d Row>,
    families: Vec<(&'d str, &'d Row)>,
    packages: BTreeSet<&'d str>,
}

impl<'d> Index<'d> {
    /// The row of a name itself, or of its family.
    pub fn exact(&self, name: &str) -> Option<&'d Row> {
        let of_family = || {
            let mut families = self.families.iter();
            families
                .find(|(start, _)| name.starts_with(start))
                .map(|(_, row)| *row)
        };
        self.names.get(name).copied().or_else(of_family)
    }

    /// The name that has a row: this one, or the class that it is a part of.
    /// A class begins with a capital letter.
    pub fn find<'n>(&self, name: &'n str) -> Option<(&'n str, &'d Row)> {
        if let Some(row) = self.exact(name) {
            return Some((name, row));
        }
        let mut name = name;
        while let Some((class, _)) = name.rsplit_once('.') {
            name = class;
            let last = name.rsplit('.').next().unwrap_or(name);
            if last.starts_with(char::is_uppercase)
                && let Some(row) = self.exact(name)
            {
                return Some((name, row));
            }
        }
        None
    }

    /// The package of which the dictionary should have this name.
    pub fn package(&self, name: &str) -> Option<&'d str> {
        let mut packages = self.packages.iter().copied();
        packages.find(|package| {
            let rest = name.strip_prefix(package);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl Library {
    fn place(&self) -> String {
        format!("{FOLDER}/{}.toml", self.file)
    }
}

impl Row {
    /// The crates of `rust`, as its links to docs.rs and crates.io name them.
    pub fn crates(&self) -> BTreeSet<&str> {
        let rust = self.rust.as_deref().unwrap_or_default();
        let hosts = ["https://docs.rs/", "https://crates.io/crates/"];
        let names = hosts.iter().flat_map(|host| rust.split(host).skip(1));
        let end = |c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c));
        names.filter_map(|rest| rest.split(end).next()).collect()
    }
}

fn library(path: &Path) -> Result<Library, String> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut library: Library = toml::from_str(&text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        let message = error.message().replace('\n', " ");
        format!("{FOLDER}/{name}.toml:{line}: {message}")
    })?;
    library.file = name.into_owned();
    Ok(library)
}

/// Markdown as a cell of a table.
pub fn cell(markdown: &str) -> String {
    markdown.replace('|', "\\|").replace('\n', " ")
}

/// A page of the book, as `SUMMARY.md` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'s> {
    /// Below `book`.
    pub path: &'s str,
    pub title: &'s str,
    /// The title of the chapter in which it stands; its own, if it is not
    /// indented.
    pub chapter: &'s str,
}

/// The book's pages, in their order.
pub fn pages(summary: &str) -> Vec<Page<'_>> {
    let mut chapter = "";
    let mut pages = Vec::new();
    for line in summary.lines() {
        let Some((before, rest)) = line.split_once("](") else { continue };
        let Some((indent, title)) = before.split_once('[') else { continue };
        let Some((path, _)) = rest.split_once(')') else { continue };
        if !indent.starts_with(' ') {
            chapter = title;
        }
        pages.push(Page { path, title, chapter });
    }
    pages
}

/// The page of a link, which may have a `#heading`.
pub fn page<'p, 's>(pages: &'p [Page<'s>], link: &str) -> Option<&'p Page<'s>> {
    let path = link.split('#').next().unwrap_or(link);
    pages.iter().find(|page| page.path == path)
}
