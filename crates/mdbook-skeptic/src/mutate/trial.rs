//! Tries a mutant: runs what is to fail.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};

use regex::Regex;
use walkdir::WalkDir;

use super::blocks::{INVERTED, Mutant};
use super::results::{Part, read};
use crate::beside::Beside;
use crate::compare;
use crate::model::{Book, Check, What};
use crate::plan;
use crate::run::output::{self, Run};
use crate::run::server::{Needed, Server};
use crate::run::workspace::Context;
use crate::run::{compile, python, sandbox};
use crate::skeptic;

/// A copy of everything that the guard reads.
pub(crate) fn copy(root: &Path, to: &Path) -> Result<PathBuf, String> {
    let io = |error: std::io::Error| format!("cannot copy the book: {error}");
    let _ = fs::remove_dir_all(to);
    let skipped = ["target", ".git", ".venv", "node_modules"];
    let entries = WalkDir::new(root).into_iter().filter_entry(|entry| {
        !skipped.iter().any(|name| entry.file_name() == *name)
    });
    for entry in entries.filter_map(Result::ok) {
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let target = to.join(below);
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).map_err(io)?;
        } else {
            fs::copy(entry.path(), target).map_err(io)?;
        }
    }
    to.canonicalize().map_err(io)
}

/// Runs `what` while a file of the copy has another text.
fn changed<T>(
    copy: &Path,
    file: &Path,
    text: &str,
    what: impl FnOnce() -> T,
) -> Result<T, String> {
    let io = |error| format!("cannot write {}: {error}", file.display());
    let file = copy.join(file);
    let before = fs::read(&file).map_err(io)?;
    fs::write(&file, text).map_err(io)?;
    let outcome = what();
    fs::write(&file, before).map_err(io)?;
    Ok(outcome)
}

/// Runs the checks that a mutant of a block changes, until one of them fails.
/// `pristine` are the checks of the book as it is.
///
/// # Errors
///
/// If it could not be tried.
pub(crate) fn block(
    context: &Context,
    copy: &Path,
    mutant: &Mutant,
    pristine: &BTreeSet<String>,
) -> Result<Outcome, String> {
    let outcome = changed(copy, &mutant.file, &mutant.text, || {
        let Ok(mutated) = Book::load(copy) else { return Ok(Outcome::Caught) };
        let mut checks = plan::checks(&mutated);
        checks.retain(|check| {
            let of_file = matches!(&check.what,
                What::Python { file: Some(f), .. } if *f == mutant.file);
            of_file || !pristine.contains(&format!("{:?}", check.what))
        });
        // Dependencies change with every program: last.
        checks.sort_by_key(|check| {
            matches!(check.what, What::Dependencies { .. } | What::Keep { .. })
        });
        for check in &checks {
            if fails(context, copy, mutant, check)? {
                return Ok(Outcome::Caught);
            }
        }
        Ok(Outcome::Survived)
    });
    outcome?
}

/// Whether a check fails, and for the reason that the mutant gives it.
///
/// # Errors
///
/// Why it could not be seen: it failed before the mutant had its say.
fn fails(
    context: &Context,
    copy: &Path,
    mutant: &Mutant,
    check: &Check,
) -> Result<bool, String> {
    let Context { workspace, limit, .. } = *context;
    let needed = Needed::by(check, &workspace.root);
    let beside = check.beside.as_ref();
    let actual = match &check.what {
        What::Program { text, .. } => {
            let text = skeptic::as_compiled(text, beside);
            let folder = sandbox::folder()?;
            let folder = folder.path();
            return match compile::program(workspace, &text, beside, folder, &[])
            {
                Ok(program) => {
                    let (arguments, may_panic) = (&[], true);
                    let run = Run { arguments, may_panic, needed, limit };
                    Ok(output::of(&program, &run).is_err())
                }
                Err(why) if mutant.kind == INVERTED => Err(why),
                Err(_) => Ok(true),
            };
        }
        What::Python { file, text } => {
            let file = file.as_ref().map(|file| copy.join(file));
            return Ok(python::check(context, file.as_deref(), text).is_err());
        }
        // Its target is built of the program as it was.
        What::Tests { program, .. } => {
            output::of_source(context, program, true, beside, needed)
        }
        _ => check.actual(context),
    };
    let shown = check.shown().unwrap_or_default();
    Ok(!actual.is_ok_and(|actual| compare::same(shown, &actual)))
}

/// What became of a mutant of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Caught,
    Survived,
    /// The compiler refuses it, so that no reader could run it.
    DoesNotCompile,
}

/// Tries the mutants of a part.
pub(crate) struct OfPart<'a> {
    context: &'a Context<'a>,
    part: &'a Part<'a>,
    beside: Option<Beside>,
    needed: Option<Needed<'a>>,
    /// A mutant that runs longer is caught: known after the first run.
    limit: OnceLock<Result<Duration, String>>,
}

/// How many times as long as the program a mutant may run, and how long at
/// least: a program that takes no time takes any time as long on a busy machine.
const TIMES: u32 = 5;
const AT_LEAST: Duration = Duration::from_secs(5);

impl<'a> OfPart<'a> {
    pub(crate) fn new(
        context: &'a Context<'a>,
        book: &'a Book,
        part: &'a Part<'a>,
    ) -> OfPart<'a> {
        let needed = book.settings.service_of(&part.program);
        let needed = needed.map(|(variable, script)| Needed {
            variable,
            script,
            root: &book.root,
        });
        let beside = Beside::of(&book.root, part.file);
        OfPart { context, part, beside, needed, limit: OnceLock::new() }
    }

    /// Runs the program as it is, to see how long it takes.
    ///
    /// # Errors
    ///
    /// If it fails.
    fn limit(&self) -> Result<Duration, String> {
        let measure = || {
            let start = Instant::now();
            let limit = self.context.limit;
            if self.run(&self.part.program, limit)? == Outcome::Survived {
                return Ok((start.elapsed() * TIMES).max(AT_LEAST));
            }
            let name = self.part.file.display();
            Err(format!("{name} fails as it is: run `cargo test`"))
        };
        self.limit.get_or_init(measure).clone()
    }

    /// Runs the program with a change in it, and where it succeeds the stress
    /// tests that include it.
    ///
    /// # Errors
    ///
    /// If it could not be tried.
    pub(crate) fn outcome(
        &self,
        stress: Option<&Path>,
        text: &str,
    ) -> Result<Outcome, String> {
        let outcome = self.run(text, self.limit()?)?;
        let (Some(stress), Outcome::Survived) = (stress, outcome) else {
            return Ok(outcome);
        };
        for module in self.modules(stress)? {
            if self.stress(&module, text)? {
                continue;
            }
            if !self.stress(&module, &self.part.program)? {
                let name = module.display();
                return Err(format!("{name} fails as it is: run `cargo test`"));
            }
            return Ok(Outcome::Caught);
        }
        Ok(Outcome::Survived)
    }

    /// The files of stress tests that include the program.
    fn modules(&self, stress: &Path) -> Result<Vec<PathBuf>, String> {
        let root = &self.context.workspace.root;
        let program = root.join(self.part.file);
        let mut modules = Vec::new();
        for file in WalkDir::new(root.join(stress).join("tests")) {
            let file = file.map_err(|error| error.to_string())?.into_path();
            if file.extension().is_some_and(|of| of == "rs") {
                let text = read(root, &file)?;
                let included = included(&file, &text);
                if included.iter().any(|(_, included)| *included == program) {
                    modules.push(file);
                }
            }
        }
        Ok(modules)
    }

    /// Runs a file of stress tests with this text in place of the program:
    /// whether they pass.
    fn stress(&self, module: &Path, text: &str) -> Result<bool, String> {
        let workspace = self.context.workspace;
        let program = workspace.root.join(self.part.file);
        let tests = read(&workspace.root, module)?;
        let mut source = tests.clone();
        for (range, file) in included(module, &tests).into_iter().rev() {
            let include = format!("include!({file:?});");
            let new = if file == program { text } else { &include };
            source.replace_range(range, new);
        }
        let name = module.file_stem().unwrap_or_default().to_string_lossy();
        let source =
            format!("#[allow(dead_code)]\nmod {name} {{\n{source}\n}}\n");
        let folder = sandbox::folder()?;
        let folder = folder.path();
        let library = workspace.artifacts()?.member("stress")?;
        let library = format!("stress={}", library.display());
        let arguments = ["--test", "--extern", &library];
        let beside = self.beside.as_ref();
        let built =
            compile::program(workspace, &source, beside, folder, &arguments);
        let Ok(tests) = built else { return Ok(false) };
        let mut command = Command::new(tests);
        let _server = Server::serve(&mut command, self.needed)?;
        // Notes of what has passed are of another build.
        command.env("SKEPTIC_FRESH", "1");
        let ended = sandbox::run(command, STRESS);
        Ok(ended.is_ok_and(|ended| ended.status.success()))
    }

    fn run(&self, text: &str, limit: Duration) -> Result<Outcome, String> {
        let workspace = self.context.workspace;
        if self.part.is_python() {
            let ended = python::run(workspace.python()?, text, limit);
            return Ok(match ended {
                Ok(ended) if ended.status.success() => Outcome::Survived,
                Ok(ended) if is_unbound(&ended.stderr) => {
                    Outcome::DoesNotCompile
                }
                _ => Outcome::Caught,
            });
        }
        let is_test = !text.contains("fn main(");
        let arguments: &[&str] = if is_test { &["--test"] } else { &[] };
        let folder = sandbox::folder()?;
        let folder = folder.path();
        let beside = self.beside.as_ref();
        let built =
            compile::program(workspace, text, beside, folder, arguments);
        let Ok(program) = built else { return Ok(Outcome::DoesNotCompile) };
        let mut command = Command::new(program);
        let server = Server::serve(&mut command, self.needed)?;
        let ended = sandbox::run(command, limit);
        drop(server);
        let is_fine = ended.is_ok_and(|ended| ended.status.success());
        Ok(if is_fine { Outcome::Survived } else { Outcome::Caught })
    }
}

/// Whether a program failed for a name that it does not define, which Rust's
/// compiler would refuse.
fn is_unbound(stderr: &str) -> bool {
    let last = stderr.trim_end().lines().next_back().unwrap_or_default();
    ["NameError:", "UnboundLocalError:"].iter().any(|e| last.starts_with(e))
}

/// A file of stress tests that runs longer has failed.
const STRESS: Duration = Duration::from_secs(120);

/// The `include!`s of a text in a file: where each stands, and the file that it
/// includes.
fn included(file: &Path, text: &str) -> Vec<(Range<usize>, PathBuf)> {
    static INCLUDE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"\binclude!\(\s*"([^"]+)"\s*,?\s*\);"#)
            .expect("a valid pattern")
    });
    let folder = file.parent().unwrap_or(Path::new(""));
    let of = |found: regex::Captures| {
        let included = folder.join(&found[1]).canonicalize().ok()?;
        Some((found.get_match().range(), included))
    };
    INCLUDE.captures_iter(text).filter_map(of).collect()
}
