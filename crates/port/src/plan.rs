//! The plan: what of a tree the dictionary has, and what to read and do first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use dictionary::{Dictionary, Index, Page, Row, page, pages};
use serde::Serialize;

use crate::book::Book;
use crate::scan::{Problem, Scan};

/// How many files are named where all would be too many.
const FEW: usize = 5;

#[derive(Serialize)]
pub struct Plan {
    pub root: String,
    /// The address of the book, with a `/` at its end.
    pub url: String,
    pub files: usize,
    pub lines: usize,
    pub covered: Covered,
    pub crates: Vec<Crate>,
    pub read: Vec<Chapter>,
    /// The files to begin with.
    pub first: Vec<First>,
    /// What corresponds to something in Rust, most used first.
    pub names: Vec<Name>,
    /// What has no counterpart.
    pub instead: Vec<Name>,
    pub constructs: Vec<Name>,
    /// What the dictionary lacks of the packages that it knows.
    pub lacking: Vec<Lacking>,
    /// The packages of which it knows nothing, imported by most files first.
    pub unknown: Vec<Unknown>,
    pub problems: Vec<Problem>,
}

/// How much of what a tree uses of the libraries has a row.
#[derive(Serialize)]
pub struct Covered {
    pub uses: usize,
    pub of_uses: usize,
    pub names: usize,
    pub of_names: usize,
}

/// A crate that the counterparts need.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    pub name: String,
    /// A line of a manifest.
    pub line: String,
    /// How many uses of names need it.
    pub uses: usize,
}

#[derive(Serialize)]
pub struct Chapter {
    pub title: String,
    pub uses: usize,
    pub pages: Vec<PageOf>,
}

#[derive(Serialize)]
pub struct PageOf {
    pub title: String,
    pub address: String,
    pub uses: usize,
}

/// A file that imports no other file in which there is something to port.
#[derive(Serialize)]
pub struct First {
    pub file: String,
    pub lines: usize,
    pub uses: usize,
    pub names: usize,
}

#[derive(Serialize)]
pub struct Name {
    pub python: String,
    pub uses: usize,
    pub files: usize,
    /// Markdown.
    pub rust: Option<String>,
    /// Markdown.
    pub differs: String,
    pub recipes: Vec<Recipe>,
    /// `file:line` of each use, if asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
}

#[derive(Serialize, Clone)]
pub struct Recipe {
    pub title: String,
    pub address: String,
}

#[derive(Serialize)]
pub struct Lacking {
    pub python: String,
    pub uses: usize,
    pub files: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
}

#[derive(Serialize)]
pub struct Unknown {
    pub package: String,
    pub files: usize,
}

/// Where something is used: the lines, by file.
type Places<'s> = BTreeMap<&'s str, Vec<usize>>;

impl Plan {
    /// `place` asks for each use's file and line.
    pub fn new(
        root: &str,
        scan: Scan,
        dictionary: &Dictionary,
        book: &Book,
        place: bool,
    ) -> Plan {
        let index = dictionary.index();
        let mut known: BTreeMap<String, (&Row, Places)> = BTreeMap::new();
        let mut lacking: BTreeMap<String, Places> = BTreeMap::new();
        let mut constructs: BTreeMap<_, Places> = BTreeMap::new();
        let is_member = |name: &str| index.exact(name).is_some();
        let mut of_file: BTreeMap<&str, Of> = BTreeMap::new();
        for (file, module) in &scan.files {
            let source = &module.source;
            let uses = source
                .uses
                .iter()
                .map(|(import, lines)| (scan.resolve(file, import), lines));
            let bare = source.bare.iter().map(|(name, lines)| {
                (scan.resolve_bare(file, name, &is_member), lines)
            });
            for (full, lines) in uses.chain(bare) {
                let Some(full) = full else { continue };
                let found = index.find(&full);
                let of = of_file.entry(file).or_default();
                let places = match found {
                    Some((name, row)) => {
                        of.names.insert(name.to_owned());
                        of.is_hard |= row.rust.is_none();
                        let known = known.entry(name.to_owned());
                        &mut known.or_insert_with(|| (row, Places::new())).1
                    }
                    None if index
                        .package(&full)
                        .is_some_and(|it| it != full) =>
                    {
                        of.is_hard = true;
                        lacking.entry(full).or_default()
                    }
                    None => continue,
                };
                of.uses += lines.len();
                places.entry(file.as_str()).or_default().extend(lines);
            }
            for (construct, lines) in &module.source.constructs {
                let places = constructs.entry(*construct).or_default();
                places.entry(file.as_str()).or_default().extend(lines);
            }
        }
        of_file.retain(|_, of| of.uses > 0);
        let pages = pages(&book.summary);
        let name = |python: &str, row: Option<&Row>, places: &Places| Name {
            python: python.to_owned(),
            uses: uses(places),
            files: places.len(),
            rust: row.and_then(|row| row.rust.clone()),
            differs: row.map(|row| row.differs.clone()).unwrap_or_default(),
            recipes: row
                .map(|row| recipes(row, &pages, book))
                .unwrap_or_default(),
            places: if place { listed(places) } else { Vec::new() },
        };
        let all = known
            .iter()
            .map(|(python, (row, places))| name(python, Some(row), places));
        let (mut names, mut instead): (Vec<_>, Vec<_>) =
            all.partition(|name| name.rust.is_some());
        names.sort_by_key(|name| Reverse(name.uses));
        instead.sort_by_key(|name| Reverse(name.uses));
        let mut constructs: Vec<Name> = constructs
            .iter()
            .map(|(construct, places)| {
                let row = index.exact(&construct.name());
                name(construct.text(), row, places)
            })
            .collect();
        constructs.sort_by_key(|name| Reverse(name.uses));
        let mut lacking: Vec<Lacking> = lacking
            .iter()
            .map(|(python, places)| Lacking {
                python: python.clone(),
                uses: uses(places),
                files: places.len(),
                places: if place { listed(places) } else { Vec::new() },
            })
            .collect();
        lacking.sort_by_key(|lacking| Reverse(lacking.uses));
        let with_row = names.iter().chain(&instead).map(|name| name.uses);
        let with_row = with_row.sum::<usize>();
        let without = lacking.iter().map(|name| name.uses).sum::<usize>();
        let covered = Covered {
            uses: with_row,
            of_uses: with_row + without,
            names: known.len(),
            of_names: known.len() + lacking.len(),
        };
        let rows = known.values().map(|(row, places)| (*row, uses(places)));
        let rows: Vec<_> =
            rows.chain(of_constructs(&index, &constructs)).collect();
        Plan {
            root: root.to_owned(),
            url: book.url.clone(),
            files: scan.files.len(),
            lines: scan.files.values().map(|module| module.source.lines).sum(),
            covered,
            crates: book.crates(&rows),
            read: reading(&rows, &pages, book),
            first: first(&scan, &of_file),
            names,
            instead,
            constructs,
            lacking,
            unknown: unknown(&scan, dictionary),
            problems: scan.problems,
        }
    }
}

/// What one file uses.
#[derive(Default)]
struct Of {
    uses: usize,
    names: BTreeSet<String>,
    /// It uses a name that has no counterpart, or no row.
    is_hard: bool,
}

/// The rows of syntax, with their uses. How often `await` stands somewhere says
/// nothing about what to read.
fn of_constructs<'d>(
    index: &Index<'d>,
    constructs: &[Name],
) -> Vec<(&'d Row, usize)> {
    let of = |name: &Name| {
        let row = index.exact(&format!("<{}>", name.python))?;
        let is_plain = matches!(&*name.python, "await" | "async def");
        (!is_plain).then_some((row, name.uses))
    };
    constructs.iter().filter_map(of).collect()
}

fn uses(places: &Places) -> usize {
    places.values().map(Vec::len).sum()
}

fn listed(places: &Places) -> Vec<String> {
    let of = |(file, lines): (&&str, &Vec<usize>)| {
        let mut lines = lines.clone();
        lines.sort_unstable();
        let places = lines.iter().map(|line| format!("{file}:{line}"));
        places.collect::<Vec<_>>()
    };
    places.iter().flat_map(of).collect()
}

fn recipes(row: &Row, pages: &[Page], book: &Book) -> Vec<Recipe> {
    let recipe = |link: &String| {
        let title = page(pages, link)?.title.to_owned();
        Some(Recipe { title, address: book.address(link) })
    };
    row.recipe.iter().filter_map(recipe).collect()
}

/// The pages that the rows name, by chapter: the chapter with the most uses
/// first, and its pages likewise.
fn reading(
    rows: &[(&Row, usize)],
    pages: &[Page],
    book: &Book,
) -> Vec<Chapter> {
    let mut chapters: BTreeMap<&str, BTreeMap<&str, PageOf>> = BTreeMap::new();
    for (row, uses) in rows {
        // The first page answers; another one goes further.
        let link = row.recipe.first();
        let Some(page) = link.and_then(|link| page(pages, link)) else {
            continue;
        };
        let chapter = chapters.entry(page.chapter).or_default();
        let of = chapter.entry(page.path).or_insert_with(|| PageOf {
            title: page.title.to_owned(),
            address: book.address(page.path),
            uses: 0,
        });
        of.uses += uses;
    }
    let chapters = chapters.into_iter().map(|(title, pages)| {
        let mut pages: Vec<_> = pages.into_values().collect();
        pages.sort_by_key(|page| Reverse(page.uses));
        let uses = pages.iter().map(|page| page.uses).sum();
        Chapter { title: title.to_owned(), uses, pages }
    });
    let mut chapters: Vec<_> = chapters.collect();
    chapters.sort_by_key(|chapter| Reverse(chapter.uses));
    chapters
}

/// The packages that files import, besides those of Python, of the tree and of
/// the dictionary.
fn unknown(scan: &Scan, dictionary: &Dictionary) -> Vec<Unknown> {
    let names = dictionary.rows().flat_map(|(_, row)| &row.python);
    let known = names.filter_map(|name| name.split('.').next());
    let known: BTreeSet<_> = known.chain(STDLIB.split_whitespace()).collect();
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for file in scan.files.keys() {
        for package in scan.packages(file) {
            if !known.contains(package.as_str()) && !package.starts_with('_') {
                *files.entry(package).or_default() += 1;
            }
        }
    }
    let files = files.into_iter();
    let mut unknown: Vec<_> =
        files.map(|(package, files)| Unknown { package, files }).collect();
    unknown.sort_by_key(|unknown| Reverse(unknown.files));
    unknown
}

/// The modules of Python's own library, by `sys.stdlib_module_names`.
const STDLIB: &str = include_str!("stdlib.txt");

/// The files that are the easiest to begin with: each name in them has a
/// counterpart, and they import no other file that uses one of the libraries.
fn first(scan: &Scan, of_file: &BTreeMap<&str, Of>) -> Vec<First> {
    let is_leaf = |file: &str| {
        let mut seen = BTreeSet::from([file]);
        let mut next: Vec<_> = scan.imports(file).into_iter().collect();
        while let Some(other) = next.pop() {
            if other != file && of_file.contains_key(other) {
                return false;
            }
            if seen.insert(other) {
                next.extend(scan.imports(other));
            }
        }
        true
    };
    let easy =
        of_file.iter().filter(|(_, of)| !of.is_hard && of.names.len() > 1);
    let mut easy: Vec<_> = easy.filter(|(file, _)| is_leaf(file)).collect();
    easy.sort_by_key(|(_, of)| (of.names.len(), of.uses));
    let first = easy.into_iter().take(FEW).map(|(file, of)| First {
        file: file.to_string(),
        lines: scan.files.get(*file).map_or(0, |module| module.source.lines),
        uses: of.uses,
        names: of.names.len(),
    });
    first.collect()
}
