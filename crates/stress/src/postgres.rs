//! A PostgreSQL server for the tests of a chapter.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// The URL of a PostgreSQL server that this process starts, once. `None`, and a
/// note, where PostgreSQL is not installed.
///
/// # Panics
///
/// If it is not installed and `CI=true`, or the server does not start.
pub fn postgres() -> Option<&'static str> {
    static SERVER: LazyLock<Option<Server>> = LazyLock::new(start);
    let url = SERVER.as_ref().map(|server| server.url.as_str());
    if url.is_none() {
        let ci = env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "PostgreSQL is not installed");
        eprintln!("skipped: PostgreSQL is not installed");
    }
    url
}

struct Server {
    url: String,
    /// The server ends when its standard input does, which this process holds.
    _child: Option<Child>,
}

/// The status with which the script says that there is no PostgreSQL.
const NOT_INSTALLED: i32 = 3;

fn start() -> Option<Server> {
    // Without cargo, it is `mutate` that runs the tests, and has a server.
    let Ok(package) = env::var("CARGO_MANIFEST_DIR") else {
        let url = env::var("DATABASE_URL").expect("the URL of a server");
        return Some(Server { url, _child: None });
    };
    let script = Path::new(&package).join("../../tests/throwaway-postgres");
    let mut child = Command::new(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the script that starts PostgreSQL");
    let stdout = child.stdout.take().expect("it is piped");
    let mut url = String::new();
    BufReader::new(stdout).read_line(&mut url).expect("a line");
    if !url.is_empty() {
        let url = url.trim().to_owned();
        return Some(Server { url, _child: Some(child) });
    }
    let mut why = String::new();
    let mut stderr = child.stderr.take().expect("it is piped");
    stderr.read_to_string(&mut why).expect("a text");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(NOT_INSTALLED), "{why}");
    None
}
