//! Runs a recipe's program for a reader of the served book.
//!
//! The parts are programs of the page "How this book is served".

#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../snippets/serving/bounded_answers.rs"]
mod bounded_answers;
#[expect(dead_code, reason = "with the program that shows it on its page")]
#[cfg(unix)]
#[path = "../../snippets/serving/process_group.rs"]
mod process_group;
#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../snippets/serving/same_origin.rs"]
mod same_origin;
#[expect(dead_code, reason = "with the program that shows it on its page")]
#[path = "../../snippets/serving/stream_output.rs"]
mod stream_output;

use std::io;
use std::mem;
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
use axum::middleware::from_fn_with_state;
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
use same_origin::same_origin;
use stream_output::{Said, listen};

/// So many readers' programs are built or run at the same time.
const PLACES: usize = 2;
/// What a program may take: time, and bytes of output.
const PROGRAM: (Duration, usize) = (Duration::from_secs(60), 1 << 20);
/// What cargo may take to build one.
const BUILD: (Duration, usize) = (Duration::from_secs(600), 64 << 20);

#[derive(Clone)]
struct Kitchen {
    root: Arc<Path>,
    places: Arc<Semaphore>,
}

/// Answers `POST /run/{name}` on this port, for the book in this folder.
pub fn route<S>(root: &Path, port: u16) -> MethodRouter<S> {
    let places = Arc::new(Semaphore::new(PLACES));
    post(run)
        .route_layer(from_fn_with_state(port, same_origin))
        .with_state(Kitchen { root: root.into(), places })
}

async fn run(
    State(kitchen): State<Kitchen>,
    extract::Path(name): extract::Path<String>,
) -> Response {
    let root = Arc::clone(&kitchen.root);
    let found = spawn_blocking(move || {
        let recipes = recipes::load(&root);
        let recipes = recipes.map_err(|e| (StatusCode::CONFLICT, e))?;
        let recipe = recipes::find(&recipes, &name);
        let recipe = recipe.map_err(|e| (StatusCode::NOT_FOUND, e))?;
        Ok(recipe.name().to_owned())
    });
    match found.await {
        Ok(Ok(name)) => {
            let lines = events(kitchen.root, name).map(|event| {
                let event = event.unwrap_or_else(
                    |error: anyhow::Error| json!({"failed": format!("{error:#}")}),
                );
                format!("{event}\n")
            });
            answer(&kitchen.places, lines)
        }
        Ok(Err((status, error))) => {
            (status, format!("{error:#}\n")).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Builds a recipe's program and runs it; what happens, as it happens.
fn events(root: Arc<Path>, name: String) -> impl Stream<Item = Result<Value>> {
    try_stream! {
        let mut cargo = Command::from(recipes::cargo(&root));
        cargo.args(["build", "--color=never", "--example", &name]);
        cargo.arg("--message-format=json-render-diagnostics");
        let mut messages = Vec::new();
        let mut progress = Vec::new();
        let mut building = false;
        let mut said = pin!(hear(cargo, BUILD));
        while let Some(said) = said.next().await {
            match said.map_err(recipes::no_cargo())? {
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
                    "{name} does not build; `cargo build --example {name}` \
                     says why"
                ))?,
            }
        }
        let program = executable(&messages, &name)?;

        yield json!({"started": true});
        let folder = TempDir::with_prefix("async-cookbook-").map_err(failed(
            "cannot make a temporary folder",
            "set TMPDIR to a writable one",
        ))?;
        let mut command = Command::new(program);
        command.current_dir(folder.path());
        for variable in ["TMPDIR", "TMP", "TEMP"] {
            command.env(variable, folder.path());
        }
        let begun = Instant::now();
        let mut texts = [Text::default(), Text::default()];
        let mut said = Box::pin(hear(command, PROGRAM));
        let mut last = loop {
            let next = said.next().await.context("it says how it ends")?;
            match next.map_err(failed("cannot run it", "try again"))? {
                Said::Stdout(b) => yield json!({"stdout": texts[0].push(&b)}),
                Said::Stderr(b) => yield json!({"stderr": texts[1].push(&b)}),
                Said::Exit(status) => break exit(status),
                Said::TooLong => break json!({"stopped": "time"}),
                Said::TooMuch => break json!({"stopped": "output"}),
            }
        };
        drop(said);
        drop(folder);
        last["seconds"] = begun.elapsed().as_secs_f64().into();
        yield last;
    }
}

/// Runs a command in a group of its own, which ends with the stream.
fn hear(
    mut command: Command,
    (time, bytes): (Duration, usize),
) -> impl Stream<Item = io::Result<Said>> {
    try_stream! {
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let mut said = pin!(listen(&mut group.leader, time, bytes));
        while let Some(said) = said.try_next().await? {
            yield said;
        }
    }
}

/// Takes the first whole line out of a text that is still coming.
fn first_line(text: &mut Vec<u8>) -> Option<String> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let line: Vec<u8> = text.drain(..=end).collect();
    Some(String::from_utf8_lossy(&line).trim().to_owned())
}

/// The program that cargo says it has built.
fn executable(messages: &[u8], name: &str) -> Result<PathBuf> {
    let messages = serde_json::Deserializer::from_slice(messages);
    let messages = messages.into_iter::<Value>().filter_map(Result::ok);
    let mut programs = messages
        .filter(|message| message["target"]["name"] == *name)
        .filter_map(|message| Some(message["executable"].as_str()?.into()));
    programs.next().with_context(|| {
        format!("cargo names no program; try `cargo run --example {name}`")
    })
}

#[cfg(unix)]
fn exit(status: ExitStatus) -> Value {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => json!({"signal": signal}),
        None => json!({"exit": status.code()}),
    }
}

#[cfg(not(unix))]
fn exit(status: ExitStatus) -> Value {
    json!({"exit": status.code()})
}

/// Without groups only the program itself is killed.
#[cfg(not(unix))]
mod process_group {
    use tokio::process::{Child, Command};

    pub struct Group {
        pub leader: Child,
    }

    impl Group {
        pub fn spawn(command: &mut Command) -> std::io::Result<Group> {
            let leader = command.kill_on_drop(true).spawn()?;
            Ok(Group { leader })
        }
    }
}

/// Text of bytes that come in pieces: a character may come in two of them.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn push(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let last = self.0.utf8_chunks().last();
        let last = last.map(|chunk| chunk.invalid()).unwrap_or_default();
        let begun = str::from_utf8(last)
            .is_err_and(|error| error.error_len().is_none());
        let whole = self.0.len() - if begun { last.len() } else { 0 };
        let rest = self.0.split_off(whole);
        let whole = mem::replace(&mut self.0, rest);
        String::from_utf8_lossy(&whole).into_owned()
    }
}
