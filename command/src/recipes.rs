//! The recipes that the book shows: lists them, finds one, runs it.

use std::collections::BTreeSet;
use std::env;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use mdbook_skeptic::{Block, Book, Page};

use crate::{failed, lines};

/// What the book shows together with its output.
pub struct Recipes {
    programs: Vec<Recipe>,
    /// Files of tests, which are no programs to run.
    tests: Vec<Recipe>,
}

/// A program or a file of tests.
pub struct Recipe {
    /// The folder of its page; `-` for a page of no chapter.
    chapter: String,
    /// Its page, as a reader would name it: `fetch-json`.
    page: String,
    /// The name of its `[[example]]` or `[[test]]`: `fetch_json`.
    name: String,
    /// What it is about.
    title: String,
}

/// The recipes, in the order of the book.
///
/// # Errors
///
/// Everything that is wrong with the book, a line each.
pub fn load(root: &Path) -> Result<Recipes> {
    let book = Book::load(root).map_err(|problems| lines(&problems))?;
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

/// A line a program, in columns.
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
/// There is none; says how its tests are run, or which names are near.
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
        bail!("`{wanted}` is run as tests; type `cargo test --test {name}`");
    }
    let near = nearest(&recipes.programs, &name);
    if near.is_empty() {
        bail!(
            "no recipe is called `{wanted}`; `cargo run list` shows them all"
        );
    }
    bail!(
        "no recipe is called `{wanted}`; the nearest are {near}, and `cargo \
         run list` shows them all",
    )
}

/// Up to three names that a reader may have meant, the nearest first.
fn nearest(recipes: &[Recipe], name: &str) -> String {
    let mut near: Vec<_> = recipes
        .iter()
        .map(|recipe| (strsim::jaro_winkler(&recipe.name, name), &recipe.name))
        .filter(|(likeness, _)| *likeness > 0.7)
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

    /// Runs the program by cargo, with this process's stdin, stdout and
    /// stderr; its exit status.
    ///
    /// # Errors
    ///
    /// Cargo cannot be started.
    pub fn run(&self, root: &Path) -> Result<ExitCode> {
        let mut cargo = cargo(root);
        cargo.args(["run", "--quiet", "--example", &self.name]);
        replace(cargo).map_err(no_cargo())
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

/// What to do where cargo cannot be started.
pub fn no_cargo() -> impl FnOnce(io::Error) -> anyhow::Error {
    failed(
        "cannot start cargo",
        "install Rust from https://rustup.rs, or put cargo on the PATH",
    )
}

/// Becomes the command, so that signals reach it, and its status the caller.
#[cfg(unix)]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> io::Result<ExitCode> {
    let code = command.status()?.code().unwrap_or(1);
    std::process::exit(code)
}
