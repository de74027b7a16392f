//! Everything that `cargo test` checks, a file per kind of check.

use std::sync::LazyLock;

use mdbook_skeptic::Book;

// libtest takes the tests by name: this one, the longest, at once.
mod anchors;
/// Every block of the book: names begin with the chapter and the recipe.
mod book {
    mdbook_skeptic::tests!();
}
mod builds;
mod coverage;
mod dictionary;
mod endpoints;
mod figures;
mod form;
mod guard;
mod layout;
mod symptoms;
mod task_group;
mod timelines;

/// What the book shows of the output of a program, or of a file of tests.
fn printed(book: &Book, name: &str) -> String {
    let mut blocks = book.blocks().map(|(_, block)| block);
    let shown = blocks.find(|b| b.example().or(b.test()) == Some(name));
    let shown = shown.unwrap_or_else(|| panic!("no output of {name}"));
    let (_, output) = shown.text.split_once('\n').expect("a command");
    output.to_owned()
}

/// The book, which build.rs has found in order.
static BOOK: LazyLock<&Book> = LazyLock::new(|| book::BOOK.book());
