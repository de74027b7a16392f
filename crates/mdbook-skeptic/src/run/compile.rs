//! `rust,compile_fail`: the error shown is the compiler's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::sandbox;
use super::workspace::Workspace;
use crate::beside::Beside;
use crate::toolchain;

/// What the compiler says of a program, as a reader sees it who has pasted the
/// program into `src/main.rs` and what lies beside it next to `src`.
///
/// # Errors
///
/// If the program compiles, fails with another error, or with more than this.
pub(crate) fn message(
    workspace: &Workspace,
    program: &str,
    beside: Option<&Beside>,
    expected: &str,
) -> Result<String, String> {
    let folder = sandbox::folder()?;
    let source = folder.path().join("src");
    fs::create_dir(&source)
        .and_then(|()| fs::write(source.join("main.rs"), program))
        .map_err(|error| format!("cannot write the program: {error}"))?;

    let compile = |ask: &[&str]| {
        let mut command = Command::new(toolchain::compiler(expected)?);
        command
            .current_dir(folder.path())
            .args(["src/main.rs", "--crate-name", "main", "--edition=2024"])
            .args(["--crate-type=bin", "--emit=metadata", "-o", "main.rmeta"])
            .args(["--error-format=json", "--cap-lints=warn"])
            .args(ask)
            .env_remove("RUSTFLAGS")
            // As for a reader who builds it there.
            .env_remove("DATABASE_URL");
        match beside {
            Some(beside) => {
                let (name, folder) = beside.environment(&workspace.root);
                command.env(name, folder)
            }
            None => command.env("CARGO_MANIFEST_DIR", folder.path()),
        };
        workspace.link(&mut command, program)?;
        let output = command.output();
        output.map_err(|error| format!("cannot run the compiler: {error}"))
    };
    let mut output = compile(&[])?;
    // A lint that is off by default is asked for; the message says so.
    if output.stderr.is_empty() && is_lint(expected) {
        output = compile(&["-W", expected])?;
    }
    let messages = String::from_utf8_lossy(&output.stderr);
    let mut rendered = String::new();
    let mut others = Vec::new();
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            return Err(format!("the compiler failed:\n{messages}"));
        };
        let text = message["rendered"].as_str().unwrap_or_default();
        match message["code"]["code"].as_str() {
            Some(code) if code == expected => rendered.push_str(text),
            // "aborting due to …", "3 warnings emitted"
            None if no_spans(&message) => {}
            None if expected == NO_CODE => rendered.push_str(text),
            _ => others.push(text.to_owned()),
        }
    }
    if rendered.is_empty() && others.is_empty() {
        return Err(format!("it compiles; {expected} was expected"));
    }
    if rendered.is_empty() {
        return Err(format!("not {expected}, but:\n{}", others.concat()));
    }
    if !others.is_empty() {
        return Err(format!("more than {expected}:\n{}", others.concat()));
    }
    Ok(normalise(&rendered))
}

/// For errors that have none: "future cannot be sent between threads safely".
const NO_CODE: &str = "no_code";

pub(crate) fn is_lint(expected: &str) -> bool {
    expected != NO_CODE && !expected.starts_with('E')
}

fn no_spans(message: &Value) -> bool {
    message["spans"].as_array().is_none_or(Vec::is_empty)
}

/// Compiles a program into a folder, outside of any package.
pub(crate) fn program(
    workspace: &Workspace,
    program: &str,
    beside: Option<&Beside>,
    folder: &Path,
    arguments: &[&str],
) -> Result<PathBuf, String> {
    let source = folder.join("main.rs");
    fs::write(&source, program)
        .map_err(|error| format!("cannot write the program: {error}"))?;
    let target = folder.join("main");
    let mut command = Command::new(toolchain::rustc());
    command.args(arguments).args(["--edition=2024", "-o"]);
    command.args([&target, &source]);
    if let Some(beside) = beside {
        let (name, folder) = beside.environment(&workspace.root);
        command.env(name, folder);
    }
    workspace.link(&mut command, program)?;
    let output = command
        .output()
        .map_err(|error| format!("cannot run the compiler: {error}"))?;
    if output.status.success() {
        return Ok(target);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Compiles the part of a program that a reader keeps: alone, as a library.
///
/// # Errors
///
/// If that gives an error or a warning. That nothing uses it yet is none.
pub(crate) fn library(
    workspace: &Workspace,
    part: &str,
    beside: Option<&Beside>,
) -> Result<(), String> {
    let folder = sandbox::folder()?;
    let arguments = ["--crate-type=lib", "--emit=metadata"];
    program(workspace, &as_library(part), beside, folder.path(), &arguments)
        .map(drop)
        .map_err(|why| {
            format!("is unknown, for it does not compile alone:\n{why}")
        })
}

/// A part as the text of a library.
pub(crate) fn as_library(part: &str) -> String {
    format!("#![deny(warnings)]\n#![allow(dead_code)]\n{part}")
}

/// Where the sources of crates and of Rust itself lie is each machine's own.
fn normalise(message: &str) -> String {
    static CRATE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\S*[/\\]registry[/\\]src[/\\][^/\\\s]+[/\\]")
            .expect("a valid pattern")
    });
    static RUST: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\S*[/\\](lib[/\\]rustlib[/\\]src[/\\]rust|rustc[/\\][0-9a-f]{40})[/\\]library[/\\]")
            .expect("a valid pattern")
    });
    let message = CRATE.replace_all(message, "");
    let message = RUST.replace_all(&message, "library/");
    let lines: Vec<&str> =
        message.trim_end().lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_machine_are_taken_out() {
        let home =
            "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f";
        let rust = "/home/me/.rustup/toolchains/stable/lib/rustlib/src/rust";
        let hash = "0123456789".repeat(4);
        let message = format!(
            "  --> {home}/tokio-1.54.1/src/task/spawn.rs:1:2\n\
             --> {rust}/library/core/src/a.rs:3:4  \n\
             --> /rustc/{hash}/library/core/src/a.rs:3:4\n\n"
        );
        assert_eq!(
            normalise(&message),
            "  --> tokio-1.54.1/src/task/spawn.rs:1:2\n\
             --> library/core/src/a.rs:3:4\n\
             --> library/core/src/a.rs:3:4\n"
        );
    }
}
