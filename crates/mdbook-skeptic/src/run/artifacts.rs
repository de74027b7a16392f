//! What cargo has built of the workspace, in `target/`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::Message;

use crate::hash::{hash, stamp};
use crate::toolchain;

/// What a build of the package has made.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    pub libraries: Libraries,
    /// The libraries of the workspace's own packages, by name.
    members: BTreeMap<String, PathBuf>,
    pub examples: Executables,
    pub tests: Executables,
    /// The libraries as they were when they were found, hashed.
    pub stamp: u64,
}

/// The builds of each package, by name and version.
pub type Libraries = BTreeMap<(String, String), BTreeSet<PathBuf>>;

/// By name: the executable, and the source it is built from.
type Executables = BTreeMap<String, (PathBuf, PathBuf)>;

/// Builds the package, by the profile in use. There is nothing left to build
/// under `cargo test`; but `cargo test --test NAME` builds no examples.
pub(crate) fn build(root: &Path) -> Result<Artifacts, String> {
    // While the book is not in order its tests cannot be built.
    build_by(root, &["test", "--no-run"])
        .or_else(|_| build_by(root, &["build", "--examples"]))
}

fn build_by(root: &Path, arguments: &[&str]) -> Result<Artifacts, String> {
    let output = Command::new(toolchain::cargo())
        .args(arguments)
        .args(by_profile(toolchain::profile_folder()))
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut built = Artifacts::default();
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
        let library = artifact.filenames.into_iter().find(|file| {
            let file = file.as_str();
            file.ends_with(".rlib")
                || file.ends_with(std::env::consts::DLL_SUFFIX)
        });
        // registry+https://…#tokio@1.54.1; path+file:///…/stress#0.1.0
        let id = artifact.package_id.repr;
        let id = id.rsplit('#').next().unwrap_or_default();
        let Some((name, version)) = id.split_once('@') else {
            let library = library.map(|file| (target.name, file.into()));
            built.members.extend(library);
            continue;
        };
        let package = (name.to_owned(), version.to_owned());
        let libraries = built.libraries.entry(package).or_default();
        libraries.extend(library.map(PathBuf::from));
    }
    let libraries = built.libraries.values().flatten();
    built.stamp = hash(libraries.map(|file| stamp(file)).collect::<Vec<_>>());
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

impl Artifacts {
    /// The library of a package of the workspace.
    pub(crate) fn member(&self, name: &str) -> Result<&Path, String> {
        let found = self.members.get(name).map(PathBuf::as_path);
        found.ok_or_else(|| format!("the workspace has no library {name}"))
    }

    /// The executable of an example whose source is this file.
    pub(crate) fn example(
        &self,
        root: &Path,
        name: &str,
        file: &Path,
    ) -> Result<&Path, String> {
        let (program, source) = self.examples.get(name).ok_or(
            "is no example: give it an [[example]] entry in Cargo.toml",
        )?;
        same_file(source, &root.join(file))?;
        Ok(program)
    }

    /// The executable of a test target whose source is this file.
    pub(crate) fn test(
        &self,
        root: &Path,
        name: &str,
        file: &Path,
    ) -> Result<&Path, String> {
        let (target, source) =
            self.tests.get(name).ok_or("is no test target of Cargo.toml's")?;
        same_file(source, &root.join(file))?;
        Ok(target)
    }
}

/// An error unless both are the same file.
fn same_file(built: &Path, shown: &Path) -> Result<(), String> {
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
