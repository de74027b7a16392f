//! Breaks every block of a book in every way that applies to it, one at a
//! time, and sees whether a check fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use regex::Regex;
use walkdir::WalkDir;

use crate::compare;
use crate::hash::hash;
use crate::model::{Block, Book, Check, Kind, Page, What};
use crate::plan;
use crate::problem::Problem;
use crate::run::output::{self, Run};
use crate::run::program::{self, Ran};
use crate::run::server::Needed;
use crate::run::workspace::{Context, Workspace};
use crate::run::{compile, python, sandbox};
use crate::skeptic;

/// A program that a mutation keeps from ending is killed after this.
const LIMIT: Duration = Duration::from_secs(30);

/// One way to break one block.
#[derive(Debug, Clone)]
struct Mutation {
    kind: &'static str,
    /// Relative to the book's root.
    file: PathBuf,
    /// The file's text with the mutation in it.
    text: String,
    /// Where, for a person: the line in the file, from 1.
    line: usize,
}

impl Mutation {
    /// A name that no other mutation of the same text has.
    fn id(&self) -> String {
        let what = (self.kind, &self.file, self.line, &self.text);
        format!("{:016x}", hash(what))
    }
}

/// How many mutations of each kind were caught.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// By kind: how many were caught, and of how many.
    pub kinds: BTreeMap<&'static str, (usize, usize)>,
    /// What no check caught.
    pub missed: Vec<Problem>,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut caught, mut total) = (0, 0);
        writeln!(f, "{:32} {:>6} {:>6}", "broken", "caught", "of")?;
        for (kind, (of_kind, of)) in &self.kinds {
            writeln!(f, "{kind:32} {of_kind:>6} {of:>6}")?;
            caught += of_kind;
            total += of;
        }
        writeln!(f, "{:32} {caught:>6} {total:>6}", "all")
    }
}

/// Breaks the book in `root` on a copy, one mutation at a time, and runs the
/// checks that it should trip.
///
/// With `sample`, about so many mutations, spread evenly over all. What an
/// earlier run has settled is not tried again. Progress goes to stderr.
///
/// # Errors
///
/// If the book itself is not in order, or the copy cannot be made.
pub fn prove(
    root: impl AsRef<Path>,
    sample: Option<NonZeroUsize>,
) -> Result<Proof, Vec<Problem>> {
    let book = Book::load(root)?;
    let problem = |error: String| {
        vec![Problem::whole(
            "target/prove",
            error,
            "see that the folder can be written, and try again",
        )]
    };
    let workspace = Workspace::new(&book.root);
    let mut mutations = mutations(&book, &workspace).map_err(problem)?;
    if let Some(sample) = sample {
        let step = mutations.len().div_ceil(sample.get());
        mutations = mutations.into_iter().step_by(step.max(1)).collect();
    }
    let folder = book.root.join("target/prove");
    let settled = Settled::open(&folder).map_err(problem)?;
    let pristine: BTreeSet<String> = plan::checks(&book)
        .iter()
        .map(|check| format!("{:?}", check.what))
        .collect();

    let features = book.settings.features.as_deref();
    let context = Context { workspace: &workspace, limit: LIMIT, features };
    // skeptic links with the dependencies of this package.
    let package = book.settings.snippets.as_deref().unwrap_or(Path::new(""));
    let package = book.root.join(package);
    let quiet = Quiet::start().map_err(|e| problem(e.to_string()))?;
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![Ok(()); mutations.len()]);
    let failed = Mutex::new(None);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let work = |worker: usize| -> Result<(), String> {
        let copy = copy(&book.root, &folder.join(worker.to_string()))?;
        if let Err(problems) = Book::load(&copy) {
            return Err(format!("the copy is not in order: {}", problems[0]));
        }
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(mutation) = mutations.get(index) else {
                return Ok(());
            };
            let outcome = if settled.is_caught(mutation) {
                Ok(())
            } else {
                let outcome =
                    try_out(&context, &package, &copy, mutation, &pristine)?;
                settled.note(mutation, outcome.is_ok())?;
                outcome
            };
            lock(&outcomes)[index] = outcome;
            let done = done.fetch_add(1, Relaxed) + 1;
            quiet.progress(done, mutations.len());
        }
    };
    thread::scope(|scope| {
        for worker in 0..workers {
            let (work, failed) = (&work, &failed);
            scope.spawn(move || {
                if let Err(error) = work(worker) {
                    *lock(failed) = Some(error);
                }
            });
        }
    });
    drop(quiet);
    if let Some(error) = lock(&failed).take() {
        return Err(problem(error));
    }
    let mut proof = Proof::default();
    for (mutation, outcome) in mutations.iter().zip(lock(&outcomes).iter()) {
        let count = proof.kinds.entry(mutation.kind).or_default();
        count.1 += 1;
        match outcome {
            Ok(()) => count.0 += 1,
            Err(why) => proof.missed.push(Problem::new(
                &mutation.file,
                mutation.line,
                format!("{why}: {}", mutation.kind),
                "assert more, or close the hole in the guard",
            )),
        }
    }
    Ok(proof)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// skeptic prints what a failing program prints, and each of these fails: while
/// this lives, stdout and stderr lead nowhere but for the progress.
struct Quiet {
    terminal: fs::File,
    saved: [libc::c_int; 2],
}

impl Quiet {
    fn start() -> io::Result<Quiet> {
        use std::os::fd::{AsFd as _, AsRawFd as _};

        let terminal = io::stderr().as_fd().try_clone_to_owned()?.into();
        let nowhere = fs::File::options().write(true).open("/dev/null")?;
        // SAFETY: dup and dup2 take any numbers; 1 and 2 stay open.
        let saved = unsafe {
            let saved = [libc::dup(1), libc::dup(2)];
            libc::dup2(nowhere.as_raw_fd(), 1);
            libc::dup2(nowhere.as_raw_fd(), 2);
            saved
        };
        Ok(Quiet { terminal, saved })
    }

    fn progress(&self, done: usize, total: usize) {
        // A log gets a line for every tenth.
        let tenth = |done: usize| 10 * done / total.max(1);
        // A terminal that is gone is no reason to stop.
        let _ = if self.terminal.is_terminal() {
            write!(&self.terminal, "\r{done}/{total}")
        } else if tenth(done) > tenth(done - 1) {
            writeln!(&self.terminal, "{done}/{total}")
        } else {
            Ok(())
        };
        if done == total && self.terminal.is_terminal() {
            let _ = writeln!(&self.terminal);
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: the saved descriptors are ours, and closed just once.
        unsafe {
            for (saved, to) in self.saved.iter().zip([1, 2]) {
                libc::dup2(*saved, to);
                libc::close(*saved);
            }
        }
    }
}

/// Mutations that an earlier run has settled: a line each, `id caught`.
struct Settled {
    file: Mutex<fs::File>,
    known: BTreeSet<String>,
}

impl Settled {
    fn open(folder: &Path) -> Result<Settled, String> {
        let io = |error| format!("cannot keep what is settled: {error}");
        fs::create_dir_all(folder).map_err(io)?;
        let path = folder.join("settled");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let known = text
            .lines()
            .filter_map(|line| line.strip_suffix(" caught"))
            .map(str::to_owned)
            .collect();
        let file = fs::File::options().create(true).append(true).open(path);
        Ok(Settled { file: Mutex::new(file.map_err(io)?), known })
    }

    /// What was missed is tried again: the guard may have changed.
    fn is_caught(&self, mutation: &Mutation) -> bool {
        self.known.contains(&mutation.id())
    }

    fn note(&self, mutation: &Mutation, caught: bool) -> Result<(), String> {
        let word = if caught { "caught" } else { "missed" };
        writeln!(lock(&self.file), "{} {word}", mutation.id())
            .map_err(|error| format!("cannot keep what is settled: {error}"))
    }
}

/// A copy of everything that the guard reads.
fn copy(root: &Path, to: &Path) -> Result<PathBuf, String> {
    let io = |error: std::io::Error| format!("cannot copy the book: {error}");
    let _ = fs::remove_dir_all(to);
    let skipped = ["target", ".git", ".venv"];
    let entries = WalkDir::new(root).into_iter().filter_entry(|entry| {
        !skipped.iter().any(|name| entry.file_name() == *name)
    });
    for entry in entries.filter_map(Result::ok) {
        let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let target = to.join(below);
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).map_err(io)?;
        } else {
            fs::copy(entry.path(), target).map_err(io)?;
        }
    }
    to.canonicalize().map_err(io)
}

/// Writes the mutation into the copy, runs the checks that it changes, and
/// takes it back: `Ok` when one of them fails, else why the mutation was missed.
///
/// # Errors
///
/// If it could not be tried.
fn try_out(
    context: &Context,
    package: &Path,
    copy: &Path,
    mutation: &Mutation,
    pristine: &BTreeSet<String>,
) -> Result<Result<(), String>, String> {
    let io =
        |error| format!("cannot write {}: {error}", mutation.file.display());
    let file = copy.join(&mutation.file);
    let before = fs::read(&file).map_err(io)?;
    fs::write(&file, &mutation.text).map_err(io)?;
    let outcome = match Book::load(copy) {
        Err(_) => Ok(()),
        Ok(mutated) => {
            let mut checks = plan::checks(&mutated);
            checks.retain(|check| {
                let of_file = matches!(&check.what,
                    What::Python { file: Some(f), .. } if *f == mutation.file);
                of_file || !pristine.contains(&format!("{:?}", check.what))
            });
            // Dependencies change with every program: last.
            checks.sort_by_key(|check| {
                matches!(check.what, What::Dependencies { .. })
            });
            let mut outcome = Err("no check noticed".to_owned());
            for check in &checks {
                outcome = match trips(context, package, copy, mutation, check) {
                    Ok(true) => Ok(()),
                    Ok(false) => continue,
                    Err(why) => Err(why),
                };
                break;
            }
            outcome
        }
    };
    fs::write(&file, before).map_err(io)?;
    Ok(outcome)
}

/// Whether a check fails, and for the reason that the mutation gives it.
///
/// # Errors
///
/// Why it could not be seen: it failed before the mutation had its say.
fn trips(
    context: &Context,
    package: &Path,
    copy: &Path,
    mutation: &Mutation,
    check: &Check,
) -> Result<bool, String> {
    let Context { workspace, limit, .. } = *context;
    let must_run = mutation.kind == INVERTED;
    let needed = Needed::by(check, &workspace.root);
    let beside = check.beside.as_ref();
    let actual = match &check.what {
        What::Program { text, .. } => {
            let text = skeptic::as_compiled(text, beside);
            // skeptic takes no environment.
            if needed.is_some() || beside.is_some() {
                let folder = sandbox::folder()?;
                let folder = folder.path();
                let built =
                    compile::program(workspace, &text, beside, folder, &[]);
                return match built {
                    Ok(program) => {
                        let (arguments, may_panic) = (&[], true);
                        let run = Run { arguments, may_panic, needed, limit };
                        Ok(output::of(&program, &run).is_err())
                    }
                    Err(why) if must_run => Err(why),
                    Err(_) => Ok(true),
                };
            }
            return match program::try_out(workspace, package, &text, limit) {
                Ran::DidNotCompile if must_run => Err("not compiled".into()),
                ran => Ok(!matches!(ran, Ran::Succeeded)),
            };
        }
        What::Python { file, text } => {
            let file = file.as_ref().map(|file| copy.join(file));
            return Ok(python::check(context, file.as_deref(), text).is_err());
        }
        // Its target is built of the program as it was.
        What::Tests { program, .. } => {
            output::of_source(context, program, true, beside, needed)
        }
        _ => check.actual(context),
    };
    let shown = check.shown().unwrap_or_default();
    Ok(!actual.is_ok_and(|actual| compare::same(shown, &actual)))
}

const INVERTED: &str = "Rust assertion inverted";

/// Every mutation that applies to the book.
fn mutations(
    book: &Book,
    workspace: &Workspace,
) -> Result<Vec<Mutation>, String> {
    let mut found = Vec::new();
    let mut files = BTreeSet::new();
    for page in &book.pages {
        let text = read(&book.root, &page.file)?;
        for (index, block) in page.blocks.iter().enumerate() {
            let before = index.checked_sub(1).map(|at| &page.blocks[at]);
            of_fence(page, block, before, &text, &mut found);
            for file in &block.files {
                if !files.insert(file.clone()) {
                    continue;
                }
                let text = read(&book.root, file)?;
                of_file(workspace, file, block, &text, &mut found)?;
            }
        }
        for picture in &page.pictures {
            of_picture(&picture.file, &picture.text, &mut found);
        }
    }
    Ok(found)
}

fn read(root: &Path, file: &Path) -> Result<String, String> {
    fs::read_to_string(root.join(file))
        .map_err(|error| format!("cannot read {}: {error}", file.display()))
}

/// The text with one line, from 1, put in place of what it was.
fn with_line(text: &str, line: usize, new: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines[line - 1] = new;
    lines.join("\n") + "\n"
}

fn of_fence(
    page: &Page,
    block: &Block,
    before: Option<&Block>,
    text: &str,
    found: &mut Vec<Mutation>,
) {
    let lines: Vec<&str> = text.lines().collect();
    let Some(fence) = lines.get(block.line - 1) else { return };
    let mut push = |kind, line: usize, new: &str| {
        found.push(Mutation {
            kind,
            file: page.file.clone(),
            text: with_line(text, line, new),
            line,
        });
    };
    let skipping = match &block.kind {
        Kind::Text | Kind::Shell | Kind::Sql => "```".to_owned(),
        _ => format!("{fence},ignore"),
    };
    push("tag that skips", block.line, &skipping);
    if let Kind::CompileFail(expected) = &block.kind {
        let other = if expected == "E0308" { "E0277" } else { "E0308" };
        let fence = fence.replace(expected.as_str(), other);
        push("error code changed", block.line, &fence);
    }
    let of_error = before.is_some_and(Block::fails);
    let printed = match block.kind {
        Kind::Console => Some("output line changed"),
        Kind::Text if of_error => Some("message line changed"),
        _ => None,
    };
    let body = block.line + 1..=block.line + block.text.lines().count();
    for line in body {
        let Some(old) = lines.get(line - 1) else { break };
        if old.starts_with("```") {
            break;
        }
        // The command is another rule's.
        let command = block.kind == Kind::Console && line == block.line + 1;
        if let Some(kind) = printed.filter(|_| !command && !old.is_empty()) {
            push(kind, line, &format!("{old}!"));
        }
        if old.starts_with("{{#") {
            push("include path wrong", line, &old.replacen('.', "x.", 1));
            if let Some((folder, file)) = old.rsplit_once('/') {
                push("include path wrong", line, &format!("{folder}-/{file}"));
            }
        }
        if block.kind == Kind::Toml && old.contains(" = ") {
            push("version changed", line, &bumped(old));
            push("crate missing", line, "# none");
            push("feature too many", line, &more_features(old));
        }
        if block.kind == Kind::Toml
            && let Some(fewer) = fewer_features(old)
        {
            push("feature missing", line, &fewer);
        }
    }
}

/// `"1.54.1"` becomes `"1.54.19"`.
fn bumped(line: &str) -> String {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(\d[^"]*)""#).expect("a valid pattern")
    });
    VERSION.replace(line, "\"${1}9\"").into_owned()
}

/// Without the first of its features.
fn fewer_features(line: &str) -> Option<String> {
    static FIRST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(features = \[|^    )"[^"]+"(, ?)?"#)
            .expect("a valid pattern")
    });
    let fewer = FIRST.replace(line, "$1").into_owned();
    (fewer != line).then_some(fewer)
}

fn more_features(line: &str) -> String {
    match line.find("features = [") {
        Some(at) => {
            let at = at + "features = [".len();
            format!("{}\"full\", {}", &line[..at], &line[at..])
        }
        None => {
            let (name, version) = line.split_once(" = ").unwrap_or((line, ""));
            format!("{name} = {{ version = {version}, features = [\"full\"] }}")
        }
    }
}

fn of_file(
    workspace: &Workspace,
    file: &Path,
    block: &Block,
    text: &str,
    found: &mut Vec<Mutation>,
) -> Result<(), String> {
    let mut push = |kind, line, text| {
        found.push(Mutation { kind, file: file.to_owned(), text, line });
    };
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
    match extension {
        "rs" if block.kind.is_rust() => {
            let broken = text.replacen("fn main(", "fn main((", 1);
            let broken = if broken == *text {
                text.replacen("fn ", "fn (", 1)
            } else {
                broken
            };
            push("Rust syntax error", 1, broken);
            if !block.fails() {
                for (line, inverted) in rust_inverted(text) {
                    push(INVERTED, line, inverted);
                }
            }
        }
        "py" => {
            for (line, inverted) in python_inverted(workspace, text)? {
                push("Python assertion inverted", line, inverted);
            }
        }
        _ => {}
    }
    Ok(())
}

/// A picture with a bar taken out, and with a word too many.
fn of_picture(file: &Path, text: &str, found: &mut Vec<Mutation>) {
    let lines = text.lines().enumerate();
    let ways = [
        ("timeline without a bar", "<rect", ""),
        ("timeline told wrongly", "</li>", "; and more</li>"),
    ];
    for (kind, of, new) in ways {
        let Some((index, line)) =
            lines.clone().find(|(_, line)| line.contains(of))
        else {
            continue;
        };
        let new = if new.is_empty() {
            "<g></g>".to_owned()
        } else {
            line.replace(of, new)
        };
        let text = with_line(text, index + 1, &new);
        let file = file.to_owned();
        found.push(Mutation { kind, file, text, line: index + 1 });
    }
}

/// A program with one of its assertions inverted, for each of them.
fn rust_inverted(text: &str) -> Vec<(usize, String)> {
    let mut inverted = Vec::new();
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let start = offset;
        offset += line.len();
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (from, to) in [
            ("assert_eq!(", "assert_ne!("),
            ("assert_ne!(", "assert_eq!("),
            ("assert!(", "assert_not!("),
        ] {
            for (at, _) in line.match_indices(from) {
                // `debug_assert!` contains `assert!`.
                let before = line[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let at = start + at;
                let mut mutated = text.to_owned();
                mutated.replace_range(at..at + from.len(), to);
                if from == "assert!(" {
                    let first = mutated.find('\n').map_or(0, |end| end + 1);
                    mutated.insert_str(first, ASSERT_NOT);
                }
                inverted.push((index + 1, mutated));
            }
        }
    }
    inverted
}

/// After the first line, an anchor's comment, and before the rest.
const ASSERT_NOT: &str = "macro_rules! assert_not { \
    ($claim:expr $(, $($message:tt)*)?) => { assert!(!$claim) }; \
    ($claim:expr,) => { assert!(!$claim) } }\n";

/// A Python program with one of its assertions inverted, for each of them.
/// Python's own parser tells where an assertion ends.
fn python_inverted(
    workspace: &Workspace,
    text: &str,
) -> Result<Vec<(usize, String)>, String> {
    let ask = "import ast, sys\n\
        for node in ast.walk(ast.parse(sys.argv[1])):\n    \
            if isinstance(node, ast.Assert):\n        \
                t = node.test\n        \
                print(t.lineno, t.col_offset, t.end_lineno, t.end_col_offset)";
    let output = Command::new(&workspace.python()?.program)
        .args(["-c", ask, text])
        .output()
        .map_err(|error| format!("cannot run Python: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let mut inverted = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let numbers: Vec<usize> =
            line.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [line, column, end_line, end_column] = numbers[..] else {
            return Err(format!("cannot read Python's answer: {line}"));
        };
        let mut mutated = text.to_owned();
        mutated.insert(starts[end_line - 1] + end_column, ')');
        mutated.insert_str(starts[line - 1] + column, "not (");
        inverted.push((line, mutated));
    }
    Ok(inverted)
}
