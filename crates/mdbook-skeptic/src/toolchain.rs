//! The programs that the guard calls, the folder of the builds, and what the
//! environment asks for.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn cargo() -> String {
    env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

pub(crate) fn rustc() -> String {
    env::var("RUSTC").unwrap_or_else(|_| "rustc".into())
}

/// What `rustc -vV` prints.
pub(crate) fn compiler_version() -> Option<String> {
    let output = Command::new(rustc()).arg("-vV").output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// The compiler, or clippy's for one of its lints.
pub(crate) fn compiler(expected: &str) -> Result<PathBuf, String> {
    if !expected.starts_with("clippy::") {
        return Ok(rustc().into());
    }
    let sysroot = Command::new(rustc())
        .args(["--print", "sysroot"])
        .output()
        .map_err(|error| format!("cannot run rustc: {error}"))?;
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    let driver = format!("clippy-driver{}", env::consts::EXE_SUFFIX);
    let driver = Path::new(&sysroot).join("bin").join(driver);
    if driver.exists() {
        Ok(driver)
    } else {
        Err("clippy is not installed: rustup component add clippy".into())
    }
}

/// CPython.
#[derive(Debug, Clone, Hash)]
pub(crate) struct Python {
    pub program: PathBuf,
    /// The folder of its packages.
    pub packages: PathBuf,
    pub version: String,
}

impl Python {
    /// The `.venv` of the book in `root`, else `python3`.
    ///
    /// # Errors
    ///
    /// If there is none, or one older than 3.11.
    pub(crate) fn find(root: &Path) -> Result<Python, String> {
        const ASK: &str = "import sys, sysconfig; \
            print(sysconfig.get_path('purelib')); print(sys.version); \
            sys.exit(sys.version_info < (3, 11))";
        let own = root.join(".venv/bin/python");
        let program = if own.exists() { own } else { "python3".into() };
        let output = Command::new(&program).args(["-I", "-c", ASK]).output();
        let found = output.ok().filter(|output| output.status.success());
        let said = found.and_then(|it| String::from_utf8(it.stdout).ok());
        let said = said.as_deref().and_then(|said| said.split_once('\n'));
        let (packages, version) = said.ok_or("no CPython 3.11 or later")?;
        let (packages, version) = (packages.into(), version.to_owned());
        Ok(Python { program, packages, version })
    }
}

/// The folder in `target/` with the builds of this process's profile; `None`
/// for a command that is installed.
pub(crate) fn profile_folder() -> Option<PathBuf> {
    let running = env::current_exe().ok()?;
    let mut folders = running.ancestors();
    let folder = folders.find(|folder| folder.join("deps").is_dir())?;
    Some(folder.to_owned())
}

/// Whether a check that cannot run on this machine fails: with `CI=true`.
pub(crate) fn skips_fail() -> bool {
    env::var("CI").is_ok_and(|ci| ci == "true")
}

/// Whether to run what has passed before: with `CI=true` or `SKEPTIC_FRESH`.
pub(crate) fn is_fresh() -> bool {
    skips_fail() || env::var_os("SKEPTIC_FRESH").is_some()
}

/// Set for a check in a process of its own, which reports nothing itself: the
/// process that has started it does.
pub(crate) const CHILD: &str = "MDBOOK_SKEPTIC_CHILD";

pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}
