//! The crates that a program names, and their builds in `target/`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::sync::OnceLock;

use cargo_metadata::{Message, Metadata, MetadataCommand};
use proc_macro2::{TokenStream, TokenTree};

use super::passed;

/// What a build of the package has made.
#[derive(Default)]
pub(crate) struct Built {
    pub libraries: Libraries,
    pub examples: Executables,
    pub tests: Executables,
}

/// The builds of each package, by name and version.
pub type Libraries = BTreeMap<(String, String), BTreeSet<PathBuf>>;

/// By name: the executable, and the source it is built from.
type Executables = BTreeMap<String, (PathBuf, PathBuf)>;

/// Builds the package, once in a run, by the profile in use. There is nothing
/// left to build under `cargo test`; but `cargo test --test NAME` builds no
/// examples.
pub(crate) fn built(root: &Path) -> Result<&'static Built, String> {
    static BUILT: OnceLock<Result<Built, String>> = OnceLock::new();
    // While the book is not in order its tests cannot be built.
    let build = || {
        build(root, &["test", "--no-run"])
            .or_else(|_| build(root, &["build", "--examples"]))
    };
    BUILT.get_or_init(build).as_ref().map_err(Clone::clone)
}

fn build(root: &Path, arguments: &[&str]) -> Result<Built, String> {
    let output = Command::new(super::cargo())
        .args(arguments)
        .args(by_profile(super::profile_folder()))
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut built = Built::default();
    for message in Message::parse_stream(output.stdout.as_slice()).flatten() {
        let Message::CompilerArtifact(artifact) = message else { continue };
        let target = artifact.target;
        if let Some(executable) = artifact.executable {
            let of_kind = match target.kind.first().map(String::as_str) {
                Some("example") => &mut built.examples,
                Some("test") => &mut built.tests,
                _ => continue,
            };
            let files = (executable.into(), target.src_path.into());
            of_kind.insert(target.name, files);
            continue;
        }
        // registry+https://…#tokio@1.54.1
        let id = artifact.package_id.repr;
        let id = id.rsplit('#').next().unwrap_or_default();
        let Some((name, version)) = id.split_once('@') else { continue };
        let library = artifact.filenames.into_iter().find(|file| {
            let file = file.as_str();
            file.ends_with(".rlib")
                || file.ends_with(std::env::consts::DLL_SUFFIX)
        });
        let package = (name.to_owned(), version.to_owned());
        let libraries = built.libraries.entry(package).or_default();
        libraries.extend(library.map(PathBuf::from));
    }
    Ok(built)
}

/// The arguments for the profile whose builds are in a folder: it has its name,
/// but for those that cargo takes by itself.
fn by_profile(folder: Option<PathBuf>) -> Vec<OsString> {
    let name = folder.as_deref().and_then(Path::file_name);
    match name.filter(|name| *name != "debug") {
        Some(name) => vec!["--profile".into(), name.to_owned()],
        None => Vec::new(),
    }
}

/// An error unless both are the same file.
pub(crate) fn same_file(built: &Path, shown: &Path) -> Result<(), String> {
    let resolved = |path: &Path| path.canonicalize().ok();
    if resolved(built).is_some() && resolved(built) == resolved(shown) {
        return Ok(());
    }
    Err(format!(
        "is built from {}, and the page shows {}",
        built.display(),
        shown.display()
    ))
}

/// The executable of the test target of this name, which is built from this
/// file.
pub(crate) fn test(
    root: &Path,
    name: &str,
    file: &Path,
) -> Result<&'static Path, String> {
    let (target, source) = built(root)?
        .tests
        .get(name)
        .ok_or("is no test target of Cargo.toml's")?;
    same_file(source, &root.join(file))?;
    Ok(target)
}

/// The builds that [`link`] passes on, as they are now.
pub(crate) fn stamp(root: &Path) -> Result<u64, String> {
    static STAMP: OnceLock<u64> = OnceLock::new();
    let libraries = built(root)?.libraries.values().flatten();
    Ok(*STAMP.get_or_init(|| {
        let stamps = libraries.map(|file| passed::stamp(file));
        passed::hash(stamps.collect::<Vec<_>>())
    }))
}

/// Passes the compiler the builds of the crates that a program names.
pub(crate) fn link(
    command: &mut Command,
    root: &Path,
    program: &str,
) -> Result<(), String> {
    let built = built(root)?;
    let mut folders = BTreeSet::new();
    for library in built.libraries.values().flatten() {
        folders.extend(library.parent());
    }
    for folder in folders {
        let mut dependencies = OsString::from("dependency=");
        dependencies.push(folder);
        command.arg("-L").arg(dependencies);
    }
    for (name, version) in named(root, program)? {
        let extern_name = name.replace('-', "_");
        let of_package = built.libraries.get(&(name.clone(), version));
        let of_package: Vec<_> = of_package.into_iter().flatten().collect();
        let [library] = of_package.as_slice() else {
            return Err(format!(
                "there are {} builds of {name}, and one is needed: see \
                 Cargo.toml for how it is kept so",
                of_package.len()
            ));
        };
        let library = library.display();
        command.arg("--extern").arg(format!("{extern_name}={library}"));
    }
    Ok(())
}

/// The crates of the workspace's table that a program names, by package name
/// with the locked version.
pub(crate) fn named(
    root: &Path,
    program: &str,
) -> Result<BTreeMap<String, String>, String> {
    Known::read(root)?.named(program)
}

/// The crates that there are, as Cargo.toml and Cargo.lock have them.
pub(crate) struct Known {
    /// Those that a program may name, with the locked version.
    direct: BTreeMap<String, String>,
    /// All others, as a program would name them.
    others: BTreeSet<String>,
}

impl Known {
    pub(crate) fn read(root: &Path) -> Result<Known, String> {
        let direct = direct(root)?;
        let others = indirect(root, &direct)?;
        Ok(Known { direct, others })
    }

    /// Those that a program names.
    pub(crate) fn named(
        &self,
        program: &str,
    ) -> Result<BTreeMap<String, String>, String> {
        let tokens = TokenStream::from_str(program)
            .map_err(|error| format!("cannot read the program: {error}"))?;
        let mut words = BTreeSet::new();
        first_words(tokens, &mut words);
        if let Some(word) = words.iter().find(|w| self.others.contains(*w)) {
            return Err(format!(
                "a program names `{word}`, which is locked for another \
                 crate's sake alone\nhelp: add it to \
                 [workspace.dependencies] of the Cargo.toml beside book.toml, \
                 and run `cargo bless`"
            ));
        }
        let known = self.direct.iter();
        let named = known.filter(|(n, _)| words.contains(&n.replace('-', "_")));
        Ok(named.map(|(name, of)| (name.clone(), of.clone())).collect())
    }
}

/// The first word of every path: `tokio` in `tokio::time::sleep`.
fn first_words(tokens: TokenStream, words: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let colons = |at: usize| {
        let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
        colon(tokens.get(at)) && colon(tokens.get(at + 1))
    };
    for (index, token) in tokens.iter().enumerate() {
        match token {
            // `use axum::{http::StatusCode, Json};` names axum alone.
            TokenTree::Group(_) if index > 1 && colons(index - 2) => {}
            TokenTree::Group(group) => first_words(group.stream(), words),
            TokenTree::Ident(name)
                if colons(index + 1) && (index < 2 || !colons(index - 2)) =>
            {
                words.insert(name.to_string());
            }
            // `use tokio as rt;`, `extern crate tokio;`
            TokenTree::Ident(name)
                if index > 0
                    && ["use", "crate"].iter().any(|word| {
                        matches!(&tokens[index - 1],
                            TokenTree::Ident(before) if before == word)
                    }) =>
            {
                words.insert(name.to_string());
            }
            _ => {}
        }
    }
}

/// The crates in Cargo.lock, as a program names them, that are not in the
/// workspace's table.
fn indirect(
    root: &Path,
    direct: &BTreeMap<String, String>,
) -> Result<BTreeSet<String>, String> {
    let lock = fs::read_to_string(root.join("Cargo.lock"))
        .map_err(|error| format!("cannot read Cargo.lock: {error}"))?;
    let names = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let known = ["std", "core", "alloc", "crate", "self", "super"];
    Ok(names
        .filter(|name| !direct.contains_key(*name) && !known.contains(name))
        .map(|name| name.replace('-', "_"))
        .collect())
}

/// The crates that programs may name, [workspace.dependencies] of the
/// Cargo.toml in `root`, and their locked versions.
pub(crate) fn direct(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let read = |name: &str| {
        let file = root.join(name);
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("cannot read {name}: {error}"))?;
        text.parse::<toml::Table>()
            .map_err(|error| format!("{name}: {}", error.message()))
    };
    let (manifest, lock) = (read("Cargo.toml")?, read("Cargo.lock")?);
    let table = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(toml::Value::as_table)
        .ok_or("Cargo.toml has no table [workspace.dependencies]")?;
    let packages = lock
        .get("package")
        .and_then(toml::Value::as_array)
        .ok_or("Cargo.lock lists no package")?;
    let of = |package: &toml::Value, key: &str| {
        let value = package.get(key).and_then(toml::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    // A package of the workspace lists `name version` where several versions
    // are locked.
    let of_members: Vec<&str> = packages
        .iter()
        .filter(|package| package.get("source").is_none())
        .filter_map(|package| package.get("dependencies")?.as_array())
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    let version = |name: &str| {
        let listed = of_members.iter().find_map(|line| {
            let (of, version) = line.split_once(' ')?;
            (of == name).then(|| version.to_owned())
        });
        let only = || packages.iter().find(|p| of(p, "name") == name);
        listed.or_else(|| only().map(|package| of(package, "version")))
    };
    // One that no manifest names yet is not locked, and has no version.
    let of_table =
        |name: &String| (name.clone(), version(name).unwrap_or_default());
    Ok(table.keys().map(of_table).collect())
}

/// What each feature of a crate of that table brings along.
pub(crate) fn features(
    root: &Path,
    name: &str,
) -> Result<BTreeMap<String, Vec<String>>, String> {
    static METADATA: OnceLock<Result<Metadata, String>> = OnceLock::new();
    let read = || {
        MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .other_options(["--offline".to_owned(), "--locked".to_owned()])
            .exec()
            .map_err(|error| format!("cargo metadata: {error}"))
    };
    let metadata = METADATA.get_or_init(read).as_ref()?;
    let version = direct(root)?.remove(name).unwrap_or_default();
    let package = metadata
        .packages
        .iter()
        .find(|p| p.name == name && p.version.to_string() == version)
        .ok_or_else(|| format!("{name} is not locked"))?;
    Ok(package.features.clone().into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_what_the_tests_are_built_by() {
        let of = |folder: &str| by_profile(Some(folder.into()));
        assert_eq!(of("/book/target/release"), ["--profile", "release"]);
        assert_eq!(of("/book/target/ci"), ["--profile", "ci"]);
        assert!(of("/book/target/debug").is_empty());
        assert!(by_profile(None).is_empty());
    }
}
