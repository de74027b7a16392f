//! Tries a mutant: runs what is to fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use walkdir::WalkDir;

use super::blocks::{INVERTED, Mutant};
use super::results::Part;
use crate::beside::Beside;
use crate::compare;
use crate::model::{Book, Check, What};
use crate::plan;
use crate::run::output::{self, Run};
use crate::run::server::{Needed, Server};
use crate::run::workspace::Context;
use crate::run::{compile, python, sandbox};
use crate::skeptic;
use crate::toolchain;

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

/// Runs the checks that a mutant of a block changes: `Ok` when one of them
/// fails, else why the mutant was missed. `pristine` are the checks of the book
/// as it is.
///
/// # Errors
///
/// If it could not be tried.
pub(crate) fn block(
    context: &Context,
    copy: &Path,
    mutant: &Mutant,
    pristine: &BTreeSet<String>,
) -> Result<Result<(), String>, String> {
    changed(copy, &mutant.file, &mutant.text, || {
        let Ok(mutated) = Book::load(copy) else { return Ok(()) };
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
                return Ok(());
            }
        }
        Err("no check noticed".to_owned())
    })
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
        let mut services = book.settings.services.iter();
        let needed = services.find(|(variable, _)| {
            part.program.contains(&format!("\"{variable}\""))
        });
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
    /// tests of its recipe.
    ///
    /// # Errors
    ///
    /// If it could not be tried.
    pub(crate) fn outcome(
        &self,
        copy: &Path,
        stress: Option<&Path>,
        text: &str,
    ) -> Result<Outcome, String> {
        let outcome = self.run(text, self.limit()?)?;
        let Some(stress) = stress else { return Ok(outcome) };
        if outcome != Outcome::Survived {
            return Ok(outcome);
        }
        let of_stress = self.stress(copy, stress);
        let of_stress = changed(copy, self.part.file, text, of_stress)?;
        Ok(if of_stress? { Outcome::Survived } else { Outcome::Caught })
    }

    fn run(&self, text: &str, limit: Duration) -> Result<Outcome, String> {
        let Context { workspace, features, .. } = *self.context;
        let context = Context { workspace, features, limit };
        if self.part.file.extension().is_some_and(|of| of == "py") {
            let ended = python::check(&context, None, text);
            return Ok(match ended {
                Ok(python::Verdict::Passed) => Outcome::Survived,
                Ok(python::Verdict::Skipped(what)) => {
                    return Err(format!("cannot run: {what}"));
                }
                Err(_) => Outcome::Caught,
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

    /// Runs the stress tests of the part's recipe in a copy of the book: whether
    /// they pass, or there are none.
    fn stress<'c>(
        &self,
        copy: &'c Path,
        stress: &'c Path,
    ) -> impl FnOnce() -> Result<bool, String> + use<'c> {
        let page = self.part.page.path.with_extension("");
        let root = self.context.workspace.root.clone();
        move || {
            let recipe = page.file_name().unwrap_or_default().to_string_lossy();
            let recipe = recipe.replace('-', "_");
            let chapter = page.parent().unwrap_or(Path::new(""));
            let tests = stress.join("tests").join(chapter).join(&recipe);
            if !copy.join(tests).with_extension("rs").exists() {
                return Ok(true);
            }
            let target = format!("stress_{}", chapter.display());
            let output = Command::new(toolchain::cargo())
                .args(["test", "--quiet", "--test", &target.replace('-', "_")])
                .args(["--", &format!("{recipe}::")])
                .current_dir(copy)
                .env("CARGO_TARGET_DIR", root.join("target"))
                .output()
                .map_err(|error| format!("cannot run cargo: {error}"))?;
            Ok(output.status.success())
        }
    }
}
