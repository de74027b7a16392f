//! The command behind `cargo run -- port`: reads Python, and prints a plan.

mod book;
mod format;
mod plan;
mod python;
mod scan;

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use dictionary::Dictionary;

use crate::book::Book;
use crate::format::Format;
use crate::plan::Plan;

/// Read Python, and print a plan for its port to Rust.
///
/// The plan has the crates to add, the recipes to read, and for each name of
/// asyncio and its libraries the counterpart in Rust. The Python is parsed, and
/// never run.
#[derive(Parser)]
#[command(name = "async-cookbook port")]
struct Arguments {
    /// A Python file, or a folder with Python files
    path: PathBuf,
    /// How the plan is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The address of the book, to which the plan links
    #[arg(
        long,
        default_value = "http://127.0.0.1:3000",
        value_name = "ADDRESS"
    )]
    url: String,
    /// List the file and the line of each use
    #[arg(long = "where")]
    place: bool,
    /// Write the plan to a file that does not exist yet
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The folder of the book
    #[arg(long, hide = true, default_value = ".")]
    book: PathBuf,
}

fn main() -> ExitCode {
    match execute(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = format!("error: {error:#}");
            // A closed stderr cannot be reported anywhere.
            _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: &Arguments) -> Result<()> {
    let path = &arguments.path;
    if let Err(error) = path.metadata() {
        bail!(
            "cannot read {}: {error}\nhelp: name a Python file or a folder \
             that has some",
            scan::clean(&path.display().to_string())
        );
    }
    if let Some(output) = &arguments.output {
        let name = scan::clean(&output.display().to_string());
        // A link that leads nowhere is there, too.
        if output.symlink_metadata().is_ok() {
            bail!("{name} exists\nhelp: name a file that does not exist");
        }
        let folder = output.parent().filter(|it| *it != Path::new(""));
        if folder.is_some_and(|folder| !folder.is_dir()) {
            bail!("{name} is in no folder\nhelp: make the folder first");
        }
    }
    let book = Book::read(&arguments.book, &arguments.url)?;
    let dictionary = Dictionary::read(&arguments.book);
    let dictionary = dictionary.map_err(|faults| {
        anyhow::anyhow!(
            "the dictionary is not in order:\n{}",
            faults.join("\n")
        )
    })?;
    let root = scan::clean(&path.display().to_string());
    let scan =
        scan::scan(path).with_context(|| format!("cannot read {root}"))?;
    if scan.files.is_empty() {
        let mut why = String::new();
        for problem in &scan.problems {
            why += &format!("\n{} {}", problem.file, problem.why);
        }
        bail!(
            "{root} has no Python file that can be read{why}\nhelp: name a \
             folder with files `*.py`; hidden folders and environments are left \
             out, and so are notebooks"
        );
    }
    let plan = Plan::new(&root, scan, &dictionary, &book, arguments.place);
    let text = arguments.format.write(&plan);
    match &arguments.output {
        // If it has come into being meanwhile, it stays as it is.
        Some(path) => File::create_new(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display())),
        None => match io::stdout().write_all(text.as_bytes()) {
            // `head` reads no more than it shows.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result.context("cannot write to stdout"),
        },
    }
}
