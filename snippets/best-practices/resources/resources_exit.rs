// ANCHOR: all
use std::env::{args, current_exe};
use std::process::{ExitCode, exit};

use tempfile::{NamedTempFile, TempDir};
use tokio::process::Command;

// ANCHOR: broken
async fn end_the_process(_label: NamedTempFile) -> ExitCode {
    exit(1)
}
// ANCHOR_END: broken

// ANCHOR: fixed
async fn end_main(_label: NamedTempFile) -> ExitCode {
    ExitCode::from(1)
}
// ANCHOR_END: fixed

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    match args().nth(1).as_deref() {
        Some("exit") => Ok(end_the_process(NamedTempFile::new()?).await),
        Some("return") => Ok(end_main(NamedTempFile::new()?).await),
        _ => both().await,
    }
}

async fn both() -> anyhow::Result<ExitCode> {
    // The program runs itself, with a folder for its temporary files.
    for (end, expected) in [("exit", 1), ("return", 0)] {
        let folder = TempDir::new()?;
        let mut program = Command::new(current_exe()?);
        program.arg(end).env("TMPDIR", folder.path()).kill_on_drop(true);
        let status = program.status().await?;
        assert_eq!(status.code(), Some(1), "both report a failure");
        let left = folder.path().read_dir()?.count();
        println!("{end}: files left: {left}");
        assert_eq!(left, expected);
    }
    Ok(ExitCode::SUCCESS)
}
// ANCHOR_END: all
