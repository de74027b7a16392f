//! What a check finds out, and whether that is what the page shows. Tests
//! compare it, `bless` writes it, `mutate` sees a comparison fail.

use std::fs;
use std::path::Path;

use crate::compare;
use crate::hash::{content, hash, stamp};
use crate::model::{Check, What, drawn_from};
use crate::run::server::{Needed, Server};
use crate::run::workspace::Context;
use crate::run::{
    cache, compile, dependencies, output, python, skipped, timeline,
};
use crate::toolchain;

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
        let subject = self.subject();
        let shown = self.shown().unwrap_or_default();
        match self.correction(context) {
            Ok(None) => Ok(()),
            Ok(Some(actual)) => Err(format!(
                "{subject}is not what is shown:\n{}help: if the program is \
                 right, run `cargo bless`",
                compare::difference(shown, &actual)
            )),
            Err(why) => Err(format!("{subject}{why}")),
        }
    }

    /// What the page has to show instead of what it shows; `None` where that is
    /// right, or cannot be seen on this machine.
    pub(crate) fn correction(
        &self,
        context: &Context,
    ) -> Result<Option<String>, String> {
        if self.linux && !cfg!(target_os = "linux") {
            skipped::note("Linux".into());
            return Ok(None);
        }
        let Some(shown) = self.shown() else {
            let What::Python { file, text } = &self.what else {
                panic!("{}: skeptic runs this program", self.place);
            };
            match python::check(context, file.as_deref(), text)? {
                python::Verdict::Passed => {}
                python::Verdict::Skipped(missing) => skipped::note(missing),
            }
            return Ok(None);
        };
        let mut correct = None;
        let checked = self.input(context).and_then(|input| {
            cache::unless_passed((shown, input), || {
                let actual = self.actual(context)?;
                if compare::same(shown, &actual) {
                    return Ok(());
                }
                correct = Some(actual);
                Err(String::new())
            })
        });
        let Err(why) = checked else { return Ok(None) };
        let needed = Needed::by(self, &context.workspace.root);
        if let Some(needed) = needed
            && !toolchain::skips_fail()
            && let Ok(None) = Server::start(needed)
        {
            skipped::note(needed.is_missing());
            return Ok(None);
        }
        if correct.is_some() { Ok(correct) } else { Err(why) }
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
        let Context { workspace, limit, .. } = *context;
        let root = &workspace.root;
        let (needed, beside) = (Needed::by(self, root), self.beside.as_ref());
        match &self.what {
            What::Program { .. } | What::Python { .. } => {
                panic!("{}: nothing is shown but the program", self.place)
            }
            What::Output { example, file, .. } => {
                let built = workspace.artifacts()?;
                let program = built.example(root, example, file)?;
                let source = fs::read_to_string(root.join(file))
                    .map_err(|error| format!("cannot be read: {error}"))?;
                let may_panic = output::asks_about_panics(&source);
                let arguments = &[];
                let run = output::Run { arguments, may_panic, needed, limit };
                output::of(program, &run)
            }
            What::Tests { target, file, program, .. } => {
                let target = workspace.artifacts()?.test(root, target, file)?;
                output::of_tests(target, program, needed, limit)
            }
            What::Error { expected, program, .. } => {
                let message =
                    compile::message(workspace, program, beside, expected)?;
                if compile::is_lint(expected) {
                    // It compiles, so it has to run as well.
                    output::of_source(context, program, false, beside, None)?;
                }
                Ok(message)
            }
            What::Dependencies { programs, .. } => {
                dependencies::block(context, programs)
            }
            What::Keep { rust, python, calls, .. } => {
                for part in rust {
                    compile::library(workspace, part, beside)?;
                }
                for part in python {
                    python::stands_alone(workspace, part)?;
                }
                // One text: the call uses what the part has brought in.
                let all = [&rust[..], calls].concat().join("\n");
                dependencies::commands(context, &[all])
            }
            What::Picture { file, printed, .. } => {
                timeline::draw(context, file, printed.as_deref())
            }
        }
    }

    /// What [`Check::actual`] depends on, hashed.
    fn input(&self, context: &Context) -> Result<u64, String> {
        let Context { workspace, limit, features } = *context;
        let root = &workspace.root;
        let content = |file: &Path| content(root.join(file));
        let of_kind = match &self.what {
            What::Program { .. } | What::Python { .. } => 0,
            What::Output { example, file, .. } => {
                let built = workspace.artifacts()?;
                hash((example, stamp(built.example(root, example, file)?)))
            }
            What::Tests { target, file, program, .. } => {
                let built = workspace.artifacts()?.test(root, target, file)?;
                hash((target, program, stamp(built)))
            }
            What::Error { expected, program, .. } => {
                hash((expected, program, workspace.artifacts()?.stamp))
            }
            What::Dependencies { programs, .. } => {
                let files = ["Cargo.toml", "Cargo.lock"].map(Path::new);
                let files = files.into_iter().chain(features).map(content);
                hash((programs, files.collect::<Vec<_>>()))
            }
            What::Keep { rust, python, calls, .. } => {
                let features = features.map(content);
                let cpython = workspace.python().ok();
                hash((
                    (rust, calls, python),
                    cpython,
                    features,
                    workspace.artifacts()?.stamp,
                ))
            }
            What::Picture { file, printed, .. } => {
                let program = drawn_from(file);
                let program = program.and_then(|(file, _)| content(&file));
                hash((file, printed, program, workspace.artifacts()?.stamp))
            }
        };
        let server = Needed::by(self, root).map(|needed| hash(needed.stamp()));
        let beside = self.beside.as_ref().map(|beside| beside.hash);
        Ok(hash((of_kind, limit, server, beside)))
    }

    /// What a failure's message begins with.
    fn subject(&self) -> String {
        match &self.what {
            What::Program { .. } => "this program ".into(),
            What::Output { example: name, .. }
            | What::Tests { target: name, .. } => format!("`{name}` "),
            What::Python { .. } => "this Python ".into(),
            What::Keep { .. } => "what the part to keep needs ".into(),
            What::Error { .. } => "the compiler's message ".into(),
            What::Dependencies { .. } => {
                "what the page's programs need ".into()
            }
            What::Picture { file, .. } => format!("{} ", file.display()),
        }
    }
}
