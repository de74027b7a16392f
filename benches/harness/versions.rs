//! The day of a run, and the versions of what it has measured.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The day in UTC: `2026-11-28`.
pub fn today() -> Result<String> {
    output(Command::new("date").args(["-u", "+%F"]))
}

/// Runs a command, and returns its standard output. If it fails, the error is
/// what it has written to standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output();
    let output = output.with_context(|| format!("{command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The versions of the compiler, and of these packages in Cargo.lock.
pub fn rust_versions(packages: &[&str]) -> Result<BTreeMap<String, String>> {
    let rustc = output(Command::new("rustc").arg("--version"))?;
    let rustc = rustc.split(' ').nth(1).context("rustc's version")?;
    let mut versions = BTreeMap::from([("rustc".to_owned(), rustc.to_owned())]);
    let lock = fs::read_to_string("Cargo.lock")?;
    let lock: toml::Table = lock.parse()?;
    let locked = lock["package"].as_array().context("packages")?;
    for &name in packages {
        let of_name =
            |package: &&toml::Value| package["name"].as_str() == Some(name);
        let package = locked.iter().find(of_name);
        let version = package.and_then(|package| package["version"].as_str());
        versions.insert(
            name.to_owned(),
            version.context(name.to_owned())?.to_owned(),
        );
    }
    Ok(versions)
}

/// The versions of the SQLite in sqlx, and of PostgreSQL if it is installed.
pub fn database_versions() -> Result<BTreeMap<String, String>> {
    let sqlite = libsqlite3_sys::SQLITE_VERSION.to_str()?.to_owned();
    let mut versions = BTreeMap::from([("SQLite in sqlx".to_owned(), sqlite)]);
    let script = "for folder in /usr/lib/postgresql/*/bin; do \
                  PATH=$PATH:$folder; done; postgres --version";
    // postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
    if let Ok(text) = output(Command::new("sh").args(["-c", script])) {
        let postgres = text.split(' ').nth(2).context("its version")?;
        versions.insert("PostgreSQL".to_owned(), postgres.to_owned());
    }
    Ok(versions)
}
