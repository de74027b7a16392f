//! The `async-cookbook` command: its arguments, and how its errors look.

mod epub;
mod pages;
mod recipes;
mod render;
mod run;
mod serve;

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Result, anyhow, bail};
use clap::{Parser, Subcommand};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use url::Url;

use crate::render::Book;

/// Read the Async Rust Cookbook, and run its recipes.
///
/// Without a command it serves the book. It finds the book in the current
/// folder or in the nearest one above that has a book.toml.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Options,
}

#[derive(Subcommand)]
enum Command {
    /// Render the book and serve it until Ctrl-C [the default]
    ///
    /// An edited page shows when the browser reloads it.
    Serve(serve::Options),
    /// Render the book to a folder of HTML files
    ///
    /// Replaces what an earlier build has left in the folder. A folder that
    /// mdBook has not made is left as it is.
    Build {
        /// The folder to write to [default: target/book in the book's folder]
        #[arg(long, value_name = "DIR")]
        dest: Option<PathBuf>,
        /// The address where the book will be read, for links to its pages
        ///
        /// Such as https://example.org/book/. Each page then names its own,
        /// and sitemap.xml names them all.
        #[arg(long, value_name = "ADDRESS", value_parser = address)]
        url: Option<Url>,
        /// Make one EPUB of it as well, in the same folder
        #[arg(long)]
        epub: bool,
    },
    /// List the recipes: chapter, name, title
    List,
    /// Run a recipe's program, and end with its exit status
    Run {
        /// A name that `list` shows, or that of its page
        recipe: String,
    },
    /// Break every block of the book, and see that a check fails
    ///
    /// One block at a time, in every way that applies to it, on a copy. What
    /// an earlier run has settled is not tried again.
    Prove {
        /// Try about so many of all the ways, spread evenly
        #[arg(long, value_name = "COUNT")]
        sample: Option<NonZeroUsize>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    match execute(arguments) {
        Ok(status) => status,
        Err(error) => {
            complain("error", format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<ExitCode> {
    let book = Book::find()?;
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(options) => serve::serve(book, &options)?,
        Command::Build { dest, url, epub } => {
            let dest = dest.unwrap_or_else(|| book.root().join("target/book"));
            let dest = book.build(&dest, url.as_ref())?;
            print(format!("The book is in {}", dest.display()))?;
            if epub {
                let file = book.epub(&dest)?;
                print(format!("One file of it is {}", file.display()))?;
            }
            if ERRORS.load(Relaxed) {
                bail!("the book is not whole; mend what is said above");
            }
        }
        Command::List => {
            let recipes = recipes::load(book.root())?;
            print(recipes::table(&recipes))?;
        }
        Command::Run { recipe } => {
            let recipes = recipes::load(book.root())?;
            return recipes::find(&recipes, &recipe)?.run(book.root());
        }
        Command::Prove { sample } => {
            let proof = mdbook_skeptic::prove(book.root(), sample);
            let proof = proof.map_err(|problems| lines(&problems))?;
            print(&proof)?;
            if !proof.missed.is_empty() {
                return Err(lines(&proof.missed));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that is wrong with the book, a line each.
fn lines(problems: &[mdbook_skeptic::Problem]) -> anyhow::Error {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    anyhow!(lines.join("\n"))
}

/// Prints to stdout. A reader that has seen enough, like `head`, is no error.
fn print(text: impl Display) -> Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result
            .map_err(failed("cannot write to stdout", "see where it leads")),
    }
}

/// Prints to stderr, every line marked as an `error` or a `warning`.
fn complain(mark: &str, text: impl Display) {
    for line in text.to_string().lines() {
        // Where stderr is closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{mark}: {line}");
    }
}

/// Makes one sentence of an error: what failed, why, and the way out.
fn failed<E: Display>(
    what: impl Display,
    way_out: &str,
) -> impl FnOnce(E) -> anyhow::Error {
    move |error| {
        // mdBook breaks its reasons into lines.
        let reason = format!("{error:#}");
        let reason: Vec<_> = reason.split_whitespace().collect();
        anyhow!("{what}: {}; {way_out}", reason.join(" "))
    }
}

/// An address that pages can be joined to.
fn address(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| {
        let web = matches!(url.scheme(), "http" | "https");
        let named = url.username().is_empty() && url.password().is_none();
        let folder = !url.path().contains("//") && !url.path().contains('.');
        let plain = url.query().is_none() && url.fragment().is_none();
        web && named && folder && plain
    });
    let Some(mut url) = url else {
        bail!("it takes an address such as https://example.org/book/");
    };
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Whether an error has been logged.
static ERRORS: AtomicBool = AtomicBool::new(false);

struct NoteErrors;

impl<S: Subscriber> Layer<S> for NoteErrors {
    fn on_event(&self, event: &Event, _: Context<S>) {
        if *event.metadata().level() == Level::ERROR {
            ERRORS.store(true, Relaxed);
        }
    }
}

/// Shows what mdBook only logs, such as an include whose file is missing.
fn log_to_stderr() {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .log_internal_errors(false)
        .finish()
        .with(NoteErrors)
        .init();
}
