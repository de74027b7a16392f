//! The checks that the build script has found, by the names of their tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::passed;
use crate::book::Book;
use crate::check::{Check, What};
use crate::generate;

/// What the build script writes for the tests.
#[derive(Serialize, Deserialize)]
pub(crate) struct Contents {
    pub checks: BTreeMap<String, Check>,
    /// Of a program's run, in seconds.
    pub limit: u64,
    pub features: Option<PathBuf>,
    /// The script of the matching parts, and what it must be.
    pub parts: Option<(PathBuf, String)>,
    /// Of the book.
    pub fingerprint: u64,
}

/// The book that the tests were made from.
pub struct Built {
    root: &'static str,
    file: &'static str,
    module: &'static str,
    fingerprint: u64,
    contents: OnceLock<Contents>,
    now: OnceLock<Book>,
}

impl Built {
    /// The book in `root` with this fingerprint, whose checks are in `file`,
    /// for tests in `module`.
    pub const fn new(
        root: &'static str,
        file: &'static str,
        module: &'static str,
        fingerprint: u64,
    ) -> Built {
        Built {
            root,
            file,
            module,
            fingerprint,
            contents: OnceLock::new(),
            now: OnceLock::new(),
        }
    }

    /// The book as it is now, read once, for tests of your own.
    ///
    /// # Panics
    ///
    /// If it is not in order.
    pub fn book(&self) -> &Book {
        self.now.get_or_init(|| {
            Book::load(self.root)
                .unwrap_or_else(|problems| panic!("{}", problems[0]))
        })
    }

    fn contents(&self) -> &Contents {
        self.contents.get_or_init(|| {
            let file = self.file;
            let mend = "touch book.toml, and it is written anew";
            let text = fs::read(file)
                .unwrap_or_else(|e| panic!("cannot read {file}: {e}; {mend}"));
            let contents: Contents = serde_json::from_slice(&text)
                .unwrap_or_else(|e| panic!("{file}: {e}; {mend}"));
            assert!(
                contents.fingerprint == self.fingerprint,
                "{file} has changed since these tests were compiled; run them \
                 by cargo test"
            );
            contents
        })
    }

    fn find(&self, name: &str) -> &Check {
        self.contents().checks.get(name).unwrap_or_else(|| {
            panic!(
                "{}: no check {name}; touch book.toml, and it is written anew",
                self.file
            )
        })
    }

    /// Runs the check of this name, of a program that `run` has skeptic
    /// compile and run.
    ///
    /// # Panics
    ///
    /// If the check fails.
    pub fn program(&self, name: &str, run: fn()) {
        let check = self.find(name);
        let What::Program { text, must_panic, .. } = &check.what else {
            panic!("{}: {name} is no program", self.file);
        };
        let of = if *must_panic { super::must_panic } else { super::program };
        let text = passed::hash(generate::as_compiled(text));
        self.served(check, || {
            of(&check.place, self.contents().limit, self.root, text, run);
        });
    }

    /// Runs the check of this name.
    ///
    /// # Panics
    ///
    /// If the check fails.
    pub fn check(&self, name: &str) {
        let check = self.find(name);
        let Check { place, what, service, .. } = check;
        let Contents { limit, features, .. } = self.contents();
        let (limit, root) = (*limit, self.root);
        match what {
            What::Program { .. } => {
                panic!("{}: {name} is a program", self.file)
            }
            What::Output { example, file, shown } => {
                let service = service.as_ref().map(|(variable, script)| {
                    (variable.as_str(), script.as_path())
                });
                super::console(
                    place,
                    limit,
                    root,
                    (example, file),
                    service,
                    shown,
                );
            }
            What::Tests { target, file, program, shown } => {
                self.served(check, || {
                    let target = (target.as_str(), file.as_path());
                    super::tests(place, limit, root, target, program, shown);
                });
            }
            What::Python { file, text } => {
                super::python(place, limit, root, file.as_deref(), text);
            }
            What::Error { expected, program, shown } => {
                super::compile_fail(place, root, expected, program, shown);
            }
            What::Picture { file, shown } => {
                super::picture(place, limit, root, file, shown);
            }
            What::Dependencies { shown, programs } => {
                let features = features.as_deref();
                super::dependencies(place, root, features, shown, programs);
            }
        }
    }

    /// Runs a check with the server that it needs, if it needs one.
    fn served(&self, check: &Check, run: impl Fn()) {
        let Check { name, place, what, service } = check;
        let Some((variable, script)) = service else { return run() };
        super::with_service(
            place,
            self.root,
            (variable, script),
            (self.module, name),
            passed::hash(format!("{what:?}")),
            run,
        );
    }

    /// Compares the script of the matching parts with the programs' anchors.
    ///
    /// # Panics
    ///
    /// If they differ, or the script cannot be read.
    pub fn parts(&self) {
        let Some((file, script)) = &self.contents().parts else {
            panic!("{}: no script of matching parts", self.file);
        };
        super::parts(self.root, file, script);
    }

    /// Sees that the book is still what its tests were made from. Cargo looks
    /// at the times of files: one that is replaced by an older one, or a
    /// preprocessor that has changed, is nothing new to it.
    ///
    /// # Panics
    ///
    /// If the book has changed, or is not in order.
    pub fn as_built(&self) {
        assert!(
            self.book().fingerprint() == self.fingerprint,
            "the book has changed since its tests were made; touch book.toml, \
             and they are made anew"
        );
    }
}
