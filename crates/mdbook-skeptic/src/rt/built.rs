//! The checks that the build script has found, by the names of their tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Context, passed, skipped};
use crate::book::Book;
use crate::check::{self, Check, What};
use crate::settings::Settings;
use crate::{generate, generated};

/// What the build script writes for the tests.
#[derive(Serialize, Deserialize)]
pub(crate) struct Contents {
    pub checks: BTreeMap<String, Check>,
    /// Of a program's run, in seconds.
    pub limit: u64,
    pub features: Option<PathBuf>,
}

impl Contents {
    pub(crate) fn of(book: &Book) -> Contents {
        let checks = check::of(book).into_iter();
        let Settings { time_limit, features, .. } = &book.settings;
        Contents {
            checks: checks.map(|check| (check.name.clone(), check)).collect(),
            limit: time_limit.as_secs(),
            features: features.clone(),
        }
    }

    /// As the tests read it, and what tells it from any other.
    pub(crate) fn written(&self) -> serde_json::Result<(String, u64)> {
        let text = serde_json::to_string(self)?;
        let fingerprint = passed::hash(text.as_bytes());
        Ok((text, fingerprint))
    }
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
            let help =
                "\nhelp: run `touch book.toml`, and cargo writes it anew";
            let text = fs::read(file)
                .unwrap_or_else(|e| panic!("cannot read {file}: {e}{help}"));
            assert!(
                passed::hash(&text) == self.fingerprint,
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
        let What::Program { text, must_panic, .. } = what else {
            panic!("{}: {name} is no program", self.file);
        };
        let of = if *must_panic { super::must_panic } else { super::program };
        let text = passed::hash(generate::as_compiled(text, beside.as_ref()));
        let (limit, root) = (self.contents().limit, self.root);
        let check = || of(place, limit, root, text, run);
        let service = found.service();
        if service.is_none() && beside.is_none() {
            return check();
        }
        super::in_a_process_of_its_own(
            place,
            limit,
            root,
            service,
            beside.as_ref(),
            (self.module, name),
            passed::hash((text, must_panic)),
            check,
        );
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
            root: Path::new(self.root),
            limit: Duration::from_secs(*limit),
            features: features.as_deref(),
        };
        let _timed = super::Timed::start(&check.place);
        if let Err(why) = check.verify(&context) {
            panic!("{}: {why}", check.place);
        }
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
            super::generated(self.root, &file, &text);
        }
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn with_another_setting_it_is_another_book() {
        let folder = TempDir::new().expect("a temporary folder");
        let write = |file: &str, text: &str| {
            fs::write(folder.path().join(file), text).expect("a file");
        };
        fs::create_dir(folder.path().join("src")).expect("a folder");
        write("src/SUMMARY.md", "- [Page](page.md)\n");
        let program = "fn main() {\n    \
             assert!(std::env::var(\"ADDRESS\").is_ok());\n}";
        write("src/page.md", &format!("# Page\n\n```rust\n{program}\n```\n"));
        write("features.toml", "");
        write("serve", "");
        let made_with = |setting: &str| {
            let table = "[preprocessor.skeptic]\nrenderers = []";
            write("book.toml", &format!("{table}\n{setting}\n"));
            let book = Book::load(folder.path()).expect("it is in order");
            Contents::of(&book).written().expect("plain text").1
        };
        let plain = made_with("");
        for setting in [
            "time-limit = 9",
            "features = \"features.toml\"",
            "services = { ADDRESS = \"serve\" }",
        ] {
            assert_ne!(made_with(setting), plain, "{setting}");
        }
        assert_eq!(made_with(""), plain);
    }
}
