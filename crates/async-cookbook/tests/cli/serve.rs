//! `serve`: pages, errors, signals.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, SystemTime};

use flate2::read::GzDecoder;
use url::Url;

use crate::live_reload::{Socket, socket_path};
use crate::support::book::{FIND, PRINT, TestBook};
use crate::support::process::error_of;
use crate::support::server::{END, Server, link};
use crate::{LIMIT, with_command};

#[test]
fn serve_is_the_default_and_takes_its_options() {
    with_command(|| {
        let book = TestBook::new();
        for arguments in [vec!["--port", "0"], vec!["serve", "--port", "0"]] {
            let server = book.serve(&arguments);
            assert!(server.address.starts_with("127.0.0.1:"));
            assert_eq!(server.get("/").status, 200);
            assert_eq!(server.terminate().stderr, "");
        }
    });
}

#[test]
fn serve_sends_pages_and_the_files_that_they_use() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let index = server.get("/");
        assert_eq!(index.status, 200);
        assert!(index.body.contains("Welcome to the depot"));
        assert_eq!(index.header("content-type"), "text/html");
        assert_eq!(index.header("cache-control"), "no-cache");

        let page = server.get("/tracking/find-parcel.html");
        assert_eq!(page.status, 200);
        assert!(page.body.contains("By its number"));

        for (kind, folder, ending) in [
            ("text/css", "css/", ".css"),
            ("text/javascript", "book", ".js"),
            ("image/svg+xml", "favicon", ".svg"),
        ] {
            let link = link(&index.body, folder, ending);
            let file = server.get(&format!("/{link}"));
            assert_eq!(file.status, 200, "{link}");
            assert_eq!(file.header("content-type"), kind, "{link}");
            assert_eq!(file.header("cache-control"), "no-cache", "{link}");
        }
        // Never 304: a date is too coarse to tell two edits apart.
        let date = "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n";
        assert_eq!(server.request("GET", "/", date).status, 200);
    });
}

#[test]
fn serve_compresses_what_can_be_compressed() {
    with_command(|| {
        let book = TestBook::new();
        book.write("src/tracking/secret-map.png", &"map ".repeat(1000));
        let server = book.serve(&["--port", "0"]);
        let gzip = |path: &str| {
            server.request("GET", path, "Accept-Encoding: gzip, br\r\n")
        };
        let page = "/tracking/find-parcel.html";
        for path in [page, "/nowhere"] {
            let (plain, compressed) = (server.get(path), gzip(path));
            assert_eq!(plain.header("content-encoding"), "", "{path}");
            assert_eq!(compressed.header("content-encoding"), "gzip", "{path}");
            assert!(compressed.bytes.len() < plain.bytes.len() / 2, "{path}");
            let mut text = String::new();
            let mut decoder = GzDecoder::new(&*compressed.bytes);
            decoder.read_to_string(&mut text).expect("gzip");
            assert_eq!(text, plain.body, "{path}");
        }
        let index = server.get("/").body;
        let fonts = format!("/{}", link(&index, "fonts/fonts", ".css"));
        let style = server.get(&fonts).body;
        let mut urls = style.split(['/', '\'', '"']);
        let font = urls.find(|text| text.ends_with(".woff2"));
        let font = format!("/fonts/{}", font.expect("mdBook's font"));
        for path in [font.as_str(), "/tracking/secret-map.png"] {
            let response = gzip(path);
            assert_eq!(response.status, 200, "{path}");
            assert_eq!(response.header("content-encoding"), "", "{path}");
        }
    });
}

#[test]
fn head_has_no_body_and_post_is_refused() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let whole = server.get("/");
        let head = server.request("HEAD", "/", "");
        assert_eq!(head.status, 200);
        assert_eq!(head.body, "");
        let length = whole.body.len().to_string();
        assert_eq!(head.header("content-length"), length);
        assert_eq!(server.request("POST", "/", "").status, 405);
    });
}

#[test]
fn a_wrong_path_is_the_book_s_404() {
    with_command(|| {
        let book = TestBook::new();
        // The setting of a book that is published below a path.
        book.append("book.toml", "\n[output.html]\nsite-url = \"/depot/\"\n");
        let server = book.serve(&["--port", "0"]);
        for path in ["/nowhere", "/tracking/nothing.html", "/a/b/c/", "/%00"] {
            let response = server.get(path);
            assert_eq!(response.status, 404, "{path}");
            assert_eq!(response.header("content-type"), "text/html", "{path}");
            assert!(response.body.contains("Document not found"), "{path}");
            assert!(response.body.contains("<base href=\"/\">"), "{path}");
        }
        let long = format!("/{}", "a".repeat(4000));
        assert_eq!(server.get(&long).status, 404);
    });
}

#[test]
fn serve_shows_nothing_outside_the_rendering() {
    with_command(|| {
        let book = TestBook::new();
        book.write("secret.txt", "the safe's combination");
        let server = book.serve(&["--port", "0"]);
        let absolute = Url::from_file_path(book.at("secret.txt"));
        let absolute = absolute.expect("an absolute path");
        let absolute = absolute.path();
        let up = "../".repeat(20);
        for path in [
            "/../secret.txt".to_owned(),
            "/tracking/../../secret.txt".to_owned(),
            "/..%2fsecret.txt".to_owned(),
            "/%2e%2e/secret.txt".to_owned(),
            "/..%5csecret.txt".to_owned(),
            format!("/{absolute}"),
            format!("//{absolute}"),
            format!("/{up}{absolute}"),
            format!("/{}", absolute.replace('/', "%2f")),
            "/book.toml".to_owned(),
            "/SUMMARY.md".to_owned(),
        ] {
            let response = server.get(&path);
            assert_eq!(response.status, 404, "{path}");
            assert!(!response.body.contains("combination"), "{path}");
        }
    });
}

#[test]
fn serve_lists_no_folder() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        // Without the slash, the links of its index would be wrong.
        let bare = server.get("/labels");
        assert_eq!((bare.status, bare.header("location")), (307, "/labels/"));
        assert!(server.get("/labels/").body.contains("Labels by the roll"));
        let bare = server.get("/tracking/");
        assert_eq!(bare.status, 404);
        assert!(!bare.body.contains("secret-map.png"));
    });
}

#[test]
fn serve_shows_an_edit_on_reload() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let page = "/tracking/find-parcel.html";
        assert!(server.get(page).body.contains("By its number"));

        book.replace(FIND, "By its number", "By number and city");
        assert!(server.get(page).body.contains("By number and city"));

        // A file with an old date is an edit as well.
        book.replace(FIND, "By number and city", "By the city alone!");
        let file = fs::File::options().write(true).open(book.at(FIND));
        let file = file.expect("the page");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("a date");
        assert!(server.get(page).body.contains("By the city alone!"));

        // So is a snippet that a page includes, a style, and book.toml.
        book.write("snippets/note.txt", "At the border");
        let note = "\n## Where\n\n```text\n\
                    {{#include ../../snippets/note.txt}}\n```\n";
        book.append(FIND, note);
        assert!(server.get(page).body.contains("At the border"));
        book.write("snippets/note.txt", "At the bridge");
        assert!(server.get(page).body.contains("At the bridge"));
        book.write("theme/head.hbs", "<meta name=\"depot\">");
        assert!(server.get(page).body.contains("<meta name=\"depot\">"));
        book.replace("book.toml", "Parcels", "Depot");
        assert!(server.get("/").body.contains("<title>Welcome - Depot"));
        // What an editor keeps while it has a page open is not.
        book.write("src/tracking/.find-parcel.md.swp", "x");
        assert!(server.get(page).body.contains("At the bridge"));
        let end = server.terminate();
        let reports: Vec<_> = end.stdout.lines().collect();
        assert_eq!(reports.len(), 6, "{}", end.stdout);
        let report = format!("{FIND} changed; rendered again in ");
        assert!(reports[0].starts_with(&report), "{}", reports[0]);
        assert!(reports[0].ends_with(" s"), "{}", reports[0]);
        let report = format!("snippets/note.txt, {FIND} changed; rendered ");
        assert!(reports[2].starts_with(&report), "{}", reports[2]);
        assert_eq!(end.stderr, "");
    });
}

#[test]
fn serve_reports_many_changes_by_three_names_and_a_number() {
    with_command(|| {
        let book = TestBook::new();
        for name in ["a", "b", "c", "d", "e"] {
            book.write(&format!("theme/{name}.css"), "");
        }
        let server = book.serve(&["--port", "0"]);
        fs::remove_file(book.at("theme/b.css")).expect("it exists");
        for name in ["c", "d", "e", "f"] {
            book.write(&format!("theme/{name}.css"), "* {}");
        }
        server.get("/");
        let line = server.line();
        let report = "theme/b.css, theme/c.css, theme/d.css and 2 more \
                      changed; rendered again in ";
        assert!(line.starts_with(report), "{line}");
    });
}

#[test]
fn a_broken_edit_is_reported_once_and_the_old_pages_stay() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let page = "/tracking/find-parcel.html";
        book.replace("book.toml", "[book]", "[book");
        for _ in 0..3 {
            assert!(server.get(page).body.contains("By its number"));
        }
        book.replace("book.toml", "[book", "[book]");
        book.replace(FIND, "By its number", "By its city");
        assert!(server.get(page).body.contains("By its city"));
        let end = server.terminate();
        let [error, help] = end.stderr.lines().collect::<Vec<_>>()[..] else {
            panic!("once, not for each request: {}", end.stderr);
        };
        let file = book.at("book.toml").display().to_string();
        assert!(error.starts_with(&format!("error: cannot read {file}: ")));
        assert_eq!(help, "help: correct this file");
        let reports: Vec<_> = end.stdout.lines().collect();
        assert_eq!(reports[0], "book.toml changed; the pages stay as before");
        let report = format!("book.toml, {FIND} changed; rendered again in ");
        assert!(reports[1].starts_with(&report), "{}", reports[1]);
        assert_eq!(reports.len(), 2, "{}", end.stdout);
    });
}

#[test]
fn a_block_that_nothing_checks_is_shown_nowhere() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let page = "/labels/print-label.html";
        let block = "\n```rust,ignore\nfn unchecked() {}\n```\n";
        book.append(PRINT, block);
        let shown = server.get(page).body;
        assert!(shown.contains("Print a label"), "the earlier page");
        assert!(!shown.contains("unchecked"), "{shown}");
        let end = server.terminate();
        let error = format!("error: {PRINT}:");
        assert!(end.stderr.starts_with(&error), "{}", end.stderr);
        for arguments in
            [vec!["--port", "0"], vec!["serve", "--port", "0"], vec!["build"]]
        {
            let message = error_of(&mut book.command(&arguments));
            assert!(message.starts_with(&error), "{message}");
        }
        assert!(!book.at("target/book").join("index.html").exists());
    });
}

/// mdBook logs an error, leaves out the whole table, and continues.
pub const UNKNOWN_KEY: &str = "[output.html]\ndepot-map = true\n";

#[test]
fn errors_that_mdbook_logs_are_printed_to_stderr() {
    with_command(|| {
        let book = TestBook::new();
        book.append("book.toml", UNKNOWN_KEY);
        let server = book.serve(&["--port", "0"]);
        let end = server.terminate();
        assert!(end.stderr.contains("`depot-map`"), "{}", end.stderr);
        assert!(!end.stderr.contains('\u{1b}'), "{}", end.stderr);
    });
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("bound").port().to_string();
        assert_eq!(
            error_of(&mut book.command(&["serve", "--port", &port])),
            format!(
                "error: port {port} is taken on 127.0.0.1\n\
                 help: choose another with `--port`, or a free one with \
                 `--port 0`\n"
            )
        );
    });
}

#[test]
fn an_address_of_another_machine_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        // An address of documentation, which no machine has.
        let arguments = ["--port", "0", "--host", "192.0.2.1"];
        let message = error_of(&mut book.command(&arguments));
        let error = "error: cannot listen on port 0 of 192.0.2.1: ";
        assert!(message.starts_with(error), "{message}");
        let help = "\nhelp: choose others with `--port` and `--host`\n";
        assert!(message.ends_with(help), "{message}");
    });
}

#[test]
fn serve_warns_when_other_machines_can_read() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0", "--host", "0.0.0.0"]);
        assert!(server.address.starts_with("127.0.0.1:"), "{}", server.address);
        let port = server.port().to_owned();
        assert_eq!(server.get("/").status, 200);
        let end = server.terminate();
        let address = end.stderr.replace(&port, "PORT");
        assert_eq!(
            address,
            "warning: other machines can read the book at 0.0.0.0:PORT\n\
             help: without `--host`, only this machine can\n"
        );
    });
}

#[test]
#[cfg(target_os = "linux")]
fn open_starts_the_browser_with_the_address() {
    with_command(|| {
        let book = TestBook::new();
        let script =
            "#!/bin/sh\necho \"$1\" > opened.tmp\nmv opened.tmp opened\n";
        book.write("bin/xdg-open", script);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(book.at("bin/xdg-open"), executable)
            .expect("a file of this test");
        let path = format!("{}:/usr/bin:/bin", book.at("bin").display());
        let mut command = book.command(&["--port", "0", "--open"]);
        let server = Server::start(command.env("PATH", path));
        let opened = book.at("opened");
        let url = (0..LIMIT.as_millis() / 10).find_map(|_| {
            thread::sleep(Duration::from_millis(10));
            fs::read_to_string(&opened).ok()
        });
        let expected = format!("http://{}\n", server.address);
        assert_eq!(url.as_deref(), Some(&*expected));
    });
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_browser_it_serves_and_warns() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["--port", "0", "--open"]);
        let server = Server::start(command.env("PATH", ""));
        let address = server.address.clone();
        assert_eq!(server.get("/").status, 200);
        let end = server.terminate();
        let warning = "warning: cannot start a browser: ";
        assert!(end.stderr.starts_with(warning), "{}", end.stderr);
        let help = format!("\nhelp: open http://{address} in your browser\n");
        assert!(end.stderr.ends_with(&help), "{}", end.stderr);
    });
}

#[test]
fn a_signal_ends_the_server_in_spite_of_open_connections() {
    with_command(|| {
        let book = TestBook::new();
        for signal in ["TERM", "INT", "HUP"] {
            let server = book.serve(&["--port", "0"]);
            // An open page, a browser's spare connection, a kept one, and half
            // a request.
            let page = Socket::open(&server, &socket_path(&server.get("/")));
            let spare = server.connect();
            let mut kept = server.connect();
            kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            let mut byte = [0];
            kept.read_exact(&mut byte).expect("a response");
            let mut half = server.connect();
            half.write_all(b"GET / HTTP/1.1\r\nHo").expect("sent");

            let end = server.end_by(signal, END);
            assert_eq!(end.status.code(), Some(0), "{signal}: {}", end.stderr);
            assert_eq!(end.stderr, "", "{signal}");
            drop((page, spare, kept, half));
        }
        book.nothing_is_left();
    });
}
