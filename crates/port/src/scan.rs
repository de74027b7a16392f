//! Finds the Python files of a tree, and reads them on all cores.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use walkdir::{DirEntry, WalkDir};

use crate::python::{Import, Reader, Source};

/// A file above this has been generated, or is no source: 4 MiB, in bytes.
const LARGEST: u64 = 4 << 20;

/// What was read of a tree.
pub struct Scan {
    /// By the path below the root, with `/`.
    pub files: BTreeMap<String, Module>,
    /// What could not be read, or not all of it, and why.
    pub problems: Vec<Problem>,
    /// The files of each module of the tree. Scripts of two folders may have
    /// one name.
    modules: HashMap<String, Vec<String>>,
    /// The first parts of the modules' names.
    packages: BTreeSet<String>,
}

pub struct Module {
    /// The name by which it is imported.
    name: String,
    pub source: Source,
}

#[derive(Serialize)]
pub struct Problem {
    pub file: String,
    pub why: String,
}

/// Reads a file, or each `.py` file below a folder.
///
/// # Errors
///
/// The root is not there, or cannot be entered.
pub fn scan(root: &Path) -> io::Result<Scan> {
    // `.` has no name, and a package has.
    let root = &root.canonicalize()?;
    let (paths, mut problems) = paths(root);
    let bar = ProgressBar::new(paths.len() as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} files");
    bar.set_style(style.expect("the template is in order"));
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let read = || {
        let mut reader = Reader::new();
        while let Some(path) = paths.get(next.fetch_add(1, Relaxed)) {
            let source = read(path).map(|text| reader.read(&text));
            found.lock().expect("no thread panics").push((path, source));
            bar.inc(1);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(read);
        }
    });
    bar.finish_and_clear();
    let mut files = BTreeMap::new();
    let mut modules = HashMap::<_, Vec<String>>::new();
    let mut found = found.into_inner().expect("no thread panics");
    // In the order of their paths, not in that of the threads.
    found.sort_by_key(|(path, _)| *path);
    for (path, source) in found {
        let file = below(root, path);
        let source = match source {
            Ok(source) => source,
            Err(why) => {
                problems.push(Problem { file, why });
                continue;
            }
        };
        if let Some(line) = source.fault {
            let why =
                format!("line {line} is not understood; names may be missing");
            problems.push(Problem { file: file.clone(), why });
        }
        let name = module(path);
        modules.entry(name.clone()).or_default().push(file.clone());
        files.insert(file, Module { name, source });
    }
    problems.sort_by(|a, b| a.file.cmp(&b.file));
    let roots =
        modules.keys().filter_map(|name: &String| name.split('.').next());
    let packages = roots.map(str::to_owned).collect();
    Ok(Scan { files, problems, modules, packages })
}

/// The files, and what cannot be read.
fn paths(root: &Path) -> (Vec<PathBuf>, Vec<Problem>) {
    let (mut paths, mut problems) = (Vec::new(), Vec::new());
    let walk = WalkDir::new(root).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| !is_foreign(entry)) {
        let mut problem = |path: &Path, why: String| {
            problems.push(Problem { file: below(root, path), why });
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root);
                let why = error.io_error().map(ToString::to_string);
                problem(path, why.unwrap_or("cannot be read".into()));
                continue;
            }
        };
        let path = entry.path();
        let is_python = path.extension().is_some_and(|it| it == "py");
        let is_root = entry.depth() == 0;
        if entry.path_is_symlink() {
            // What a link leads to within the root is read in its own place.
            match path.canonicalize() {
                Err(error) if is_python => problem(path, error.to_string()),
                Ok(target) if path.starts_with(&target) => {
                    problem(path, "is a link in a circle".into());
                }
                Ok(target) if !target.starts_with(root) => {
                    if is_python || target.is_dir() {
                        problem(path, "is a link out of the folder".into());
                    }
                }
                Ok(_) | Err(_) => {}
            }
        } else if entry.file_type().is_file() && (is_python || is_root) {
            paths.push(entry.into_path());
        } else if is_python && !entry.file_type().is_dir() {
            problem(path, "is no file".into());
        }
    }
    (paths, problems)
}

/// Whether a folder holds what others have written: an environment, a cache.
fn is_foreign(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() > 0
        && entry.file_type().is_dir()
        && (name.starts_with('.')
            || matches!(
                &*name,
                "__pycache__" | "node_modules" | "site-packages"
            )
            || entry.path().join("pyvenv.cfg").is_file())
}

/// A path below the root; that of the root itself is its name.
fn below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let below = match below.as_os_str().is_empty() {
        true => path.file_name().map_or(path, Path::new),
        false => below,
    };
    clean(&below.to_string_lossy().replace('\\', "/"))
}

/// A text that a terminal does not obey: without control characters, and
/// without those that turn the direction.
pub fn clean(text: &str) -> String {
    let turns = ['\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}'];
    let is_bad = |c: char| c.is_control() || turns.contains(&c);
    text.replace(is_bad, "?")
}

fn read(path: &Path) -> Result<String, String> {
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    if size > LARGEST {
        let size = size >> 20;
        return Err(format!("has {size} MiB; files above 4 MiB are not read"));
    }
    let mut text = Vec::new();
    // It may have grown.
    let limited = file.by_ref().take(LARGEST).read_to_end(&mut text);
    limited.map_err(|error| error.to_string())?;
    String::from_utf8(text).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        format!("line {line} is not UTF-8")
    })
}

/// The name by which a file is imported: a package has `__init__.py`.
fn module(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut parts = Vec::new();
    if stem != "__init__" {
        parts.push(stem.into_owned());
    }
    let mut folder = path.parent();
    while let Some(package) = folder {
        if !fs::exists(package.join("__init__.py")).unwrap_or(false) {
            break;
        }
        let name = package.file_name().unwrap_or_default();
        parts.push(name.to_string_lossy().into_owned());
        folder = package.parent();
    }
    parts.reverse();
    parts.join(".")
}

impl Scan {
    /// The full name of what a file imports, through the imports of the tree's
    /// own modules. `None` if the tree has it.
    pub fn resolve(&self, file: &str, import: &Import) -> Option<String> {
        let module = self.files.get(file)?;
        let name = absolute(file, &module.name, import);
        self.through(file, name)
    }

    /// The same for a name that `from module import *` may bring in.
    pub fn resolve_bare(
        &self,
        file: &str,
        name: &str,
        is_member: IsMember,
    ) -> Option<String> {
        let module = self.files.get(file)?;
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let dot = if rest.is_empty() { "" } else { "." };
        module.source.stars.iter().find_map(|star| {
            let star = absolute(file, &module.name, star);
            let full = format!("{star}.{root}{dot}{rest}");
            match self.file(file, &star) {
                Some(_) => self.through(file, full),
                None => is_member(&format!("{star}.{root}")).then_some(full),
            }
        })
    }

    /// Follows a name through the modules of the tree that import it.
    fn through(&self, file: &str, mut name: String) -> Option<String> {
        let mut file = file;
        // A chain of re-exports is short; a circle has no end.
        for _ in 0..32 {
            let Some((inner, rest)) = self.inner(file, &name) else {
                return Some(name);
            };
            let (root, rest) = rest.split_once('.').unwrap_or((rest, ""));
            let module = self.files.get(inner)?;
            let import = module.source.imports.get(root)?;
            let dot = if rest.is_empty() { "" } else { "." };
            let next = absolute(inner, &module.name, import);
            name = format!("{next}{dot}{rest}");
            file = inner;
        }
        None
    }

    /// The files of the tree that a file imports.
    pub fn imports(&self, file: &str) -> BTreeSet<&str> {
        let Some(module) = self.files.get(file) else {
            return BTreeSet::new();
        };
        let files = module.source.targets.iter().filter_map(|import| {
            let target = absolute(file, &module.name, import);
            let itself = self.file(file, &target);
            itself.or_else(|| self.inner(file, &target).map(|(it, _)| it))
        });
        files.filter(|other| *other != file).collect()
    }

    /// The packages that a file imports, without those of the tree.
    pub fn packages(&self, file: &str) -> BTreeSet<String> {
        let Some(module) = self.files.get(file) else {
            return BTreeSet::new();
        };
        let roots = module.source.targets.iter().filter_map(|import| {
            let target = absolute(file, &module.name, import);
            let root = target.split('.').next().unwrap_or_default().to_owned();
            let is_own = import.level > 0 || self.is_own(&root);
            (!is_own).then_some(root)
        });
        roots.collect()
    }

    /// Whether a package or a module is one of the tree.
    fn is_own(&self, root: &str) -> bool {
        self.modules.contains_key(root) || self.packages.contains(root)
    }

    /// The file of the tree that has a name, and what remains of the name.
    fn inner<'n>(&self, file: &str, name: &'n str) -> Option<(&str, &'n str)> {
        let mut dots = name.rmatch_indices('.');
        dots.find_map(|(at, _)| {
            Some((self.file(file, &name[..at])?, &name[at + 1..]))
        })
    }

    /// The file of a module that a file imports. Of two with one name, that in
    /// the file's own folder.
    fn file(&self, from: &str, module: &str) -> Option<&str> {
        let folder = |file: &str| file.rsplit_once('/').map(|it| it.0.len());
        match self.modules.get(module)?.as_slice() {
            [file] => Some(file),
            files => files.iter().map(String::as_str).find(|file| {
                folder(file) == folder(from)
                    && file[..folder(file).unwrap_or(0)]
                        == from[..folder(from).unwrap_or(0)]
            }),
        }
    }
}

/// Whether a full name is one that `from module import *` brings in.
type IsMember<'m> = &'m dyn Fn(&str) -> bool;

/// The full name of what a file's import names.
fn absolute(file: &str, module: &str, import: &Import) -> String {
    let Import { level, name } = import;
    if *level == 0 {
        return name.clone();
    }
    let mut parts: Vec<_> = module.split('.').collect();
    let is_package = file.ends_with("__init__.py");
    let package =
        (parts.len() + usize::from(is_package)).saturating_sub(*level);
    parts.truncate(package);
    parts.extend((!name.is_empty()).then_some(name.as_str()));
    parts.join(".")
}
