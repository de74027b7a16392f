//! What the benchmarks share.
//!
//! A *case* compares *ways* of doing one thing. The ways take turns: in each
//! *round*, every way does the work once and asserts its result.
//!
//! Where a way is a program of the book, the benchmark runs the code that the
//! page shows. It includes the program whole, as a module, and measures it from
//! a module inside that one, which sees its private items:
//!
//! ```text
//! #[expect(dead_code, reason = "the page's own `main` does not run")]
//! mod threads {
//!     include!("../../snippets/advanced-patterns/threads/threads.rs");
//!     pub mod measured; // calls `super::compute`
//! }
//! ```

use std::time::Duration;
use std::{env, io};

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

pub mod memory;
pub mod once;
pub mod queue;
pub mod runs;
pub mod turns;
pub mod versions;

/// Longer than a benchmark runs.
pub const HOUR: Duration = Duration::from_secs(3_600);

/// Makes the repository's root the current directory, because every path in
/// the benchmarks is relative to it. Cargo starts a benchmark in the folder of
/// its package.
pub fn enter_root() -> Result<()> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    Ok(env::set_current_dir(root)?)
}

/// A runtime as `#[tokio::main]` makes it: on the current thread if `threads`
/// is `one`, and else with a worker thread for each core.
pub fn runtime(threads: &str) -> io::Result<Runtime> {
    match threads {
        "one" => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().enable_all().build(),
    }
}
