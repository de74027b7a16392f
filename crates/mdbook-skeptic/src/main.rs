//! The guard at the command line: `mdbook-skeptic check|bless|alone|mutate`.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use mdbook_skeptic::{Book, Mutate, Problem};

const USAGE: &str = "\
usage: mdbook-skeptic COMMAND [FOLDER]

FOLDER holds book.toml; the current folder by default. Commands:
  check  report everything in the book that no test would check
  bless  rewrite the outputs, timelines, compiler messages and dependency
         blocks that the book shows, from a run of its programs, and the script
         of its parts; with `FOLDER PAGE`, those of `book/chapter/page.md`
  mutate break every block and change every part that a reader copies, one at
         a time, on a copy, and see that a check fails; with `FOLDER PAGE` the
         parts of `book/chapter/page.md`, with `--sample N` about N of all
  alone  build every page's programs with the page's dependencies alone";

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(OsString::into_string);
    let Ok(arguments) = arguments.collect::<Result<Vec<_>, _>>() else {
        eprintln!("error: an argument is not UTF-8; name the folder otherwise");
        return ExitCode::from(2);
    };
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["check"] => check("."),
        ["check", folder] => check(folder),
        ["bless"] => bless(".", None),
        ["bless", folder] => bless(folder, None),
        ["bless", folder, page] => bless(folder, Some(page)),
        ["alone"] => alone("."),
        ["alone", folder] => alone(folder),
        ["mutate"] => mutate(".", &Mutate::All),
        ["mutate", "--sample", count] if let Ok(count) = count.parse() => {
            mutate(".", &Mutate::Sample(count))
        }
        ["mutate", folder, "--sample", count]
            if let Ok(count) = count.parse() =>
        {
            mutate(folder, &Mutate::Sample(count))
        }
        ["mutate", folder] => mutate(folder, &Mutate::All),
        ["mutate", folder, page] => mutate(folder, &Mutate::Page(page.into())),
        [] | ["--help" | "-h"] => {
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

fn bless(folder: &str, only: Option<&str>) -> Result<(), Vec<Problem>> {
    for file in mdbook_skeptic::bless(folder, only.map(Path::new))? {
        println!("rewrote {}", file.display());
    }
    Ok(())
}

fn alone(folder: &str) -> Result<(), Vec<Problem>> {
    let book = Book::load(folder)?;
    mdbook_skeptic::alone(&book, |step| println!("{step}"))
}

fn mutate(folder: &str, what: &Mutate) -> Result<(), Vec<Problem>> {
    let tried = mdbook_skeptic::mutate(folder, what)?;
    print!("{tried}");
    if tried.missed.is_empty() { Ok(()) } else { Err(tried.missed) }
}
