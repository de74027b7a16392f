//! Turns the checks of a book into the tests that `cargo test` runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::hash::hash;
use crate::model::{Book, Check, What};
use crate::plan;
use crate::settings::Settings;
use crate::skeptic;

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
        let checks = plan::checks(book).into_iter();
        let Settings { time_limit, features, .. } = &book.settings;
        Contents {
            checks: checks.map(|check| (check.name.clone(), check)).collect(),
            limit: *time_limit,
            features: features.clone(),
        }
    }

    /// As the tests read it, and what tells it from any other.
    pub(crate) fn written(&self) -> serde_json::Result<(String, u64)> {
        let text = serde_json::to_string(self)?;
        let fingerprint = hash(text.as_bytes());
        Ok((text, fingerprint))
    }
}

/// What the tests read when they run.
const CHECKS: &str = "book-checks.json";

/// Writes `book-tests.rs` and what it needs into `out_dir`.
///
/// The tests of the whole book are one crate, and compiling it is most of what
/// an edit costs. So the source has the names of the checks, and of the texts
/// only those of the programs, in a module of their own, as skeptic makes it:
/// the compiler translates a module again only if it has changed. All else is
/// read from `book-checks.json` when the tests run.
pub(crate) fn tests(book: &Book, out_dir: &Path) -> io::Result<()> {
    let contents = Contents::of(book);
    let (text, fingerprint) = contents.written()?;
    write_if_changed(&out_dir.join(CHECKS), &text)?;
    let mut tests = format!(
        "pub static BOOK: ::mdbook_skeptic::rt::Built = \
         ::mdbook_skeptic::rt::Built::new(env!(\"CARGO_MANIFEST_DIR\"), \
         concat!(env!(\"OUT_DIR\"), \"/{CHECKS}\"), module_path!(), \
         {fingerprint});\n"
    );
    let mut programs = BTreeSet::new();
    let mut pages = Vec::new();
    for (name, Check { what, beside, .. }) in &contents.checks {
        let call = if let What::Program { stem, line, text } = what {
            let text = skeptic::as_compiled(text, beside.as_ref());
            let folder = out_dir.join("blocks").join(name);
            // skeptic names a test after the file and the line of the fence.
            let page = folder.join(format!("{stem}.md"));
            write_if_changed(&page, &skeptic::page(*line, &text))?;
            pages.push(page);
            programs.insert(name.clone());
            format!("BOOK.program({name:?}, programs::{name})")
        } else {
            format!("BOOK.check({name:?})")
        };
        let _ = writeln!(tests, "#[test] fn {name}() {{ {call}; }}");
    }
    // skeptic links with the dependencies of the package that it runs for.
    let package = book.settings.snippets.as_ref();
    let package = package.map(|snippets| book.root.join(snippets));
    let programs =
        skeptic::functions(&pages, &programs, package.as_deref(), out_dir)?;
    let _ = writeln!(tests, "mod programs {{\n{programs}}}");
    tests += "#[test] fn what_is_generated_is_current() \
              { BOOK.generated(); }\n";
    tests += "#[test] fn mutants_of_every_part_are_tried() \
              { BOOK.mutants(); }\n";
    tests += "#[test] fn the_book_is_the_one_that_was_built() \
              { BOOK.as_built(); }\n";
    write_if_changed(&out_dir.join("book-tests.rs"), &tests)
}

/// Writes a file, and dates it back: cargo runs a build script again when a
/// file that it watches is newer than the script's last start.
fn write_if_changed(file: &Path, text: &str) -> io::Result<()> {
    if fs::read(file).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    fs::create_dir_all(file.parent().expect("a file lies in a folder"))?;
    fs::write(file, text)?;
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    fs::File::options().write(true).open(file)?.set_modified(past)
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
