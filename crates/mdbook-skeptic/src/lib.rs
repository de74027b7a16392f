//! The guard of this book: it finds every code block that the book shows, and
//! checks each.
//!
//! # Layout
//!
//! No module uses one that uses it, not even by way of others:
//! `tests/modules.rs` sees to it.
//!
//! | Module | What it has |
//! | --- | --- |
//! | `model` | what the guard works on, as data: `Book`, `Page`, `Block`, `Check` |
//! | `problem` | what is wrong, where, and how to correct it |
//! | `settings` | the guard's table in `book.toml` |
//! | `beside` | what lies beside a program and is needed to compile it |
//! | `anchor` | `ANCHOR` comments, and the part of a file that a block shows |
//! | `compare` | when two texts are equal |
//! | `hash` | what tells a text or a file from any other |
//! | `toolchain` | cargo, rustc, Python, the folder of the builds, `CI` |
//! | `skeptic` | all that is known of skeptic's names, texts and messages |
//! | `load` | reads the book as mdBook renders it |
//! | `load::book` | `Book::load`, which applies every rule that needs no run |
//! | `load::config` | `book.toml` and `SUMMARY.md` |
//! | `load::include` | mdBook's directives |
//! | `load::source` | the way back from the expanded text to the source |
//! | `load::page` | the blocks and pictures of a page |
//! | `load::fence` | which checker a fence asks for; a new fence begins here |
//! | `load::about` | what a page says of itself |
//! | `lint` | rules that need no run |
//! | `lint::disguise` | code that nothing runs, in a block |
//! | `lint::html` | code that nothing runs, in raw HTML |
//! | `lint::keep` | the part of a program that a reader keeps |
//! | `lint::pairs` | what must stand beside a block |
//! | `lint::parts` | lines that correspond in Python and Rust |
//! | `lint::files` | files that no page shows; styles and templates |
//! | `plan` | from a book to its checks |
//! | `codegen` | from the checks to the tests that `cargo test` runs |
//! | `run` | runs what a check needs |
//! | `run::workspace` | what is built, and what runs programs: found once |
//! | `run::artifacts` | what cargo has built |
//! | `run::crates` | which crates a program names |
//! | `run::program` | `rust`: skeptic's programs |
//! | `run::output` | `console`: what a program prints |
//! | `run::compile` | `compile_fail`: what the compiler says |
//! | `run::python` | `python` |
//! | `run::dependencies` | `toml`: what programs need |
//! | `run::timeline` | pictures of runs |
//! | `run::sandbox` | runs a program shut in |
//! | `run::server` | a server for a program |
//! | `run::busy` | keeps all cores busy |
//! | `run::watchdog` | ends what does not end; lists the slowest |
//! | `run::skipped` | counts what cannot run here |
//! | `run::record` | what has passed here, and when |
//! | `run::cache` | what has passed and has not changed |
//! | `checks` | what each check finds out, and whether the page shows it |
//! | `built` | the checks by the names of their tests |
//! | `generated` | files that are made from the book |
//! | `table` | tables of a page whose rows are made |
//! | `names` | the tables of the dictionary, and its script |
//! | `passed` | what of each page has passed here, for its foot |
//! | `bless` | writes what the checks find out into the pages |
//! | `mutate` | breaks blocks and changes code, and sees a check fail |
//! | `mutate::all` | makes mutants, tries each, and keeps what became of them |
//! | `mutate::blocks` | ways to break a block |
//! | `mutate::rust` | small changes of Rust code |
//! | `mutate::python` | small changes of Python code |
//! | `mutate::trial` | runs what is to fail |
//! | `mutate::results` | what became of the mutants of the last run |
//! | `alone` | builds programs with their page's dependencies alone |
//!
#![doc = include_str!("../README.md")]

mod alone;
mod anchor;
mod beside;
mod bless;
mod built;
mod checks;
mod codegen;
mod compare;
mod generated;
mod hash;
mod lint {
    pub(crate) mod disguise;
    pub(crate) mod files;
    pub(crate) mod html;
    pub(crate) mod keep;
    pub(crate) mod pairs;
    pub(crate) mod parts;
}
mod load {
    pub(crate) mod about;
    pub(crate) mod book;
    pub(crate) mod config;
    pub(crate) mod fence;
    pub(crate) mod include;
    pub(crate) mod page;
    pub(crate) mod source;
}
mod model;
mod names;
mod mutate {
    pub(crate) mod all;
    pub(crate) mod blocks;
    pub(crate) mod python;
    pub(crate) mod results;
    pub(crate) mod rust;
    pub(crate) mod trial;
}
mod passed;
mod plan;
mod problem;
mod run {
    pub(crate) mod artifacts;
    pub(crate) mod busy;
    pub(crate) mod cache;
    pub(crate) mod compile;
    pub(crate) mod crates;
    pub(crate) mod dependencies;
    pub(crate) mod output;
    pub(crate) mod program;
    pub(crate) mod python;
    pub(crate) mod record;
    pub(crate) mod sandbox;
    pub(crate) mod server;
    pub(crate) mod skipped;
    pub(crate) mod timeline;
    pub(crate) mod watchdog;
    pub(crate) mod workspace;
}
mod settings;
mod skeptic;
mod table;
mod toolchain;

use std::env;
use std::path::{Path, PathBuf};

pub use alone::alone;
pub use beside::Beside;
pub use bless::bless;
pub use lint::files::is_editors;
pub use model::{
    About, Block, Book, Check, Keep, Kind, NoKeep, Page, Part, Picture, What,
};
pub use mutate::all::{Mutate, Tried, mutate};
pub use passed::{Passed, passed};
pub use problem::Problem;

pub use settings::Settings;

/// What the generated tests call, and tests of your own may.
pub mod rt {
    pub use crate::built::Built;
    pub use crate::generated::check as generated;
    pub use crate::hash::content;
    pub use crate::run::artifacts::Libraries;
    pub use crate::run::cache::once;
    pub use crate::run::program::program;
    pub use crate::run::timeline::timeline;
    pub use crate::run::workspace::{Context, Workspace};
}

/// Checks the book next to the package's `Cargo.toml` and writes its tests
/// into `OUT_DIR`. Call it from `build.rs`.
///
/// Everything that is wrong with the book is reported at once, as errors of
/// the build.
pub fn build() {
    let variable = |name| env::var_os(name).map(PathBuf::from);
    let (Some(root), Some(out_dir)) =
        (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"))
    else {
        println!("cargo::error=mdbook_skeptic::build() belongs in build.rs");
        return;
    };
    let watch = |path: &Path| {
        println!("cargo::rerun-if-changed={}", path.display());
    };
    watch(Path::new("book.toml"));
    watch(Path::new("Cargo.lock"));
    match Book::load(&root) {
        Ok(book) => {
            let Settings { commands, services, snippets, .. } = &book.settings;
            watch(&book.src);
            let files = services.values().chain(&book.included);
            for path in files.chain(commands).chain(snippets) {
                watch(path);
            }
            if let Err(error) = codegen::tests(&book, &out_dir) {
                println!(
                    "cargo::error=cannot write the book's tests to {}: \
                     {error}; help: make the folder writable",
                    out_dir.display()
                );
            }
        }
        Err(problems) => {
            // What corrects the book may be anywhere below it.
            watch(Path::new("."));
            for problem in &problems {
                // A directive of cargo's is one line.
                let message = problem.to_string().replace('\n', "; ");
                println!("cargo::error={message}");
            }
        }
    }
}

/// The tests that [`build`] has written, in a file of `tests/`.
#[macro_export]
macro_rules! tests {
    () => {
        include!(concat!(env!("OUT_DIR"), "/book-tests.rs"));
    };
}
