//! Turns a checked book into the tests that run it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::book::Book;
use crate::check::{self, Check, What};
use crate::parts;
use crate::rt::Contents;

/// Writes `book-tests.rs` and what it needs into `out_dir`.
///
/// The tests of the whole book are one crate, and compiling it is most of what
/// an edit costs. So the source has the names of the checks, and of the texts
/// only those of the programs, in a module of their own, as skeptic makes it:
/// the compiler translates a module again only if it has changed. All else is
/// read from `book-checks.json` when the tests run.
pub(crate) fn tests(book: &Book, out_dir: &Path) -> io::Result<()> {
    let checks = check::of(book);
    let mut files = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        if let What::Program { stem, line, text, .. } = &check.what {
            let folder = out_dir.join("blocks").join(index.to_string());
            // skeptic names a test after the file and the line of the fence.
            let file = folder.join(format!("{stem}.md"));
            write_if_changed(&file, &skeptic_page(*line, text))?;
            files.push(file);
        }
    }
    let fingerprint = book.fingerprint();
    let mut tests = format!(
        "pub static BOOK: ::mdbook_skeptic::rt::Built = \
         ::mdbook_skeptic::rt::Built::new(env!(\"CARGO_MANIFEST_DIR\"), \
         concat!(env!(\"OUT_DIR\"), \"/{CHECKS}\"), module_path!(), \
         {fingerprint});\n"
    );
    let mut programs = BTreeSet::new();
    for Check { name, what, .. } in &checks {
        let call = if let What::Program { .. } = what {
            programs.insert(name.clone());
            format!("BOOK.program({name:?}, programs::{name})")
        } else {
            format!("BOOK.check({name:?})")
        };
        let _ = writeln!(tests, "#[test] fn {name}() {{ {call}; }}");
    }
    let programs = by_skeptic(&files, programs, out_dir)?;
    let _ = writeln!(tests, "mod programs {{\n{programs}}}");
    let settings = &book.settings;
    let parts = settings.parts.clone();
    if parts.is_some() {
        tests += "#[test] fn the_matching_parts_are_current() \
                  { BOOK.parts(); }\n";
    }
    tests += "#[test] fn the_book_is_the_one_that_was_built() \
              { BOOK.as_built(); }\n";
    let contents = Contents {
        checks: checks.into_iter().map(|c| (c.name.clone(), c)).collect(),
        limit: settings.time_limit.as_secs(),
        features: settings.features.clone(),
        parts: parts.map(|file| (file, parts::script(&book.pages))),
        fingerprint,
    };
    let contents = serde_json::to_string(&contents)?;
    write_if_changed(&out_dir.join(CHECKS), &contents)?;
    write_if_changed(&out_dir.join("book-tests.rs"), &tests)
}

/// skeptic's tests of these pages, as functions that tests of ours call.
fn by_skeptic(
    pages: &[PathBuf],
    mut names: BTreeSet<String>,
    out_dir: &Path,
) -> io::Result<String> {
    let mut programs = String::new();
    if pages.is_empty() {
        return Ok(programs);
    }
    skeptic::generate_doc_tests(pages);
    let tests = fs::read_to_string(out_dir.join("skeptic-tests.rs"))?;
    for line in tests.split_inclusive('\n') {
        let name = line.strip_prefix("#[test] fn ");
        let name = name.and_then(|rest| rest.strip_suffix("() {\n"));
        match name.filter(|name| names.remove(*name)) {
            Some(name) => _ = writeln!(programs, "pub fn {name}() {{"),
            None => programs += line,
        }
    }
    assert!(names.is_empty(), "skeptic has lost {names:?}");
    Ok(programs)
}

/// What the tests read when they run.
const CHECKS: &str = "book-checks.json";

/// What is shown must be used: a function that nothing calls, or a macro that
/// nothing expands, has not been run.
pub(crate) fn as_compiled(program: &str) -> String {
    format!("#![deny(warnings)] {program}")
}

/// A page that every Markdown parser reads alike, with one block in it.
///
/// skeptic's parser is older than mdBook's and knows none of its extensions:
/// in a definition list or an admonition it sees other blocks. So mdBook's
/// parser has found the block, and skeptic gets it alone, as many lines down
/// as in the source.
fn skeptic_page(line: usize, program: &str) -> String {
    let mut longest = 2;
    for run in program.split(|c| c != '`') {
        longest = longest.max(run.len());
    }
    let fence = "`".repeat(longest + 1);
    let mut page = "\n".repeat(line.saturating_sub(1));
    let _ = writeln!(page, "{fence}rust");
    for line in as_compiled(program).lines() {
        // skeptic takes one `# ` off a line: give it one to take.
        let code = line.trim_start();
        if code.starts_with("# ") || code == "#" {
            page.push_str("# ");
        }
        page.push_str(line);
        page.push('\n');
    }
    let _ = writeln!(page, "{fence}");
    page
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
