//! The `async-cookbook` command from outside: its arguments, what it prints,
//! what it serves, and how it ends.

mod arguments;
mod build;
mod list;
mod live_reload;
mod port;
mod run;
mod run_button;
mod serve;
mod support {
    pub mod book;
    pub mod process;
    pub mod server;
}

use std::any;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mdbook_skeptic::rt;

const COMMAND: &str = env!("CARGO_BIN_EXE_async-cookbook");

/// Only a fault takes this long.
const LIMIT: Duration = Duration::from_secs(30);
/// For what may have to wait for other builds.
const BUILD: Duration = Duration::from_secs(600);

/// Runs a test, unless it has passed with the same command.
fn with_command<T: Fn()>(test: T) {
    with_command_and(&[], test);
}

/// The same for a test that reads files of this book.
fn with_command_and<T: Fn()>(files: &[&str], test: T) {
    let content = |file| rt::content(this_book().join(file));
    let files: Vec<_> = files.iter().map(content).collect();
    let tests = env::current_exe().expect("the program that runs this");
    let name = any::type_name::<T>();
    rt::once((name, built(COMMAND.into()), built(tests), files), test);
}

fn built(program: PathBuf) -> SystemTime {
    let metadata = fs::metadata(program).expect("cargo has built it");
    metadata.modified().expect("this system keeps dates")
}

fn this_book() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).expect("the book's folder")
}
