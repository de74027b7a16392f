//! A process that is never left behind, nor waited for without a limit.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::{COMMAND, LIMIT};

/// The command that is tested.
pub fn cookbook(arguments: &[&str]) -> Command {
    let mut command = Command::new(COMMAND);
    command.args(arguments);
    // No error shows a backtrace, even if one is asked for.
    command.env("RUST_BACKTRACE", "full");
    // The book's programs connect to their own servers.
    command.env("NO_PROXY", "127.0.0.1");
    command
}

/// A process that is killed when it is dropped.
pub struct Running {
    pub child: Child,
    pub stdout: Receiver<String>,
    pub stderr: Receiver<String>,
}

/// The exit status and the output of a process.
pub struct End {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Running {
    /// Starts it with an empty stdin; its output is read.
    pub fn start(command: &mut Command) -> Running {
        Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))
    }

    /// Starts it with the stdin and stdout of the command.
    pub fn spawn(command: &mut Command) -> Running {
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command has been built");
        let stdout = child.stdout.take().map(lines).unwrap_or_else(nothing);
        let stderr = child.stderr.take().map(lines).unwrap_or_else(nothing);
        Running { child, stdout, stderr }
    }

    /// Waits for the end, which closes both streams.
    pub fn end(mut self, limit: Duration) -> End {
        let stdout = rest(&self.stdout, limit);
        let stderr = rest(&self.stderr, limit);
        let status = self.child.wait().expect("a child of this process");
        End { status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The lines of a stream, with their ends, as they are received.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if tx.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    rx
}

fn nothing() -> Receiver<String> {
    mpsc::channel().1
}

/// The lines until the stream ends.
pub fn rest(lines: &Receiver<String>, limit: Duration) -> String {
    let mut text = String::new();
    loop {
        match lines.recv_timeout(limit) {
            Ok(line) => text += &line,
            Err(RecvTimeoutError::Disconnected) => return text,
            Err(RecvTimeoutError::Timeout) => {
                panic!("it has not ended within {limit:?}; so far: {text}")
            }
        }
    }
}

pub fn finish(command: &mut Command) -> End {
    Running::start(command).end(LIMIT)
}

/// Runs a command that must fail, and returns what it prints about that.
pub fn error_of(command: &mut Command) -> String {
    let End { status, stdout, stderr } = finish(command);
    assert_eq!(status.code(), Some(1), "{stdout}{stderr}");
    assert_eq!(stdout, "");
    stderr
}
