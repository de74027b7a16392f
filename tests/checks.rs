//! Everything that `cargo test` checks, a file per kind of check.

/// Every block of the book: names begin with the chapter and the recipe.
mod book {
    mdbook_skeptic::tests!();
}
mod builds;
mod cli;
mod coverage;
mod form;
mod guard;
mod links;
