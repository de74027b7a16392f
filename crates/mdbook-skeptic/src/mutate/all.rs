//! Makes mutants of a book, tries each, and keeps what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use super::blocks::{self, Mutant};
use super::python;
use super::results::{OfPart, Part, Results, Survivor, parts};
use super::rust::{self, Change};
use super::trial::{self, Outcome};
use crate::generated;
use crate::hash::hash;
use crate::load::config;
use crate::model::Book;
use crate::plan;
use crate::problem::Problem;
use crate::run::workspace::{Context, Workspace};

/// What to make mutants of.
#[derive(Debug, Clone)]
pub enum Mutate {
    /// Every block, and every part that a reader copies.
    All,
    /// The parts of one page, relative to the book's root.
    Page(PathBuf),
    /// About so many of all. Which ones depends on the book.
    Sample(NonZeroUsize),
}

/// How many mutants were caught.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    /// By kind of block or by part: how many were caught, and of how many.
    pub counts: BTreeMap<String, (usize, usize)>,
    /// What no check caught, and has no reason for it.
    pub missed: Vec<Problem>,
}

impl Tried {
    fn count(&mut self, of: String, is_caught: bool) {
        let (caught, all) = self.counts.entry(of).or_default();
        *caught += usize::from(is_caught);
        *all += 1;
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut caught, mut all) = (0, 0);
        for (of, (of_it, all_of_it)) in &self.counts {
            writeln!(f, "{of:60} {of_it:>5} of {all_of_it:>5}")?;
            caught += of_it;
            all += all_of_it;
        }
        writeln!(f, "{:60} {caught:>5} of {all:>5}", "all")
    }
}

/// A program that a change of a block keeps from ending is killed after this.
const LIMIT: Duration = Duration::from_secs(30);

/// Makes mutants of the book in `root`, on copies below `target/mutate`, and
/// tries each. What became of those of whole pages is written into the file that
/// `mutants` in `book.toml` names, and into the table of the page that shows it.
/// Progress goes to stderr.
///
/// # Errors
///
/// If the book itself is not in order, or a copy cannot be made.
pub fn mutate(
    root: impl AsRef<Path>,
    what: &Mutate,
) -> Result<Tried, Vec<Problem>> {
    let root = root.as_ref();
    let book = Book::load(root)?;
    let problem = |error: String| {
        vec![Problem::whole(
            "target/mutate",
            error,
            "correct that, and try again",
        )]
    };
    let what = match what {
        Mutate::Page(page) => &Mutate::Page(config::page(root, page)?),
        Mutate::All | Mutate::Sample(_) => what,
    };
    tried(&book, what).map_err(problem)
}

/// A mutant of a block, or of a part of this index.
enum Either {
    Block(Mutant),
    Part(usize, Change),
}

fn tried(book: &Book, what: &Mutate) -> Result<Tried, String> {
    let file = book.settings.mutants.as_deref();
    let file = file.ok_or("book.toml does not say where `mutants` are kept")?;
    let folder = book.root.join("target/mutate");
    let _lock = locked(&folder)?;
    // Hours later it would be too late to find that it cannot be written.
    fs::File::options()
        .append(true)
        .open(book.root.join(file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let results = Results::read(&book.root, file)?;
    let workspace = Workspace::new(&book.root);
    let features = book.settings.features.as_deref();
    let context = Context { workspace: &workspace, limit: LIMIT, features };
    let parts = parts(book)?;
    let (asked, mutants) = made(book, &workspace, &parts, what)?;

    let pristine: BTreeSet<String> = plan::checks(book)
        .iter()
        .map(|check| format!("{:?}", check.what))
        .collect();
    let of_part = |part| trial::OfPart::new(&context, book, part);
    let of_parts: Vec<_> = parts.iter().map(of_part).collect();
    let stress = book.settings.stress.as_deref();
    let outcomes =
        each(&book.root, &folder, &mutants, |copy, mutant| match mutant {
            Either::Part(index, Change { text, .. }) => {
                of_parts[*index].outcome(stress, text)
            }
            Either::Block(mutant) => {
                trial::block(&context, copy, mutant, &pristine)
            }
        })?;

    let mut tried = Tried::default();
    let mut survivors: BTreeMap<usize, Vec<&Change>> =
        asked.into_iter().map(|index| (index, Vec::new())).collect();
    for (mutant, outcome) in mutants.iter().zip(&outcomes) {
        let is_caught = *outcome == Outcome::Caught;
        match mutant {
            _ if *outcome == Outcome::DoesNotCompile => {}
            Either::Block(Mutant { kind, file, line, .. }) => {
                tried.count((*kind).to_owned(), is_caught);
                if !is_caught {
                    tried.missed.push(Problem::new(
                        file,
                        *line,
                        format!("no check noticed: {kind}"),
                        "assert more, or close the hole in the guard",
                    ));
                }
            }
            Either::Part(index, change) => {
                tried.count(name(&parts[*index]), is_caught);
                if !is_caught {
                    survivors.entry(*index).or_default().push(change);
                }
            }
        }
    }
    let mut news = Vec::new();
    for (index, changes) in survivors {
        let part = &parts[index];
        let known = results.part.iter().find(|of| part.is_of(of));
        let survivor = explained(part, &changes, known);
        for (survivor, change) in survivor.iter().zip(changes) {
            if survivor.reason.trim().is_empty() {
                tried.missed.push(Problem::new(
                    part.file,
                    change.line,
                    format!("no test notices this: {}", change.what),
                    format!(
                        "assert what that line is for, or write into {} why \
                         nothing depends on it",
                        file.display()
                    ),
                ));
            }
        }
        let count = tried.counts.get(&name(part)).copied();
        let (caught, of) = count.unwrap_or_default();
        news.push(OfPart {
            program: part.file.to_owned(),
            anchor: part.anchor.clone(),
            hash: part.hash(),
            caught,
            of,
            survivor,
        });
    }
    if !matches!(what, Mutate::Sample(_)) {
        write(book, file, &parts, news, results)?;
    }
    Ok(tried)
}

/// Holds the folder until this is dropped: runs share the results and the
/// copies.
fn locked(folder: &Path) -> Result<fs::File, String> {
    let lock = fs::create_dir_all(folder)
        .and_then(|()| fs::File::create(folder.join("lock")))
        .map_err(|error| format!("cannot make a lock: {error}"))?;
    lock.try_lock().map_err(|_| "another `cargo mutate` is at work here")?;
    Ok(lock)
}

/// The parts of which mutants were asked for, by their indices, and all mutants
/// to try.
///
/// # Errors
///
/// If a program cannot be read, or a page has no part.
fn made(
    book: &Book,
    workspace: &Workspace,
    parts: &[Part],
    what: &Mutate,
) -> Result<(Vec<usize>, Vec<Either>), String> {
    let is_asked = |part: &Part| match what {
        Mutate::Page(page) => part.page.file == *page,
        Mutate::All | Mutate::Sample(_) => true,
    };
    let (mut asked, mut mutants) = (Vec::new(), Vec::new());
    for (index, part) in parts.iter().enumerate().filter(|(_, p)| is_asked(p)) {
        asked.push(index);
        let lines = part.lines.clone();
        let changes = if part.is_python() {
            python::changes(workspace, &part.program, lines)?
        } else {
            rust::changes(&part.program, lines)?
        };
        let changes = changes.into_iter();
        mutants.extend(changes.map(|change| Either::Part(index, change)));
    }
    match what {
        Mutate::Page(page) if asked.is_empty() => {
            return Err(format!(
                "{} shows no part to keep and no fragment `fixed`",
                page.display()
            ));
        }
        Mutate::Page(_) => return Ok((asked, mutants)),
        Mutate::All | Mutate::Sample(_) => {}
    }
    let of_blocks = blocks::mutants(book, workspace)?;
    mutants.extend(of_blocks.into_iter().map(Either::Block));
    if let Mutate::Sample(count) = what {
        let step = mutants.len().div_ceil(count.get()).max(1);
        let texts = book.blocks().map(|(_, block)| &block.text);
        let first = hash(texts.collect::<Vec<_>>()) as usize % step;
        mutants = mutants.into_iter().skip(first).step_by(step).collect();
    }
    Ok((asked, mutants))
}

/// The survivors of a part, with the reasons that are known of them: each is
/// that of one survivor.
fn explained(
    part: &Part,
    changes: &[&Change],
    known: Option<&OfPart>,
) -> Vec<Survivor> {
    let mut known = known.map(|of| of.survivor.clone()).unwrap_or_default();
    let of_change = |change: &&Change| {
        let (change, code) = (change.what.clone(), part.line(change.line));
        let same = known
            .iter()
            .position(|known| known.change == change && known.code == code);
        let reason = same.map(|at| known.remove(at).reason);
        let (code, reason) = (code.to_owned(), reason.unwrap_or_default());
        Survivor { change, code, reason }
    };
    changes.iter().map(of_change).collect()
}

/// Writes the results, `news` in place of what was known of their parts, and the
/// page that shows them: in the book's order, without parts that are gone.
fn write(
    book: &Book,
    file: &Path,
    parts: &[Part],
    mut news: Vec<OfPart>,
    known: Results,
) -> Result<(), String> {
    // The first of each part counts.
    news.extend(known.part);
    let of_part = |part: &Part| news.iter().find(|of| part.is_of(of)).cloned();
    let results = Results { part: parts.iter().filter_map(of_part).collect() };
    let write = |file: &Path, text: &str| {
        fs::write(book.root.join(file), text).map_err(|error| {
            format!("cannot write {}: {error}", file.display())
        })
    };
    write(file, &results.written())?;
    match generated::of_mutants(book)? {
        Some((page, text)) => write(&page, &text),
        None => Ok(()),
    }
}

fn name(part: &Part) -> String {
    format!("{}, {}", part.file.display(), part.anchor)
}

/// Calls `work` for each item, with a copy of the book to change; on every
/// core, the items in their order.
///
/// # Errors
///
/// The first of `work`; the others are left out.
fn each<T: Sync, R: Send>(
    root: &Path,
    folder: &Path,
    items: &[T],
    work: impl Fn(&Path, &T) -> Result<R, String> + Sync,
) -> Result<Vec<R>, String> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let worker = |number: usize| -> Result<(), String> {
        let copy = trial::copy(root, &folder.join(number.to_string()))?;
        if let Err(problems) = Book::load(&copy) {
            return Err(format!("the copy is not in order: {}", problems[0]));
        }
        loop {
            let index = next.fetch_add(1, Relaxed);
            let Some(item) = items.get(index) else { return Ok(()) };
            let outcome = work(&copy, item).inspect_err(|_| {
                // The others end soon.
                next.store(items.len(), Relaxed);
            })?;
            let mut done = done.lock().unwrap_or_else(|e| e.into_inner());
            done.push((index, outcome));
            progress(done.len(), items.len());
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|number| {
                scope.spawn({
                    let worker = &worker;
                    move || worker(number)
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err("a worker panicked".into()))
        })
    })?;
    let mut done = done.into_inner().unwrap_or_else(|e| e.into_inner());
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

fn progress(done: usize, total: usize) {
    let mut terminal = io::stderr();
    // A log gets a line for every tenth.
    let tenth = |done: usize| 10 * done / total.max(1);
    // A terminal that is gone is no reason to stop.
    let _ = if terminal.is_terminal() {
        write!(terminal, "\r{done}/{total}")
    } else if tenth(done) > tenth(done - 1) {
        writeln!(terminal, "{done}/{total}")
    } else {
        Ok(())
    };
    if done == total && terminal.is_terminal() {
        let _ = writeln!(terminal);
    }
}
