//! The Run buttons of the served pages.

use std::io::{BufRead, BufReader};
use std::thread;
use std::time::Duration;

use crate::support::book::{PRINT, TestBook};
use crate::support::server::{END, Server, link};
use crate::{LIMIT, with_command};

#[test]
fn a_run_is_a_stream_of_events() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let server = book.serve_programs();
        let response = server.run("find_parcel");
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.header("content-type"), "application/x-ndjson");
        let lines = response.lines();
        assert_eq!(lines[0], "{\"building\":\"find_parcel\"}");
        let compiles = |lines: &[&str]| {
            let line = "{\"progress\":\"Compiling parcels";
            lines.iter().any(|l| l.starts_with(line))
        };
        assert!(compiles(&lines), "{lines:?}");
        let started = lines.iter().position(|l| *l == "{\"started\":true}");
        let ran = &lines[started.expect("it starts")..];
        // stdin is empty, and so is the folder.
        let output = "{\"stdout\":\"parcel \\n\"}";
        assert!(ran.contains(&output), "{ran:?}");
        let stderr: String = ran.iter().filter_map(|l| stderr_of(l)).collect();
        assert_eq!(stderr, "at the root: Ok(false)\n", "no book.toml");
        let last = ran.last().expect("an end");
        assert!(last.starts_with("{\"exit\":7,\"seconds\":0."), "{last}");

        let again = server.run("find_parcel");
        let again = again.lines();
        assert!(!compiles(&again), "{again:?}");
        assert!(again.contains(&output), "{again:?}");

        book.program("find_parcel_unknown", "unknown");
        let response = server.run("find_parcel_unknown");
        assert_eq!(
            response.lines().pop(),
            Some(
                "{\"failed\":\"cargo cannot build find_parcel_unknown\\nhelp: \
                 `cargo build --example find_parcel_unknown` shows why\"}"
            )
        );
        assert!(response.body.contains("cannot find value `unknown`"));

        book.program(
            "find_parcel_unknown",
            "loop { println!(\"{}\", \"°\".repeat(40_000)); }",
        );
        let response = server.run("find_parcel_unknown");
        let last = response.lines().pop().expect("an end");
        assert!(last.contains("\"stopped\":\"output\""), "{last}");
        assert!(response.body.len() < 2 << 20, "{}", response.body.len());
        assert!(response.body.contains("°°°"), "{response:?}");
        assert!(!response.body.contains('\u{fffd}'), "a character is whole");

        book.program("find_parcel_unknown", "std::process::abort();");
        let response = server.run("find_parcel_unknown");
        let last = response.lines().pop().expect("an end");
        assert!(last.contains("\"signal\":6"), "{last}");
        assert_eq!(server.terminate().stderr, "");
        book.nothing_is_left();
    });
}

/// The piece of a program's stderr in an event; it may be a part of a line.
fn stderr_of(event: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
    event["stderr"].as_str().map(ToOwned::to_owned)
}

#[test]
fn a_run_without_cargo_fails() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["--port", "0"]);
        let server = Server::start(command.env("CARGO", book.at("no-cargo")));
        assert_eq!(
            server.run("find_parcel").body,
            "{\"failed\":\"cannot start cargo: No such file or directory (os \
             error 2)\\nhelp: install Rust from https://rustup.rs, or put \
             cargo on the PATH\"}\n"
        );
    });
}

#[test]
fn only_the_book_s_own_pages_can_run_a_program() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let (address, port) = (&server.address, server.port());
        let run = "/run/find_parcel";
        for origin in [
            String::new(),
            "Origin: null\r\n".to_owned(),
            "Origin: http://evil.example\r\n".to_owned(),
            format!("Origin: https://{address}\r\n"),
            format!("Origin: http://localhost:{port}\r\n"),
            format!("Origin: http://{address}.evil.example\r\n"),
            format!("Origin: http://{address}\r\nHost: {address}\r\n"),
        ] {
            let response = server.request("POST", run, &origin);
            let refused = [400, 403].contains(&response.status);
            assert!(refused, "{origin}: {}", response.status);
            assert!(!response.body.contains("started"), "{origin}");
        }
        let foreign = format!("evil.example:{port}");
        let lines = format!("Origin: http://{foreign}\r\n");
        let response = server.request_as(&foreign, "POST", run, &lines);
        assert_eq!(response.status, 403, "a foreign name that leads here");
        assert!(response.body.contains("own pages"), "{}", response.body);
        assert_eq!(response.body.lines().count(), 1);
        for method in ["GET", "PUT"] {
            assert_eq!(server.request(method, run, "").status, 405, "{method}");
        }
    });
}

#[test]
fn a_run_needs_the_name_of_a_recipe() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        for name in [
            "find_pracel",
            "--list",
            "..%2fexamples%2ffind_parcel",
            "%2fbin%2fsh",
            "$(touch%20hacked)",
            "find_parcel;touch%20hacked",
            "find_parcel%00",
        ] {
            let response = server.run(name);
            assert_eq!(response.status, 404, "{name}");
            let text = response.body;
            let error = "no recipe is called `";
            assert!(text.starts_with(error), "{name}: {text}");
            let help = "`cargo run list` shows all names\n";
            assert!(text.ends_with(help), "{name}: {text}");
            assert_eq!(text.lines().count(), 2, "{name}: {text}");
        }
        assert!(!book.at("hacked").exists());

        let fence = "\n```\nx\n```\n";
        book.append(PRINT, fence);
        let response = server.run("find_parcel");
        assert_eq!(response.status, 409);
        assert!(response.body.contains("print-label.md"), "{}", response.body);
    });
}

#[test]
fn lines_are_sent_while_the_program_runs() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let listener = book.endless_program("find_parcel_unknown");
        let server = book.serve_programs();
        let response = server.start_run("find_parcel_unknown");
        let run = listener.accept();
        let lines = BufReader::new(&response).lines();
        let mut lines = lines.map(|line| line.expect("the next line"));
        assert!(lines.any(|line| line == "{\"stdout\":\"running\\n\"}"));
        drop(response);
        run.ends();
    });
}

#[test]
fn closing_the_connection_stops_the_program_and_frees_its_permit() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let listener = book.endless_program("find_parcel_unknown");
        let server = book.serve_programs();
        let first = server.start_run("find_parcel_unknown");
        let first_run = listener.accept();
        let second = server.start_run("find_parcel_unknown");
        let second_run = listener.accept();
        let third = server.run("find_parcel");
        assert_eq!(third.status, 503);
        assert!(third.body.contains("too many"), "{}", third.body);

        drop(first);
        first_run.ends();
        let free = (0..LIMIT.as_millis() / 10).any(|_| {
            thread::sleep(Duration::from_millis(10));
            server.run("find_parcel").status == 200
        });
        assert!(free, "the permit of the first run");
        drop(second);
        second_run.ends();
    });
}

#[test]
fn no_program_outlives_the_server() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let listener = book.endless_program("find_parcel_unknown");
        for signal in ["INT", "TERM"] {
            let server = book.serve_programs();
            let _response = server.start_run("find_parcel_unknown");
            let run = listener.accept();
            let end = server.end_by(signal, END);
            assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
            run.ends();
            book.nothing_is_left();
        }
    });
}

#[test]
fn only_a_served_book_has_the_scripts_of_the_server() {
    with_command(|| {
        let book = TestBook::new();
        let scripts = "\n[output.html]\nadditional-js = [\"theme/depot.js\"]\n";
        book.append("book.toml", scripts);
        book.write("theme/depot.js", "// depot");
        book.write("theme/run.js", "// run");
        let server = book.serve(&["--port", "0"]);
        let page = server.get("/").body;
        for script in ["theme/depot", "theme/run"] {
            let link = link(&page, script, ".js");
            assert_eq!(server.get(&format!("/{link}")).status, 200, "{link}");
        }
        assert!(book.run(&["build", "--dest", "out"]).status.success());
        let page = book.read("out/index.html");
        assert!(page.contains("theme/depot") && !page.contains("theme/run"));
        assert!(!page.contains("WebSocket"), "live reload");
    });
}
