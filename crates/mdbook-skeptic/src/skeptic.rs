//! All that is known of skeptic's names, texts and messages.

use std::any::Any;
use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::thread;
use std::time::Duration;

use crate::beside::Beside;

/// What skeptic makes of a file's name, as a part of a function's.
pub(crate) fn sanitize(name: &str) -> String {
    name.to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// The program that skeptic gets for one that a page shows.
///
/// What is shown must be used: a function that nothing calls, or a macro that
/// nothing expands, has not been run. skeptic keeps a compiled program by its
/// text, so what lies beside the program changes the text.
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
pub(crate) fn page(line: usize, program: &str) -> String {
    let runs = program.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0).max(2) + 1);
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

/// skeptic's tests of these pages, as functions that tests of ours call, for
/// programs that are linked with the dependencies of `package`.
pub(crate) fn functions(
    pages: &[PathBuf],
    names: &BTreeSet<String>,
    package: Option<&Path>,
    out_dir: &Path,
) -> io::Result<String> {
    if pages.is_empty() {
        return Ok(String::new());
    }
    if let Some(package) = package {
        // SAFETY: a build script has one thread up to here.
        unsafe { env::set_var("CARGO_MANIFEST_DIR", package) };
    }
    ::skeptic::generate_doc_tests(pages);
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

/// What the message of each failed command begins with.
const FAILED: &str = "Command failed:\n";

/// skeptic's message names every library that it has linked: 50 KB in which
/// nobody finds what the compiler said.
pub(crate) fn short_messages() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let message = info.payload().downcast_ref::<String>();
            match message.filter(|m| m.starts_with(FAILED)) {
                Some(message) if message.len() > 400 => {
                    let start: String = message.chars().take(400).collect();
                    eprintln!("{start} …");
                }
                _ => default(info),
            }
        }));
    });
}

/// Runs what skeptic has compiled, again if it could not be started.
///
/// skeptic copies a new program into its cache. A process that another thread
/// starts at that moment holds the copy open for writing until it is under
/// way, and until then the system refuses to run it: "text file busy".
pub(crate) fn attempt(run: impl Fn()) -> thread::Result<()> {
    let mut outcome = catch_unwind(AssertUnwindSafe(&run));
    for _ in 0..100 {
        let busy = outcome.as_ref().is_err_and(|failure| {
            let message = failure.downcast_ref::<String>();
            message.is_some_and(|message| {
                message.starts_with("Could not run")
                    && message.ends_with("(os error 26)")
            })
        });
        if !busy {
            break;
        }
        thread::sleep(Duration::from_millis(10));
        outcome = catch_unwind(AssertUnwindSafe(&run));
    }
    outcome
}

/// The compiled program whose run failed; `None` where it is the compiler that
/// failed.
pub(crate) fn failed_program(failure: &(dyn Any + Send)) -> Option<PathBuf> {
    let message = failure.downcast_ref::<String>()?;
    let (_, command) = message.split_once(FAILED)?;
    // The compiler is called with the source, a program with nothing.
    if command.contains("test.rs\"") {
        return None;
    }
    command.split('"').rfind(|word| word.len() > 1).map(PathBuf::from)
}

/// Whether skeptic has compiled this executable: it runs it from its cache, or
/// where it has just compiled it.
pub(crate) fn has_compiled(executable: &Path) -> bool {
    let folder = executable.parent().and_then(Path::file_name);
    let folder = folder.unwrap_or_default().to_string_lossy();
    folder == ".skeptic-bin" || folder.starts_with("rust-skeptic")
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
