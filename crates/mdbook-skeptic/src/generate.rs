//! Turns a checked book into the tests that run it.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::beside::Beside;
use crate::book::Book;
use crate::check::{Check, What};
use crate::rt::Contents;

/// Writes `book-tests.rs` and what it needs into `out_dir`.
///
/// The tests of the whole book are one crate, and compiling it is most of what
/// an edit costs. So the source has the names of the checks, and of the texts
/// only those of the programs, in a module of their own, as skeptic makes it:
/// the compiler translates a module again only if it has changed. All else is
/// read from `book-checks.json` when the tests run.
pub(crate) fn tests(book: &Book, out_dir: &Path) -> io::Result<()> {
    let contents = Contents::of(book);
    let mut files = Vec::new();
    for (name, check) in &contents.checks {
        if let What::Program { stem, line, text, .. } = &check.what {
            let text = as_compiled(text, check.beside.as_ref());
            let folder = out_dir.join("blocks").join(name);
            // skeptic names a test after the file and the line of the fence.
            let file = folder.join(format!("{stem}.md"));
            write_if_changed(&file, &skeptic_page(*line, &text))?;
            files.push(file);
        }
    }
    let (text, fingerprint) = contents.written()?;
    write_if_changed(&out_dir.join(CHECKS), &text)?;
    let mut tests = format!(
        "pub static BOOK: ::mdbook_skeptic::rt::Built = \
         ::mdbook_skeptic::rt::Built::new(env!(\"CARGO_MANIFEST_DIR\"), \
         concat!(env!(\"OUT_DIR\"), \"/{CHECKS}\"), module_path!(), \
         {fingerprint});\n"
    );
    let mut programs = BTreeSet::new();
    for (name, Check { what, .. }) in &contents.checks {
        let call = if let What::Program { .. } = what {
            programs.insert(name.clone());
            format!("BOOK.program({name:?}, programs::{name})")
        } else {
            format!("BOOK.check({name:?})")
        };
        let _ = writeln!(tests, "#[test] fn {name}() {{ {call}; }}");
    }
    // skeptic links with the dependencies of the package that it runs for.
    if let Some(snippets) = &book.settings.snippets {
        let package = book.root.join(snippets);
        // SAFETY: a build script has one thread up to here.
        unsafe { env::set_var("CARGO_MANIFEST_DIR", package) };
    }
    let programs = by_skeptic(&files, &programs, out_dir)?;
    let _ = writeln!(tests, "mod programs {{\n{programs}}}");
    tests += "#[test] fn what_is_generated_is_current() \
              { BOOK.generated(); }\n";
    tests += "#[test] fn the_book_is_the_one_that_was_built() \
              { BOOK.as_built(); }\n";
    write_if_changed(&out_dir.join("book-tests.rs"), &tests)
}

/// skeptic's tests of these pages, as functions that tests of ours call.
fn by_skeptic(
    pages: &[PathBuf],
    names: &BTreeSet<String>,
    out_dir: &Path,
) -> io::Result<String> {
    if pages.is_empty() {
        return Ok(String::new());
    }
    skeptic::generate_doc_tests(pages);
    let tests = fs::read_to_string(out_dir.join("skeptic-tests.rs"))?;
    let (programs, found) = as_functions(&tests);
    let lost: Vec<_> = names.difference(&found).collect();
    assert!(lost.is_empty(), "skeptic has lost {lost:?}");
    Ok(programs)
}

/// Tests of skeptic's as functions, and their names.
fn as_functions(tests: &str) -> (String, BTreeSet<String>) {
    let mut functions = String::new();
    let mut names = BTreeSet::new();
    let mut rest = tests;
    while let Some((before, test)) = rest.split_once("#[test] fn ") {
        // Up to here it is a literal, the program, which cannot end it.
        let end = test.find("\"####);\n").unwrap_or(test.len());
        let (test, after) = test.split_at(end);
        names.extend(test.split('(').next().map(str::to_owned));
        functions.extend([before, "pub fn ", test]);
        rest = after;
    }
    (functions + rest, names)
}

/// What the tests read when they run.
const CHECKS: &str = "book-checks.json";

/// What is shown must be used: a function that nothing calls, or a macro that
/// nothing expands, has not been run.
///
/// skeptic keeps a compiled program by its text: what lies beside it changes
/// the text.
pub(crate) fn as_compiled(program: &str, beside: Option<&Beside>) -> String {
    match beside {
        Some(Beside { hash, .. }) => {
            format!("#![deny(warnings)] /* {hash:016x} */ {program}")
        }
        None => format!("#![deny(warnings)] {program}"),
    }
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
    for line in program.lines() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_test_in_it_is_one_program() {
        let test = |name: &str, program: &str| {
            format!(
                "#[test] fn {name}() {{\n    let s = &format!(r####\"\n{{}}\
                 \"####, r####\"{program}\"####);\n    run(s);\n}}\n\n"
            )
        };
        let program = "/*\n#[test] fn page_line_9() {\n*/\nfn main() {}\n";
        let tests = test("page_line_3", program) + &test("page_line_9", "");
        let (functions, names) = as_functions(&tests);
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        assert_eq!(names, ["page_line_3", "page_line_9"]);
        assert!(functions.contains(program), "{functions}");
        assert_eq!(functions.matches("pub fn ").count(), 2, "{functions}");
        assert_eq!(functions.matches("#[test]").count(), 1, "{functions}");
    }
}
