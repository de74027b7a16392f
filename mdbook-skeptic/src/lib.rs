#![doc = include_str!("../README.md")]
// Its `fn main` is a build script's, shown as a reader has to write it.
#![allow(clippy::needless_doctest_main)]

mod alone;
mod bless;
mod book;
mod check;
mod disguise;
mod fence;
mod generate;
mod include;
mod page;
mod pairs;
mod parts;
mod problem;
mod prove;
pub mod rt;
mod settings;
mod timeline;

use std::env;
use std::path::PathBuf;

pub use alone::alone;
pub use bless::bless;
pub use book::Book;
pub use fence::Kind;
pub use page::{Block, Page, Picture};
pub use parts::Part;
pub use problem::Problem;
pub use prove::{Proof, prove};
pub use settings::Settings;

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
    println!("cargo::rerun-if-changed=book.toml");
    println!("cargo::rerun-if-changed=Cargo.lock");
    match Book::load(&root) {
        Ok(book) => {
            watch(&book);
            if let Err(error) = generate::tests(&book, &out_dir) {
                println!(
                    "cargo::error=cannot write the book's tests to {}: \
                     {error}; make the folder writable",
                    out_dir.display()
                );
            }
        }
        Err(problems) => {
            // What mends the book may be anywhere below it.
            println!("cargo::rerun-if-changed=.");
            for problem in &problems {
                println!("cargo::error={problem}");
            }
            println!(
                "cargo::error={} to mend before a reader can trust the book",
                match problems.len() {
                    1 => "one thing".to_owned(),
                    n => format!("{n} things"),
                }
            );
        }
    }
}

fn watch(book: &Book) {
    println!("cargo::rerun-if-changed={}", book.src.display());
    if let Some(script) = &book.settings.commands {
        println!("cargo::rerun-if-changed={}", script.display());
    }
    for script in book.settings.services.values() {
        println!("cargo::rerun-if-changed={}", script.display());
    }
    for folder in &book.settings.snippets {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    for file in &book.included {
        println!("cargo::rerun-if-changed={}", file.display());
    }
}

/// The tests that [`build`] has written, in a file of `tests/`.
#[macro_export]
macro_rules! tests {
    () => {
        include!(concat!(env!("OUT_DIR"), "/book-tests.rs"));
    };
}
