//! The checks that the build script has found, by the names of their tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::passed;
use crate::book::Book;
use crate::check::{self, Check, What};
use crate::settings::Settings;
use crate::{generate, parts};

/// What the build script writes for the tests.
#[derive(Serialize, Deserialize)]
pub(crate) struct Contents {
    pub checks: BTreeMap<String, Check>,
    /// Of a program's run, in seconds.
    pub limit: u64,
    pub features: Option<PathBuf>,
    /// The script of the matching parts, and what it must be.
    pub parts: Option<(PathBuf, String)>,
}

impl Contents {
    pub(crate) fn of(book: &Book) -> Contents {
        let checks = check::of(book).into_iter();
        let Settings { time_limit, features, parts, .. } = &book.settings;
        let script =
            |file: &PathBuf| (file.clone(), parts::script(&book.pages));
        Contents {
            checks: checks.map(|check| (check.name.clone(), check)).collect(),
            limit: time_limit.as_secs(),
            features: features.clone(),
            parts: parts.as_ref().map(script),
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
            let mend = "touch book.toml, and it is written anew";
            let text = fs::read(file)
                .unwrap_or_else(|e| panic!("cannot read {file}: {e}; {mend}"));
            assert!(
                passed::hash(&text) == self.fingerprint,
                "{file} has changed since these tests were compiled; run them \
                 by cargo test"
            );
            serde_json::from_slice(&text)
                .unwrap_or_else(|e| panic!("{file}: {e}; {mend}"))
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
        let found = self.find(name);
        let Check { place, what, .. } = found;
        let What::Program { text, must_panic, .. } = what else {
            panic!("{}: {name} is no program", self.file);
        };
        let of = if *must_panic { super::must_panic } else { super::program };
        let text = passed::hash(generate::as_compiled(text));
        let (limit, root) = (self.contents().limit, self.root);
        let check = || of(place, limit, root, text, run);
        let Some(service) = found.service() else { return check() };
        super::with_service(
            place,
            limit,
            root,
            service,
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
        let (Check { place, what, .. }, service) = (check, check.service());
        let Contents { limit, features, .. } = self.contents();
        let (limit, root) = (*limit, self.root);
        match what {
            What::Program { .. } => {
                panic!("{}: {name} is a program", self.file)
            }
            What::Output { example, file, shown } => {
                let example = (example.as_str(), file);
                super::console(place, limit, root, example, service, shown);
            }
            What::Tests { target, file, program, shown } => {
                let target = (target.as_str(), file.as_path());
                super::tests(
                    place, limit, root, target, service, program, shown,
                );
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
        let now = Contents::of(self.book()).written();
        assert!(
            now.is_ok_and(|(_, fingerprint)| fingerprint == self.fingerprint),
            "the book has changed since its tests were made; touch book.toml, \
             and they are made anew"
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
            "parts = \"parts.js\"",
            "services = { ADDRESS = \"serve\" }",
        ] {
            assert_ne!(made_with(setting), plain, "{setting}");
        }
        assert_eq!(made_with(""), plain);
    }
}
