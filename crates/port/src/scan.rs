//! Finds the Python files of a tree, and reads them on all cores.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
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
    /// The file of each module of the tree.
    modules: HashMap<String, String>,
}

pub struct Module {
    /// The name by which it is imported.
    name: String,
    pub source: Source,
}

pub struct Problem {
    pub file: String,
    pub why: String,
}

/// Reads a file, or each `.py` file below a folder.
pub fn scan(root: &Path) -> Scan {
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
    let (mut files, mut modules) = (BTreeMap::new(), HashMap::new());
    for (path, source) in found.into_inner().expect("no thread panics") {
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
        modules.insert(name.clone(), file.clone());
        files.insert(file, Module { name, source });
    }
    problems.sort_by(|a, b| a.file.cmp(&b.file));
    Scan { files, problems, modules }
}

/// The files, and the folders that cannot be read.
fn paths(root: &Path) -> (Vec<PathBuf>, Vec<Problem>) {
    let (mut paths, mut problems) = (Vec::new(), Vec::new());
    let walk = WalkDir::new(root).follow_links(true).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| !is_foreign(entry)) {
        match entry {
            Ok(entry) => {
                let is_python =
                    entry.path().extension().is_some_and(|it| it == "py");
                let is_root = entry.depth() == 0;
                if entry.file_type().is_file() && (is_python || is_root) {
                    paths.push(entry.into_path());
                } else if is_python && !entry.file_type().is_dir() {
                    let file = below(root, entry.path());
                    problems.push(Problem { file, why: "is no file".into() });
                }
            }
            Err(error) => {
                let file = below(root, error.path().unwrap_or(root));
                let why = match (error.loop_ancestor(), error.io_error()) {
                    (Some(_), _) => "is a link in a circle".into(),
                    (_, Some(error)) => error.to_string(),
                    (None, None) => "cannot be read".into(),
                };
                problems.push(Problem { file, why });
            }
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
    // A terminal must not obey what a file is called.
    below.to_string_lossy().replace('\\', "/").replace(char::is_control, "?")
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
    /// What a name of a file stands for, through the imports of the file and
    /// those of the tree's own modules. `None` if it is not imported.
    pub fn resolve(
        &self,
        file: &str,
        name: &str,
        is_member: IsMember,
    ) -> Option<String> {
        let module = self.files.get(file)?;
        let mut name = self.import(file, module, name, is_member)?;
        // A chain of re-exports is short; a circle has no end.
        for _ in 0..8 {
            let Some((inner, rest)) = self.inner(&name) else { break };
            let next = self
                .files
                .get(inner)
                .and_then(|module| self.import(inner, module, rest, is_member));
            match next {
                Some(next) => name = next,
                None => break,
            }
        }
        Some(name)
    }

    /// What the imports of one file say of a name.
    fn import(
        &self,
        file: &str,
        module: &Module,
        name: &str,
        is_member: IsMember,
    ) -> Option<String> {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let source = &module.source;
        let target = match source.imports.get(root) {
            Some(import) => absolute(file, &module.name, import),
            None => source.stars.iter().find_map(|star| {
                let star = absolute(file, &module.name, star);
                let full = format!("{star}.{root}");
                let is_in_tree = self.modules.contains_key(&star);
                (is_in_tree || is_member(&full)).then_some(full)
            })?,
        };
        let dot = if rest.is_empty() { "" } else { "." };
        Some(format!("{target}{dot}{rest}"))
    }

    /// The files of the tree that a file imports.
    pub fn imports(&self, file: &str) -> BTreeSet<&str> {
        let Some(module) = self.files.get(file) else { return BTreeSet::new() };
        let imports =
            module.source.imports.values().chain(&module.source.stars);
        let files = imports.filter_map(|import| {
            let target = absolute(file, &module.name, import);
            let itself = self.modules.get(&target).map(String::as_str);
            itself.or_else(|| self.inner(&target).map(|(file, _)| file))
        });
        files.filter(|other| *other != file).collect()
    }

    /// The file of the tree that has a name, and what remains of the name.
    fn inner<'n>(&self, name: &'n str) -> Option<(&str, &'n str)> {
        let mut dots = name.rmatch_indices('.');
        dots.find_map(|(at, _)| {
            let file = self.modules.get(&name[..at])?;
            Some((file.as_str(), &name[at + 1..]))
        })
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
