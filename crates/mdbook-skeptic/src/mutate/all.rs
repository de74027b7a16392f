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
/// `mutants` in `book.toml` names, and into the tables of the page that shows it.
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
    let known = |page: &Path| book.pages.iter().any(|known| known.file == page);
    let what = match what {
        Mutate::Page(page) => {
            // As a shell completes it: `./book/chapter/page.md`.
            let page = page.strip_prefix(".").unwrap_or(page);
            if !known(page) {
                return Err(vec![Problem::whole(
                    page,
                    "this is not a page of the book",
                    "name a page of SUMMARY.md, such as book/chapter/page.md",
                )]);
            }
            &Mutate::Page(page.to_owned())
        }
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
    // One run at a time: they share the results and the copies.
    let folder = book.root.join("target/mutate");
    let lock = fs::create_dir_all(&folder)
        .and_then(|()| fs::File::create(folder.join("lock")));
    let lock = lock.map_err(|error| format!("cannot make a lock: {error}"))?;
    lock.try_lock().map_err(|_| "another `cargo mutate` is at work here")?;
    // Hours later it would be too late to find that it cannot be written.
    fs::File::options()
        .append(true)
        .open(book.root.join(file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let mut results = Results::read(&book.root, file)?;
    let workspace = Workspace::new(&book.root);
    let features = book.settings.features.as_deref();
    let context = Context { workspace: &workspace, limit: LIMIT, features };
    let parts = parts(book)?;
    let is_asked = |part: &Part| match what {
        Mutate::Page(page) => part.page.file == *page,
        Mutate::All | Mutate::Sample(_) => true,
    };
    let mut mutants = Vec::new();
    let mut survivors: BTreeMap<usize, Vec<(usize, String)>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate().filter(|(_, p)| is_asked(p)) {
        survivors.insert(index, Vec::new());
        let is_python = part.file.extension().is_some_and(|of| of == "py");
        let lines = part.lines.clone();
        let changes = if is_python {
            python::changes(&workspace, &part.program, lines)?
        } else {
            rust::changes(&part.program, lines)?
        };
        let changes = changes.into_iter();
        mutants.extend(changes.map(|change| Either::Part(index, change)));
    }
    if !matches!(what, Mutate::Page(_)) {
        let of_blocks = blocks::mutants(book, &workspace)?;
        mutants.extend(of_blocks.into_iter().map(Either::Block));
    }
    if let Mutate::Page(page) = what
        && survivors.is_empty()
    {
        return Err(format!(
            "{} shows no part to keep and no fragment `fixed`",
            page.display()
        ));
    }
    if let Mutate::Sample(count) = what {
        let step = mutants.len().div_ceil(count.get()).max(1);
        let texts = book.blocks().map(|(_, block)| &block.text);
        let first = hash(texts.collect::<Vec<_>>()) as usize % step;
        mutants = mutants.into_iter().skip(first).step_by(step).collect();
    }

    let pristine: BTreeSet<String> = plan::checks(book)
        .iter()
        .map(|check| format!("{:?}", check.what))
        .collect();
    let of_parts = parts.iter();
    let of_parts: Vec<_> =
        of_parts.map(|part| trial::OfPart::new(&context, book, part)).collect();
    let stress = book.settings.stress.as_deref();
    let outcomes =
        each(&book.root, &folder, &mutants, |copy, mutant| match mutant {
            Either::Part(index, Change { text, .. }) => {
                let outcome = of_parts[*index].outcome(stress, text)?;
                Ok((outcome, String::new()))
            }
            Either::Block(mutant) => {
                match trial::block(&context, copy, mutant, &pristine)? {
                    Ok(()) => Ok((Outcome::Caught, String::new())),
                    Err(why) => Ok((Outcome::Survived, why)),
                }
            }
        })?;

    let mut tried = Tried::default();
    for (mutant, (outcome, why)) in mutants.iter().zip(&outcomes) {
        let is_caught = *outcome == Outcome::Caught;
        match mutant {
            _ if *outcome == Outcome::DoesNotCompile => {}
            Either::Block(Mutant { kind, file, line, .. }) => {
                tried.count((*kind).to_owned(), is_caught);
                if !is_caught {
                    tried.missed.push(Problem::new(
                        file,
                        *line,
                        format!("{why}: {kind}"),
                        "assert more, or close the hole in the guard",
                    ));
                }
            }
            Either::Part(index, Change { line, what, .. }) => {
                tried.count(name(&parts[*index]), is_caught);
                let survivors = survivors.entry(*index).or_default();
                if !is_caught {
                    survivors.push((*line, what.clone()));
                }
            }
        }
    }
    let mut news = Vec::new();
    for (index, survivors) in survivors {
        let part = &parts[index];
        let known = results.part.iter().find(|of| part.is_of(of));
        let known = known.map(|of| of.survivor.clone());
        let mut known = known.unwrap_or_default();
        let mut survivor = Vec::new();
        for (line, change) in survivors {
            let code = part.line(line).to_owned();
            // Each reason is that of one survivor.
            let same = known
                .iter()
                .position(|known| known.change == change && known.code == code);
            let same = same.map(|at| known.remove(at).reason);
            let reason = same.unwrap_or_default();
            if reason.trim().is_empty() {
                tried.missed.push(Problem::new(
                    part.file,
                    line,
                    format!("no test notices this: {change}"),
                    format!(
                        "assert what that line is for, or write into {} why \
                         nothing depends on it",
                        file.display()
                    ),
                ));
            }
            survivor.push(Survivor { change, code, reason });
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
    if matches!(what, Mutate::Sample(_)) {
        return Ok(tried);
    }
    // In the book's order; a part that is gone is left out.
    let mut old = std::mem::take(&mut results.part);
    old.retain(|of| !news.iter().any(|new| is_same(new, of)));
    news.append(&mut old);
    for part in &parts {
        let of_part = news.iter().filter(|of| part.is_of(of));
        results.part.extend(of_part.cloned());
    }
    let write = |file: &Path, text: &str| {
        fs::write(book.root.join(file), text).map_err(|error| {
            format!("cannot write {}: {error}", file.display())
        })
    };
    write(file, &results.written())?;
    if let Some((page, text)) = generated::of_mutants(book)? {
        write(&page, &text)?;
    }
    Ok(tried)
}

fn is_same(a: &OfPart, b: &OfPart) -> bool {
    a.program == b.program && a.anchor == b.anchor
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
