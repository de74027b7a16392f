// ANCHOR: all
use std::env;
use std::future::pending;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

struct Centrifuge;

impl Drop for Centrifuge {
    fn drop(&mut self) {
        println!("put away");
    }
}

// ANCHOR: work
/// What runs in a process of its own.
async fn lab(listens: bool) -> anyhow::Result<()> {
    let _centrifuge = Centrifuge;
    if listens {
        let mut term = signal(SignalKind::terminate())?;
        println!("at work");
        term.recv().await;
    } else {
        println!("at work");
        pending::<()>().await;
    }
    Ok(())
}
// ANCHOR_END: work

/// What the process says after SIGTERM.
async fn last_words(listens: &str) -> anyhow::Result<String> {
    let mut lab = Command::new(env::current_exe()?)
        .arg(listens)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(lab.stdout.take().expect("a pipe"));
    let mut words = String::new();
    output.read_line(&mut words).await?;
    let pid = lab.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    kill_process(pid.expect("it is at work"), Signal::TERM)?;
    output.read_to_string(&mut words).await?;
    lab.wait().await?;
    Ok(words.trim_end().replace('\n', ", "))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    if let Some(listens) = env::args().nth(1) {
        return lab(listens == "listens").await;
    }
    let deaf = last_words("is deaf").await?;
    println!("is deaf: {deaf}");
    assert_eq!(deaf, "at work");

    let listens = last_words("listens").await?;
    println!("listens: {listens}");
    assert_eq!(listens, "at work, put away");
    Ok(())
}
// ANCHOR_END: all
