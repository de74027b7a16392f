//! Turns a checked book into the tests that run it.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::book::Book;
use crate::check::{self, Check, What};
use crate::parts;
use crate::rt::passed::hash;

/// Writes `book-tests.rs` and what it needs into `out_dir`.
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
    skeptic::generate_doc_tests::<PathBuf>(&files);
    let mut tests = if files.is_empty() {
        String::new()
    } else {
        fs::read_to_string(out_dir.join("skeptic-tests.rs"))?
    };
    for check in &checks {
        let name = &check.name;
        if let What::Program { .. } = check.what {
            // skeptic's test becomes a function that ours calls.
            let theirs = format!("#[test] fn {name}() {{");
            assert!(tests.contains(&theirs), "skeptic has lost {name}");
            let ours = format!("fn run_{name}() {{");
            tests = tests.replacen(&theirs, &ours, 1);
        }
        let call = call(book, check);
        let _ = writeln!(tests, "#[test] fn {name}() {{ {call}; }}");
    }
    if let Some(file) = &book.settings.parts {
        let file = file.display().to_string();
        let script = parts::script(&book.pages);
        let _ = writeln!(
            tests,
            "#[test] fn the_matching_parts_are_current() {{ \
             ::mdbook_skeptic::rt::parts(env!(\"CARGO_MANIFEST_DIR\"), \
             {file:?}, {script:?}); }}"
        );
    }
    let fingerprint = book.fingerprint();
    let _ = writeln!(
        tests,
        "#[test] fn the_book_is_the_one_that_was_built() {{ \
         ::mdbook_skeptic::rt::as_built(env!(\"CARGO_MANIFEST_DIR\"), \
         {fingerprint}); }}"
    );
    write_if_changed(&out_dir.join("book-tests.rs"), &tests)
}

/// The call of a check, as Rust.
fn call(book: &Book, check: &Check) -> String {
    let Check { name, place, what, service } = check;
    let limit = book.settings.time_limit.as_secs();
    let root = "env!(\"CARGO_MANIFEST_DIR\")";
    let path = |path: Option<&Path>| {
        path.map(|path| path.display().to_string()).unwrap_or_default()
    };
    let call = match what {
        What::Program { must_panic, text, .. } => {
            let of = if *must_panic { "must_panic" } else { "program" };
            let text = hash(as_compiled(text));
            format!("{of}({place:?}, {limit}, {root}, {text}, run_{name})")
        }
        What::Output { example, file, shown } => {
            let file = file.display().to_string();
            let service = service.as_ref().map(|(variable, script)| {
                (variable, script.display().to_string())
            });
            format!(
                "console({place:?}, {limit}, {root}, ({example:?}, {file:?}), \
                 {service:?}, {shown:?})"
            )
        }
        What::Tests { target, file, program, shown } => {
            let file = file.display().to_string();
            format!(
                "tests({place:?}, {limit}, {root}, ({target:?}, {file:?}), \
                 {program:?}, {shown:?})"
            )
        }
        What::Python { file, text } => {
            let file = path(file.as_deref());
            format!("python({place:?}, {limit}, {root}, {file:?}, {text:?})")
        }
        What::Error { expected, program, shown } => format!(
            "compile_fail({place:?}, {root}, {expected:?}, {program:?}, \
             {shown:?})"
        ),
        What::Picture { file, shown } => {
            let file = file.display().to_string();
            format!("picture({place:?}, {limit}, {root}, {file:?}, {shown:?})")
        }
        What::Dependencies { shown, programs } => {
            let features = path(book.settings.features.as_deref());
            format!(
                "dependencies({place:?}, {root}, {features:?}, {shown:?}, \
                 &{programs:?})"
            )
        }
    };
    let call = format!("::mdbook_skeptic::rt::{call}");
    match service {
        Some((variable, script)) if !matches!(what, What::Output { .. }) => {
            let script = script.display().to_string();
            let what = hash(format!("{what:?}"));
            format!(
                "::mdbook_skeptic::rt::with_service({place:?}, {root}, \
                 ({variable:?}, {script:?}), (module_path!(), {name:?}), \
                 {what}, || {call})"
            )
        }
        _ => call,
    }
}

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
