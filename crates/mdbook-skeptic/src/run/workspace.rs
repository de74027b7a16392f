//! What a run of the checks finds on this machine, each once, when it is first
//! asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use cargo_metadata::{Metadata, MetadataCommand};

use super::artifacts::{self, Artifacts, Libraries};
use super::crates::Known;
use crate::hash::{content, hash};
use crate::toolchain::{self, Python};

/// The book's workspace: what is built of it, and what runs its programs.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) root: PathBuf,
    artifacts: OnceLock<Result<Artifacts, String>>,
    metadata: OnceLock<Result<Metadata, String>>,
    python: OnceLock<Result<Python, String>>,
    crates: OnceLock<Result<Known, String>>,
    compiler: OnceLock<Option<String>>,
    versions: OnceLock<u64>,
}

/// What all checks of a book share.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The book's workspace.
    pub workspace: &'a Workspace,
    /// What runs longer is killed.
    pub limit: Duration,
    /// The file that says which use of a crate asks for which feature.
    pub features: Option<&'a Path>,
}

impl Workspace {
    /// The workspace of the book in this folder. Nothing is built or read yet.
    pub fn new(root: impl Into<PathBuf>) -> Workspace {
        Workspace {
            root: root.into(),
            artifacts: OnceLock::new(),
            metadata: OnceLock::new(),
            python: OnceLock::new(),
            crates: OnceLock::new(),
            compiler: OnceLock::new(),
            versions: OnceLock::new(),
        }
    }

    /// What is built of each package that the workspace depends on.
    ///
    /// # Errors
    ///
    /// What cargo says, if it cannot build them.
    pub fn libraries(&self) -> Result<&Libraries, String> {
        self.artifacts().map(|built| &built.libraries)
    }

    pub(crate) fn artifacts(&self) -> Result<&Artifacts, String> {
        let build = || artifacts::build(&self.root);
        self.artifacts.get_or_init(build).as_ref().map_err(Clone::clone)
    }

    pub(crate) fn python(&self) -> Result<&Python, String> {
        let find = || Python::find(&self.root);
        self.python.get_or_init(find).as_ref().map_err(Clone::clone)
    }

    /// What `rustc -vV` prints.
    fn compiler(&self) -> Option<&str> {
        self.compiler.get_or_init(toolchain::compiler_version).as_deref()
    }

    /// `1.95.0`
    pub(crate) fn rust_version(&self) -> Option<String> {
        let line = self.compiler()?.lines().next()?;
        Some(line.split_whitespace().nth(1)?.to_owned())
    }

    /// `3.11.2`
    pub(crate) fn python_version(&self) -> Option<String> {
        let version = &self.python().ok()?.version;
        Some(version.split_whitespace().next()?.to_owned())
    }

    /// What tells the locked crates, the compiler and the interpreter from any
    /// others.
    pub(crate) fn versions(&self) -> u64 {
        *self.versions.get_or_init(|| {
            let locked = content(self.root.join("Cargo.lock"));
            let python = self.python().ok().map(|python| &python.version);
            hash((locked, self.compiler(), python))
        })
    }

    /// The crates that a program names, with the locked version.
    pub(crate) fn named(
        &self,
        program: &str,
    ) -> Result<BTreeMap<String, String>, String> {
        self.crates()?.named(program)
    }

    fn crates(&self) -> Result<&Known, String> {
        let read = || Known::read(&self.root);
        self.crates.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// What each feature of a crate that programs may name brings along.
    pub(crate) fn features(
        &self,
        name: &str,
    ) -> Result<BTreeMap<String, Vec<String>>, String> {
        let read = || {
            MetadataCommand::new()
                .manifest_path(self.root.join("Cargo.toml"))
                .other_options(["--offline".to_owned(), "--locked".to_owned()])
                .exec()
                .map_err(|error| format!("cargo metadata: {error}"))
        };
        let metadata = self.metadata.get_or_init(read).as_ref()?;
        let version = self.crates()?.version(name);
        let package = metadata
            .packages
            .iter()
            .find(|p| p.name == name && p.version.to_string() == version)
            .ok_or_else(|| format!("{name} is not locked"))?;
        Ok(package.features.clone().into_iter().collect())
    }

    /// Passes the compiler the builds of the crates that a program names.
    pub(crate) fn link(
        &self,
        command: &mut Command,
        program: &str,
    ) -> Result<(), String> {
        let libraries = self.libraries()?;
        let folders: BTreeSet<_> =
            libraries.values().flatten().filter_map(|l| l.parent()).collect();
        for folder in folders {
            let mut dependencies = OsString::from("dependency=");
            dependencies.push(folder);
            command.arg("-L").arg(dependencies);
        }
        for (name, version) in self.named(program)? {
            let extern_name = name.replace('-', "_");
            let of_package = libraries.get(&(name.clone(), version));
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
}
