//! The plan for a port, by the command `port`. It is a package of its own, which
//! the first `cargo run` does not build.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Error, anyhow};

use crate::failed;
use crate::recipes::{cargo, no_cargo};

/// Builds the command if need be, and replaces this process with it.
///
/// Returns only if it cannot be built or started.
pub fn run(root: &Path, arguments: &[OsString]) -> Error {
    let target = root.join("target/port");
    let command = target.join("release/port");
    let mut cargo = cargo(root);
    cargo.args(["build", "--release", "--locked", "--manifest-path"]);
    cargo.arg("crates/port/Cargo.toml").arg("--target-dir").arg(&target);
    // The first build takes a while, and cargo shows how far it is.
    if command.exists() {
        cargo.arg("--quiet");
    }
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(_) => {
            return anyhow!(
                "cannot build the command `port`\n\
                 help: cargo says above what is missing"
            );
        }
        Err(error) => return no_cargo()(error),
    }
    let mut port = Command::new(&command);
    port.arg("--book").arg(root).args(arguments);
    failed(
        "cannot start the command `port`",
        "run `cargo clean`, and try again",
    )(port.exec())
}
