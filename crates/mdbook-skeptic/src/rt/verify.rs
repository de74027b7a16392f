//! What a check finds out, and whether that is what the page shows. Tests
//! compare it, `bless` writes it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{
    compile, crates, dependencies, output, passed, python, service, skipped,
};
use crate::check::{Check, What};
use crate::timeline;

/// What all checks of a book share.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The folder of `book.toml`.
    pub root: &'a Path,
    /// What runs longer is killed.
    pub limit: Duration,
    /// The file that says which use of a crate asks for which feature.
    pub features: Option<&'a Path>,
}

impl Check {
    /// Runs the check, unless it has passed on the same input before. What
    /// cannot run on this machine is skipped, and counted at the end of the
    /// run.
    ///
    /// # Errors
    ///
    /// What differs from what is shown, or what went wrong; with `CI=true` also
    /// what cannot run.
    ///
    /// # Panics
    ///
    /// For a program that skeptic runs: its generated test does that.
    pub fn verify(&self, context: &Context) -> Result<(), String> {
        if self.linux && !cfg!(target_os = "linux") {
            skipped::note("Linux".into());
            return Ok(());
        }
        let Context { root, limit, .. } = *context;
        let named = |why: String| format!("{}{why}", self.subject());
        let Some(shown) = self.shown() else {
            let What::Python { file, text } = &self.what else {
                panic!("{}: skeptic runs this program", self.place);
            };
            let program = match file {
                None => python::Program::Text(text.clone()),
                Some(file) => python::Program::File(root.join(file)),
            };
            match python::check(root, &program, limit).map_err(named)? {
                python::Verdict::Passed => {}
                python::Verdict::Skipped(missing) => skipped::note(missing),
            }
            return Ok(());
        };
        let checked = self.input(context).and_then(|input| {
            passed::once((shown, input), || {
                super::compare(shown, &self.actual(context)?)
            })
        });
        let Err(why) = checked else { return Ok(()) };
        match self.needed(root).map(|needed| needed.missing()) {
            Some(Ok(Some(missing))) if !super::skips_fail() => {
                skipped::note(missing);
                Ok(())
            }
            _ => Err(named(why)),
        }
    }

    /// What the page has to show.
    ///
    /// # Errors
    ///
    /// Why it cannot be had.
    ///
    /// # Panics
    ///
    /// For a check whose page shows nothing but the program: see
    /// [`Check::shown`].
    pub(crate) fn actual(&self, context: &Context) -> Result<String, String> {
        let Context { root, limit, features } = *context;
        let (needed, beside) = (self.needed(root), self.beside.as_ref());
        match &self.what {
            What::Program { .. } | What::Python { .. } => {
                panic!("{}: nothing is shown but the program", self.place)
            }
            What::Output { example, file, .. } => {
                let program = output::example(root, example, file)?;
                let source = fs::read_to_string(root.join(file))
                    .map_err(|error| format!("cannot be read: {error}"))?;
                let asks = output::asks_about_panics(&source);
                output::of(program, &[], asks, needed, limit)
            }
            What::Tests { target, file, program, .. } => {
                let target = crates::test(root, target, file)?;
                output::of_tests(target, program, needed, limit)
            }
            What::Error { expected, program, .. } => {
                let message =
                    compile::message(root, program, beside, expected)?;
                if compile::is_lint(expected) {
                    // It compiles, so it has to run as well.
                    output::of_source(root, program, beside, None, limit)?;
                }
                Ok(message)
            }
            What::Dependencies { programs, .. } => {
                dependencies::block(root, features, programs)
            }
            What::Picture { file, printed, .. } => {
                timeline::draw(root, file, printed.as_deref(), limit)
            }
        }
    }

    /// What the page shows of it; `None` where that is the program alone.
    pub(crate) fn shown(&self) -> Option<&str> {
        match &self.what {
            What::Program { .. } | What::Python { .. } => None,
            What::Output { shown, .. }
            | What::Tests { shown, .. }
            | What::Error { shown, .. }
            | What::Dependencies { shown, .. }
            | What::Picture { shown, .. } => Some(shown),
        }
    }

    /// What [`Check::actual`] depends on, hashed.
    fn input(&self, context: &Context) -> Result<u64, String> {
        let Context { root, limit, features } = *context;
        let stamp = |file: &Path| passed::stamp(file);
        let content = |file: &Path| passed::content(&root.join(file));
        let of_kind = match &self.what {
            What::Program { .. } | What::Python { .. } => 0,
            What::Output { example, file, .. } => {
                let program = output::example(root, example, file)?;
                passed::hash((example, stamp(program)))
            }
            What::Tests { target, file, program, .. } => {
                let built = crates::test(root, target, file)?;
                passed::hash((target, program, stamp(built)))
            }
            What::Error { expected, program, .. } => {
                passed::hash((expected, program, crates::stamp(root)?))
            }
            What::Dependencies { programs, .. } => {
                let files = ["Cargo.toml", "Cargo.lock"].map(Path::new);
                let files = files.into_iter().chain(features).map(content);
                passed::hash((programs, files.collect::<Vec<_>>()))
            }
            What::Picture { file, printed, .. } => {
                let program = timeline::source(file);
                let program = program.and_then(|(file, _)| content(&file));
                passed::hash((file, printed, program, crates::stamp(root)?))
            }
        };
        let server = self.needed(root).map(|needed| needed.stamp());
        let beside = self.beside.as_ref().map(|beside| beside.hash);
        Ok(passed::hash((of_kind, limit, server, beside)))
    }

    /// What a failure's message begins with.
    fn subject(&self) -> String {
        match &self.what {
            What::Program { .. } => "this program ".into(),
            What::Output { example: name, .. }
            | What::Tests { target: name, .. } => format!("`{name}` "),
            What::Python { .. } => "this Python ".into(),
            What::Error { .. } => "the compiler's message ".into(),
            What::Dependencies { .. } => {
                "what the page's programs need ".into()
            }
            What::Picture { file, .. } => format!("{} ", file.display()),
        }
    }

    fn needed<'a>(&'a self, root: &'a Path) -> Option<service::Needed<'a>> {
        self.service().map(|of| service::Needed::by(root, of))
    }
}
