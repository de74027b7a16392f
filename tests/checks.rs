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
mod figures;
mod form;
mod guard;
mod refresh_token;
mod task_group;
mod timelines;

/// The book, which build.rs has found in order.
static BOOK: LazyLock<&Book> = LazyLock::new(|| book::BOOK.book());
