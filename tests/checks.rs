//! Everything that `cargo test` checks, a file per kind of check.

use std::any;
use std::sync::LazyLock;

use mdbook_skeptic::{Book, rt};

// libtest takes the tests by name: this one, the longest, at once.
mod anchors;
/// Every block of the book: names begin with the chapter and the recipe.
mod book {
    mdbook_skeptic::tests!();
}
mod builds;
mod cli;
mod coverage;
mod figures;
mod form;
mod guard;
mod refresh_token;
mod task_group;
mod timelines;

/// The book, which build.rs has found in order.
static BOOK: LazyLock<&Book> = LazyLock::new(|| book::BOOK.book());

const COMMAND: &str = env!("CARGO_BIN_EXE_async-cookbook");

static COMMAND_HASH: LazyLock<Option<u64>> =
    LazyLock::new(|| rt::content(COMMAND));

/// Runs a test that depends on the command alone, unless it has passed with
/// the same command.
fn with_command<T: Fn()>(test: T) {
    let input = (any::type_name::<T>(), *COMMAND_HASH, include_str!("cli.rs"));
    rt::once(input, test);
}
