// ANCHOR: all
use std::panic::{self, AssertUnwindSafe, catch_unwind};

use axum::{Router, routing::get};

/// Checks the text of the panic, and prints it.
fn panics<T>(expected: &str, run: impl FnOnce() -> T) {
    let panic = catch_unwind(AssertUnwindSafe(run)).map(drop).unwrap_err();
    let text = panic.downcast_ref::<String>().expect("a text");
    let text = text.lines().next().unwrap_or_default();
    println!("{text}");
    assert!(text.starts_with(expected), "{text}");
}

async fn track() {}

fn main() {
    panic::set_hook(Box::new(|_| {})); // the texts are printed above
    let app = || Router::<()>::new().route("/parcels/{id}", get(track));

    let text = "Path segments must not start with `:`. For capture groups, \
                use `{capture}`.";
    panics(text, || app().route("/labels/:id", get(track)));
    let text = "Overlapping method route. Handler for `GET /parcels/{id}` \
                already exists";
    panics(text, || app().merge(app()));
}
// ANCHOR_END: all
