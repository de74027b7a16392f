#![doc = include_str!("../README.md")]

mod about;
mod alone;
mod beside;
mod bless;
mod book;
mod check;
mod disguise;
mod fence;
mod generate;
mod generated;
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

pub use about::About;
pub use alone::alone;
pub use beside::Beside;
pub use bless::bless;
pub use book::{Book, is_editors};
pub use check::{Check, What};
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
                     {error}; help: make the folder writable",
                    out_dir.display()
                );
            }
        }
        Err(problems) => {
            // What corrects the book may be anywhere below it.
            println!("cargo::rerun-if-changed=.");
            for problem in &problems {
                // A directive of cargo's is one line.
                let message = problem.to_string().replace('\n', "; ");
                println!("cargo::error={message}");
            }
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
    if let Some(folder) = &book.settings.snippets {
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
