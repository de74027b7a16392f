// ANCHOR: all
use std::env::{args, current_exe};
use std::process::{ExitCode, exit};

use tempfile::{NamedTempFile, TempDir};
use tokio::process::Command;

// ANCHOR: broken
/// Broken: ends the process, and drops nothing before.
async fn give_up() -> anyhow::Result<ExitCode> {
    let _draft = NamedTempFile::new()?;
    exit(1)
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Fixed: returns, and lets `main` end the process.
async fn report() -> anyhow::Result<ExitCode> {
    let _draft = NamedTempFile::new()?;
    Ok(ExitCode::from(1))
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    match args().nth(1).as_deref() {
        Some("exit") => return give_up().await,
        Some("return") => return report().await,
        _ => {}
    }
    // The program runs itself, with a folder for its temporary files.
    for (end, expected) in [("exit", 1), ("return", 0)] {
        let folder = TempDir::new()?;
        let mut program = Command::new(current_exe()?);
        program.arg(end).env("TMPDIR", folder.path()).kill_on_drop(true);
        let status = program.status().await?;
        assert_eq!(status.code(), Some(1), "both report a failure");
        let left = folder.path().read_dir()?.count();
        println!("{end}: {left} left");
        assert_eq!(left, expected);
    }
    Ok(ExitCode::SUCCESS)
}
// ANCHOR_END: all
