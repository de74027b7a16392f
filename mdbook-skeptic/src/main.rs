//! The guard at the command line: `mdbook-skeptic check|bless|alone [FOLDER]`.

use std::process::ExitCode;

use mdbook_skeptic::{Book, Problem};

const USAGE: &str = "\
usage: mdbook-skeptic COMMAND [FOLDER]

FOLDER holds book.toml; the current folder by default. Commands:
  check  report everything in the book that no test would check
  bless  rewrite the outputs, compiler messages and dependency blocks that the
         book shows, from a run of its programs
  alone  build every page's programs with the page's dependencies alone";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments = arguments.iter().map(String::as_str);
    let command = arguments.next().unwrap_or("--help");
    let folder = arguments.next().unwrap_or(".");
    let result = match (command, arguments.next()) {
        ("check", None) => check(folder),
        ("bless", None) => bless(folder),
        ("alone", None) => alone(folder),
        ("--help" | "-h", None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                eprintln!("error: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn check(folder: &str) -> Result<(), Vec<Problem>> {
    let book = Book::load(folder)?;
    let blocks = book.blocks().count();
    println!(
        "{} pages, {blocks} blocks, each with a checker",
        book.pages.len()
    );
    Ok(())
}

fn bless(folder: &str) -> Result<(), Vec<Problem>> {
    for file in mdbook_skeptic::bless(folder)? {
        println!("rewrote {}", file.display());
    }
    Ok(())
}

fn alone(folder: &str) -> Result<(), Vec<Problem>> {
    let book = Book::load(folder)?;
    mdbook_skeptic::alone(&book, |step| println!("{step}"))
}
