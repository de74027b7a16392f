//! Runs a recipe's program when a reader presses Run.
//!
//! Parts of it are programs of the page "How this book is served".

#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../../snippets/how-it-is-served/bounded_answers.rs"]
mod bounded_answers;
#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../../snippets/how-it-is-served/process_group.rs"]
mod process_group;
#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../../snippets/how-it-is-served/stream_output.rs"]
mod stream_output;

use std::io;
use std::mem;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::str;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use async_stream::try_stream;
use axum::extract::{self, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio_stream::{Stream, StreamExt};

use crate::{failed, recipes};
use bounded_answers::answer;
use process_group::Group;
use stream_output::{Said, listen};

/// The number of programs that are built or run at the same time.
const PERMITS: usize = 2;
/// The timeout of a program, and the limit of its output in bytes.
const PROGRAM: (Duration, usize) = (Duration::from_secs(60), 1 << 20);
/// The same for cargo, which builds it.
const BUILD: (Duration, usize) = (Duration::from_secs(600), 64 << 20);

#[derive(Clone)]
struct Runner {
    /// The book's folder.
    root: Arc<Path>,
    permits: Arc<Semaphore>,
}

/// Answers `POST /run/{name}` for the book in this folder.
pub fn route<S>(root: &Path) -> MethodRouter<S> {
    let permits = Arc::new(Semaphore::new(PERMITS));
    post(run).with_state(Runner { root: root.into(), permits })
}

async fn run(
    State(runner): State<Runner>,
    extract::Path(name): extract::Path<String>,
) -> Response {
    let root = Arc::clone(&runner.root);
    let found = spawn_blocking(move || {
        let recipes = recipes::load(&root);
        let recipes = recipes.map_err(|e| (StatusCode::CONFLICT, e))?;
        let recipe = recipes::find(&recipes, &name);
        let recipe = recipe.map_err(|e| (StatusCode::NOT_FOUND, e))?;
        Ok(recipe.name().to_owned())
    });
    match found.await {
        Ok(Ok(name)) => {
            let lines = events(runner.root, name).map(|event| {
                let event = event.unwrap_or_else(
                    |error: anyhow::Error| json!({"failed": format!("{error:#}")}),
                );
                format!("{event}\n")
            });
            answer(&runner.permits, lines)
        }
        Ok(Err((status, error))) => {
            (status, format!("{error:#}\n")).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Builds a recipe's program and runs it; yields each event as it happens.
fn events(root: Arc<Path>, name: String) -> impl Stream<Item = Result<Value>> {
    try_stream! {
        let mut cargo = Command::from(recipes::cargo(&root));
        cargo.args(["build", "--color=never", "--example", &name]);
        cargo.arg("--message-format=json-render-diagnostics");
        let mut messages = Vec::new();
        let mut progress = Vec::new();
        let mut building = false;
        let mut output = pin!(spawn(cargo, BUILD));
        while let Some(event) = output.next().await {
            match event.map_err(recipes::no_cargo())? {
                Said::Stdout(bytes) => messages.extend_from_slice(&bytes),
                Said::Stderr(bytes) => {
                    progress.extend_from_slice(&bytes);
                    while let Some(line) = first_line(&mut progress) {
                        if line.is_empty() || line.starts_with("Finished") {
                            continue;
                        }
                        if !mem::replace(&mut building, true) {
                            yield json!({"building": name});
                        }
                        yield json!({"progress": line});
                    }
                }
                Said::Exit(status) if status.success() => {}
                _ => Err(anyhow!(
                    "cargo cannot build {name}\n\
                     help: `cargo build --example {name}` shows why"
                ))?,
            }
        }
        let program = executable(&messages, &name)?;

        yield json!({"started": true});
        let folder = TempDir::with_prefix("async-cookbook-").map_err(failed(
            "cannot create a temporary folder",
            "set TMPDIR to a folder that you can write to",
        ))?;
        let mut command = Command::new(program);
        command.current_dir(folder.path());
        for variable in ["TMPDIR", "TMP", "TEMP"] {
            command.env(variable, folder.path());
        }
        let start = Instant::now();
        let (mut stdout, mut stderr) = (Text::default(), Text::default());
        let mut output = Box::pin(spawn(command, PROGRAM));
        let mut end = loop {
            let event = output.next().await.expect("it ends with an event");
            let cannot = format!("cannot run {name}");
            match event.map_err(failed(cannot, "press Run again"))? {
                Said::Stdout(b) => yield json!({"stdout": stdout.push(&b)}),
                Said::Stderr(b) => yield json!({"stderr": stderr.push(&b)}),
                Said::Exit(status) => break exit(status),
                Said::TooLong => break json!({"stopped": "time"}),
                Said::TooMuch => break json!({"stopped": "output"}),
            }
        };
        drop(output);
        drop(folder);
        end["seconds"] = start.elapsed().as_secs_f64().into();
        yield end;
    }
}

/// Spawns a command, and yields its output and its end. When the stream is
/// dropped, the command and all processes that it has started are killed.
fn spawn(
    mut command: Command,
    (time, bytes): (Duration, usize),
) -> impl Stream<Item = io::Result<Said>> {
    try_stream! {
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let mut events = pin!(listen(&mut group.leader, time, bytes));
        while let Some(event) = events.try_next().await? {
            yield event;
        }
    }
}

/// Removes the first whole line from a text that is still being received.
fn first_line(text: &mut Vec<u8>) -> Option<String> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let line: Vec<u8> = text.drain(..=end).collect();
    Some(String::from_utf8_lossy(&line).trim().to_owned())
}

/// The path of the program in cargo's messages about the build.
fn executable(messages: &[u8], name: &str) -> Result<PathBuf> {
    let messages = serde_json::Deserializer::from_slice(messages);
    let messages = messages.into_iter::<Value>().filter_map(Result::ok);
    let mut programs = messages
        .filter(|message| message["target"]["name"] == *name)
        .filter_map(|message| Some(message["executable"].as_str()?.into()));
    programs.next().with_context(|| {
        format!(
            "cargo does not name the program that it has built\n\
             help: run it with `cargo run --example {name}`"
        )
    })
}

fn exit(status: ExitStatus) -> Value {
    match status.signal() {
        Some(signal) => json!({"signal": signal}),
        None => json!({"exit": status.code()}),
    }
}

/// Decodes UTF-8 that is received in pieces. A piece may end within a
/// character: its first bytes are kept until the rest is received.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn push(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let last = self.0.utf8_chunks().last();
        let last = last.map(|chunk| chunk.invalid()).unwrap_or_default();
        let incomplete = str::from_utf8(last)
            .is_err_and(|error| error.error_len().is_none());
        let end = self.0.len() - if incomplete { last.len() } else { 0 };
        let rest = self.0.split_off(end);
        let complete = mem::replace(&mut self.0, rest);
        String::from_utf8_lossy(&complete).into_owned()
    }
}
