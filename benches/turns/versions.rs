//! When, and of what, something was measured.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

pub fn today() -> Result<String> {
    output(Command::new("date").args(["-u", "+%F"]))
}

/// What a command prints; its errors, if it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output();
    let output = output.with_context(|| format!("{command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Of the compiler, and of packages in Cargo.lock.
pub fn rust_versions(packages: &[&str]) -> Result<BTreeMap<String, String>> {
    let rustc = output(Command::new("rustc").arg("--version"))?;
    let rustc = rustc.split(' ').nth(1).context("rustc's version")?;
    let mut versions = BTreeMap::from([("rustc".to_owned(), rustc.to_owned())]);
    let lock = fs::read_to_string(format!("{ROOT}/Cargo.lock"))?;
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
