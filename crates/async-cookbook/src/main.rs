//! The `async-cookbook` command: its arguments, and how its errors look.

mod epub;
mod feet;
mod new;
mod pages;
mod port;
mod recipes;
mod render;
mod run;
mod serve;
mod site;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
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
    /// A page that is open in a browser reloads when the book changes.
    Serve(serve::Options),
    /// Render the book to a folder of HTML files
    ///
    /// Replaces the output of an earlier build in the folder. Refuses a
    /// folder that holds other files.
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
    /// Make the skeleton of a recipe: a page, its program, its Python
    New {
        /// Chapter and recipe, such as `time/retry`
        recipe: String,
    },
    /// Read Python, and print a plan for its port to Rust
    ///
    /// `port --help` has its options.
    #[command(disable_help_flag = true)]
    Port {
        /// A Python file or a folder, and options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    match execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report("error", format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<()> {
    let book = Book::find()?;
    match arguments.command.unwrap_or(Command::Serve(arguments.serve)) {
        Command::Serve(options) => serve::serve(book, &options)?,
        Command::Build { dest, url, epub } => {
            let dest = dest.unwrap_or_else(|| book.root().join("target/book"));
            let dest = book.build(&dest, url.as_ref())?;
            print(format!("The book is in {}", dest.display()))?;
            if epub {
                let file = book.epub(&dest)?;
                print(format!("The EPUB is {}", file.display()))?;
            }
            if ERRORS.load(Relaxed) {
                bail!(
                    "mdBook has logged errors, and left out what they name\n\
                     help: correct the errors above and build again"
                );
            }
        }
        Command::List => {
            let recipes = recipes::load(book.root())?;
            print(recipes::table(&recipes))?;
        }
        Command::Run { recipe } => {
            let recipes = recipes::load(book.root())?;
            return Err(recipes::find(&recipes, &recipe)?.run(book.root()));
        }
        Command::New { recipe } => print(new::skeleton(&book, &recipe)?)?,
        Command::Port { arguments } => {
            return Err(port::run(book.root(), &arguments));
        }
    }
    Ok(())
}

/// What to do when a file cannot be written.
const DISK: &str = "check the disk's free space and the folder's permissions";

/// One error that lists all problems of the book.
fn joined(problems: &[mdbook_skeptic::Problem]) -> anyhow::Error {
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    anyhow!(problems.join("\n"))
}

/// Prints to stdout. A closed pipe is not an error: `head` reads no more than
/// it shows.
fn print(text: impl Display) -> Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result
            .map_err(failed("cannot write to stdout", "check where it leads")),
    }
}

/// Prints errors or warnings to stderr: a line `error: …` or `warning: …` for
/// each, and below it its line `help: …`.
fn report(level: &str, text: impl Display) {
    for line in text.to_string().lines() {
        // A closed stderr cannot be reported anywhere.
        _ = if line.starts_with("help: ") {
            writeln!(io::stderr(), "{line}")
        } else {
            writeln!(io::stderr(), "{level}: {line}")
        };
    }
}

/// Turns the cause of a failure into an error of two lines: what failed and
/// why, then how to correct it.
fn failed<E: Display>(
    what: impl Display,
    help: &str,
) -> impl FnOnce(E) -> anyhow::Error {
    move |cause| {
        // mdBook's causes have several lines.
        let cause = format!("{cause:#}");
        let cause: Vec<_> = cause.split_whitespace().collect();
        anyhow!("{what}: {}\nhelp: {help}", cause.join(" "))
    }
}

/// An address to which the path of a page can be appended.
fn address(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| {
        let web = matches!(url.scheme(), "http" | "https");
        let named = url.username().is_empty() && url.password().is_none();
        let folder = !url.path().contains("//") && !url.path().contains('.');
        let plain = url.query().is_none() && url.fragment().is_none();
        web && named && folder && plain
    });
    let Some(mut url) = url else {
        bail!("expected an address such as https://example.org/book/");
    };
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Whether an error has been logged.
static ERRORS: AtomicBool = AtomicBool::new(false);

/// Sets [`ERRORS`].
struct DetectErrors;

impl<S: Subscriber> Layer<S> for DetectErrors {
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
        .with(DetectErrors)
        .init();
}
