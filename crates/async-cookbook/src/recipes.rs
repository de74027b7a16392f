//! The recipes of the book: lists them, finds one by name, runs it.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use mdbook_skeptic::{Block, Book, Page};

use crate::{failed, joined};

/// The programs and the files of tests that the book shows with their output.
pub struct Recipes {
    programs: Vec<Recipe>,
    /// Files of tests, which `run` does not take.
    tests: Vec<Recipe>,
}

/// A program or a file of tests.
pub struct Recipe {
    /// The folder of its page; `-` for a page outside the chapters.
    chapter: String,
    /// Its page, as the address has it: `fetch-json`.
    page: String,
    /// The name of its `[[example]]` or `[[test]]`: `fetch_json`.
    name: String,
    /// The title of its page, or the heading above it.
    title: String,
}

/// The recipes, in the order of the book.
///
/// # Errors
///
/// All problems of the book, if it has any.
pub fn load(root: &Path) -> Result<Recipes> {
    let book = Book::load(root).map_err(|problems| joined(&problems))?;
    let called = |name: fn(&Block) -> Option<&str>| {
        let mut seen = BTreeSet::new();
        let recipes = book.pages.iter().flat_map(|page| of_page(page, name));
        let mut recipes: Vec<_> = recipes.collect();
        recipes.retain(|recipe| seen.insert(recipe.name.clone()));
        recipes
    };
    let (programs, tests) = (called(Block::example), called(Block::test));
    Ok(Recipes { programs, tests })
}

fn of_page(page: &Page, name: fn(&Block) -> Option<&str>) -> Vec<Recipe> {
    let chapter = match page.path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_string_lossy(),
        _ => "-".into(),
    };
    let stem = page.path.file_stem().unwrap_or_default().to_string_lossy();
    let mut recipes = Vec::new();
    for block in &page.blocks {
        let Some(name) = name(block) else { continue };
        let first = recipes.is_empty();
        let title = if first { &page.title } else { &block.heading };
        recipes.push(Recipe {
            chapter: chapter.to_string(),
            page: stem.to_string(),
            name: name.to_owned(),
            title: title.clone(),
        });
    }
    recipes
}

/// The widest line of a [`table`], unless names alone are wider.
const WIDTH: usize = 100;

/// The programs, one on each line, in columns.
pub fn table(recipes: &Recipes) -> String {
    let recipes = &recipes.programs;
    let widest = |column: fn(&Recipe) -> &str| {
        let widths = recipes.iter().map(|r| column(r).chars().count());
        widths.max().unwrap_or(0)
    };
    let chapter = widest(|recipe| &recipe.chapter);
    let name = widest(|recipe| &recipe.name);
    let rest = WIDTH.saturating_sub(chapter + name + 4);
    let lines: Vec<_> = recipes
        .iter()
        .map(|recipe| {
            format!(
                "{:chapter$}  {:name$}  {}",
                recipe.chapter,
                recipe.name,
                shortened(&recipe.title, rest)
            )
        })
        .collect();
    lines.join("\n")
}

fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let start: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", start.trim_end())
}

/// The program of this name, or the first one of the page of this name.
///
/// # Errors
///
/// There is none. The help says how its tests are run, or which names are
/// similar.
pub fn find<'a>(recipes: &'a Recipes, wanted: &str) -> Result<&'a Recipe> {
    let name = wanted.replace('-', "_");
    let of = |recipes: &'a [Recipe]| {
        let named = recipes.iter().find(|recipe| recipe.name == name);
        named.or_else(|| recipes.iter().find(|recipe| recipe.page == wanted))
    };
    if let Some(recipe) = of(&recipes.programs) {
        return Ok(recipe);
    }
    if let Some(Recipe { name, .. }) = of(&recipes.tests) {
        bail!(
            "`{wanted}` is a file of tests, not a program\n\
             help: run it with `cargo test --test {name}`"
        );
    }
    let near = similar(&recipes.programs, &name);
    if near.is_empty() {
        bail!(
            "no recipe is called `{wanted}`\n\
             help: `cargo run list` shows all names"
        );
    }
    bail!(
        "no recipe is called `{wanted}`\n\
         help: similar names are {near}; `cargo run list` shows all names"
    )
}

/// Up to three similar names, the most similar first.
fn similar(recipes: &[Recipe], name: &str) -> String {
    let mut near: Vec<_> = recipes
        .iter()
        .map(|recipe| (strsim::jaro_winkler(&recipe.name, name), &recipe.name))
        .filter(|(similarity, _)| *similarity > 0.7)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names = near.iter().take(3).map(|(_, name)| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

impl Recipe {
    /// The name of its `[[example]]`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Replaces this process with cargo, which runs the program: signals
    /// reach it, and its exit status reaches the caller.
    ///
    /// Returns only if cargo cannot be started.
    pub fn run(&self, root: &Path) -> anyhow::Error {
        let mut cargo = cargo(root);
        cargo.args(["run", "--quiet", "--example", &self.name]);
        no_cargo()(cargo.exec())
    }
}

/// Cargo in the book's folder.
pub fn cargo(root: &Path) -> Command {
    // From the root and without `--package`: as `cargo test` has built it.
    let mut cargo =
        Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// The error when cargo cannot be started.
pub fn no_cargo() -> impl FnOnce(io::Error) -> anyhow::Error {
    failed(
        "cannot start cargo",
        "install Rust from https://rustup.rs, or put cargo on the PATH",
    )
}
