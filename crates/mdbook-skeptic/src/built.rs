//! The checks that the build script has found, by the names of their tests.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::codegen::Contents;
use crate::generated;
use crate::hash::hash;
use crate::model::{Book, Check, What};
use crate::mutate::results::{self, Results};
use crate::run::program;
use crate::run::record;
use crate::run::server::Needed;
use crate::run::skipped;
use crate::run::watchdog::Timed;
use crate::run::workspace::{Context, Workspace};
use crate::skeptic;

/// The book that the tests were made from.
pub struct Built {
    root: &'static str,
    file: &'static str,
    module: &'static str,
    fingerprint: u64,
    contents: OnceLock<Contents>,
    workspace: OnceLock<Workspace>,
    now: OnceLock<Book>,
}

impl Built {
    /// The book in `root`, whose checks are in `file`, which has this
    /// fingerprint, for tests in `module`.
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
            workspace: OnceLock::new(),
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

    /// The workspace in which the checks run.
    pub fn workspace(&self) -> &Workspace {
        self.workspace.get_or_init(|| Workspace::new(self.root))
    }

    fn contents(&self) -> &Contents {
        self.contents.get_or_init(|| {
            let file = self.file;
            let help =
                "\nhelp: run `touch book.toml`, and cargo writes it anew";
            let text = fs::read(file)
                .unwrap_or_else(|e| panic!("cannot read {file}: {e}{help}"));
            assert!(
                hash(&text) == self.fingerprint,
                "{file} has changed since these tests were compiled\nhelp: run \
                 them by `cargo test`"
            );
            serde_json::from_slice(&text)
                .unwrap_or_else(|e| panic!("{file}: {e}{help}"))
        })
    }

    fn find(&self, name: &str) -> &Check {
        self.contents().checks.get(name).unwrap_or_else(|| {
            panic!(
                "{}: no check {name}\nhelp: run `touch book.toml`, and cargo \
                 writes it anew",
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
        let found = self.find(name);
        let Check { place, what, beside, .. } = found;
        if found.linux && !cfg!(target_os = "linux") {
            return skipped::note("Linux".into());
        }
        let What::Program { text, .. } = what else {
            panic!("{}: {name} is no program", self.file);
        };
        let (limit, workspace) = (self.contents().limit, self.workspace());
        let text = hash(skeptic::as_compiled(text, beside.as_ref()));
        let check = || program::program(place, limit, workspace, text, run);
        let service = Needed::by(found, Path::new(self.root));
        record::during(workspace, found, || {
            if service.is_none() && beside.is_none() {
                return check();
            }
            program::in_a_process_of_its_own(
                place,
                workspace,
                (service, beside.as_ref()),
                (self.module, name),
                hash((text, limit)),
                check,
            );
        });
    }

    /// Runs the check of this name.
    ///
    /// # Panics
    ///
    /// If the check fails.
    pub fn check(&self, name: &str) {
        let check = self.find(name);
        let Contents { limit, features, .. } = self.contents();
        let context = Context {
            workspace: self.workspace(),
            limit: Duration::from_secs(*limit),
            features: features.as_deref(),
        };
        let _timed = Timed::start(&check.place);
        record::during(context.workspace, check, || {
            if let Err(why) = check.verify(&context) {
                panic!("{}: {why}", check.place);
            }
        });
    }

    /// Compares the files that are made from the book with what they must be.
    ///
    /// # Panics
    ///
    /// If one differs, or cannot be read.
    pub fn generated(&self) {
        let files = generated::files(self.book());
        let files = files.unwrap_or_else(|why| panic!("{why}"));
        for (file, text) in files {
            generated::check(self.root, &file, &text);
        }
    }

    /// Compares the parts that a reader copies with those whose mutants were
    /// tried.
    ///
    /// # Panics
    ///
    /// If one has changed since, or a mutant survives without a reason.
    pub fn mutants(&self) {
        let book = self.book();
        let Some(file) = &book.settings.mutants else { return };
        let faults = results::parts(book).and_then(|parts| {
            Ok(Results::read(&book.root, file)?.faults(&parts))
        });
        let faults = faults.unwrap_or_else(|why| vec![why]);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// Sees that the book is still what its tests were made from. Cargo looks
    /// at the times of files: one that is replaced by an older one, or a
    /// preprocessor that has changed, is nothing new to it.
    ///
    /// # Panics
    ///
    /// If the book has changed, or is not in order.
    pub fn as_built(&self) {
        let now = Contents::of(self.book()).written();
        assert!(
            now.is_ok_and(|(_, fingerprint)| fingerprint == self.fingerprint),
            "the book has changed since its tests were made\nhelp: run `touch \
             book.toml`, and cargo makes them anew"
        );
    }
}
