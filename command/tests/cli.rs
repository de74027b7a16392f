//! The `async-cookbook` command from outside: arguments, sockets, signals.

use std::any;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use mdbook_skeptic::rt;
use tempfile::TempDir;

const COMMAND: &str = env!("CARGO_BIN_EXE_async-cookbook");

/// Runs a test, unless it has passed with the same command.
fn with_command<T: Fn()>(test: T) {
    with_command_and(&[], test);
}

/// The same for a test that reads files of this book.
fn with_command_and<T: Fn()>(files: &[&str], test: T) {
    let command = fs::metadata(COMMAND).expect("cargo has built it");
    let built = command.modified().expect("this system keeps times");
    let content = |file| rt::content(this_book().join(file));
    let files: Vec<_> = files.iter().map(content).collect();
    let name = any::type_name::<T>();
    rt::once((name, built, include_str!("cli.rs"), files), test);
}

fn this_book() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the book's folder")
}

/// Nothing but a fault takes this long.
const LIMIT: Duration = Duration::from_secs(30);
/// For what may have to wait for other builds.
const BUILD: Duration = Duration::from_secs(600);
/// A server with open connections ends within this.
const END: Duration = Duration::from_secs(10);

// The arguments

#[test]
fn help_names_every_command_and_option() {
    with_command(|| {
        let book = TestBook::new();
        for (arguments, named) in [
            (
                vec!["--help"],
                vec![
                    "serve",
                    "build",
                    "list",
                    "run",
                    "--port",
                    "--host",
                    "--open",
                    "--version",
                    "3000",
                    "127.0.0.1",
                ],
            ),
            (vec!["serve", "--help"], vec!["--port", "--host", "--open"]),
            (
                vec!["build", "--help"],
                vec!["--dest <DIR>", "target/book", "--url", "--epub"],
            ),
            (vec!["list", "--help"], vec!["chapter, name, title"]),
            (vec!["run", "--help"], vec!["<RECIPE>", "exit status"]),
        ] {
            let end = book.run(&arguments);
            assert!(end.status.success(), "{arguments:?}: {}", end.stderr);
            for name in named {
                assert!(end.stdout.contains(name), "{arguments:?}: {name}");
            }
        }
    });
}

#[test]
fn version_is_the_package_s() {
    with_command(|| {
        let end = TestBook::new().run(&["--version"]);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(end.stdout, format!("async-cookbook {version}\n"));
    });
}

#[test]
fn wrong_usage_ends_with_2() {
    with_command(|| {
        let book = TestBook::new();
        for arguments in [
            vec!["bake"],
            vec!["run"],
            vec!["--port", "70000"],
            vec!["list", "--port", "3000"],
            vec!["build", "--url", "example.org/book"],
            vec!["build", "--url", "file:///book/"],
            vec!["build", "--url", "https://example.org/?book"],
            // Not ignored, either.
            vec!["--port", "3000", "list"],
        ] {
            let end = book.run(&arguments);
            assert_eq!(end.status.code(), Some(2), "{arguments:?}");
            assert!(end.stderr.starts_with("error: "), "{}", end.stderr);
            if arguments.contains(&"--url") {
                let way_out = "such as https://example.org/book/";
                assert!(end.stderr.contains(way_out), "{}", end.stderr);
            }
        }
    });
}

// Where the book is

#[test]
fn the_book_is_found_from_a_folder_below() {
    with_command(|| {
        let book = TestBook::new();
        // It has a book.toml of its own, but no SUMMARY.md.
        book.write("drafts/book.toml", "[book]\nsrc = \".\"\n");
        let end =
            finish(book.command(&["list"]).current_dir(book.at("drafts")));
        assert!(end.status.success(), "{}", end.stderr);
    });
}

#[test]
fn outside_any_book_it_says_where_to_go() {
    with_command(|| {
        let empty = TempDir::new().expect("a temporary folder");
        for arguments in [vec![], vec!["build"], vec!["list"], vec!["run", "x"]]
        {
            let mut command = cookbook(&arguments);
            let message = refused(command.current_dir(empty.path()));
            assert!(message.contains("no book in"), "{message}");
            assert!(message.contains("cookbook's folder"), "{message}");
        }
    });
}

#[test]
fn a_broken_book_toml_is_one_sentence() {
    with_command(|| {
        let book = TestBook::new();
        book.write("book.toml", "[book\n");
        let message = refused(&mut book.command(&["build"]));
        assert!(message.contains("book.toml"), "{message}");
    });
}

// list

#[test]
fn list_shows_chapter_name_and_title_in_columns() {
    with_command(|| {
        let end = TestBook::new().run(&["list"]);
        assert_eq!(
            end.stdout,
            "\
bakery  bake_bread        Bake a loaf
bakery  bake_bread_burnt  When it burns
post    send_letter       Send a letter
"
        );
        assert!(end.status.success());
    });
}

#[test]
fn list_marks_a_page_of_no_chapter() {
    with_command(|| {
        let book = TestBook::new();
        let shown = book.recipe("..", "greet", "hello");
        book.append("src/welcome.md", &format!("\n{shown}"));
        let list = book.run(&["list"]).stdout;
        let line = "-       greet             Welcome\n";
        assert!(list.starts_with(line), "{list}");
    });
}

#[test]
fn list_shows_a_recipe_once() {
    with_command(|| {
        let book = TestBook::new();
        let whole = book.run(&["list"]).stdout;
        let again = book.recipe("../..", "bake_bread", "bread");
        book.append("src/post/send-letter.md", &format!("\n{again}"));
        assert_eq!(book.run(&["list"]).stdout, whole);
    });
}

#[test]
fn list_fits_100_columns() {
    with_command(|| {
        let book = TestBook::new();
        let long = "Knead ".repeat(30);
        book.replace("src/bakery/bake-bread.md", "When it burns", &long);
        let end = book.run(&["list"]);
        let widths: Vec<_> =
            end.stdout.lines().map(|l| l.chars().count()).collect();
        assert!(widths.iter().all(|width| *width <= 100), "{}", end.stdout);
        assert!(end.stdout.contains('…'), "{}", end.stdout);
    });
}

#[test]
fn list_into_a_pipe_that_nobody_reads_is_no_error() {
    with_command(|| {
        let book = TestBook::new();
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut command = book.command(&["list"]);
        let end = Running::spawn(command.stdout(writer)).end(LIMIT);
        assert!(end.status.success(), "{}", end.stderr);
        assert_eq!(end.stderr, "");
    });
}

#[test]
fn everything_wrong_with_the_book_is_said_a_line_each() {
    with_command(|| {
        let book = TestBook::new();
        let fences = "\n```\nx\n```\n\n```rust,ignore\nfn main() {}\n```\n";
        book.append("src/post/send-letter.md", fences);
        let end = book.run(&["list"]);
        assert_eq!(end.status.code(), Some(1));
        let lines: Vec<_> = end.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{}", end.stderr);
        for line in lines {
            assert!(
                line.starts_with("error: src/post/send-letter.md:"),
                "{line}"
            );
        }
    });
}

// run

#[test]
fn run_prints_what_the_page_shows() {
    const SHOWN: &str = "snippets/core-patterns/fetch_json.out";
    // Of all other pages it needs no more than that they are in order, which
    // the build script has seen.
    let read = [
        SHOWN,
        "snippets/core-patterns/fetch_json.rs",
        "snippets/Cargo.toml",
        "book/core-patterns/fetch-json.md",
        "book/SUMMARY.md",
        "book.toml",
        "Cargo.toml",
        "Cargo.lock",
    ];
    with_command_and(&read, || {
        let root = this_book();
        let shown = fs::read_to_string(root.join(SHOWN));
        let shown = shown.expect("the recipe's output");
        for name in ["fetch_json", "fetch-json"] {
            let mut command = cookbook(&["run", name]);
            let end = Running::start(command.current_dir(root)).end(BUILD);
            assert!(end.status.success(), "{}", end.stderr);
            assert_eq!(end.stdout, shown, "{}", end.stderr);
        }
    });
}

#[test]
fn run_passes_on_input_output_and_status() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let mut command = book.command(&["run", "bake-bread"]);
        command.current_dir(book.at("src"));
        // A recipe of another book: a build folder that no other test uses.
        command.env("CARGO_TARGET_DIR", book.at("target"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut oven = Running::spawn(&mut command);
        let mut stdin = oven.child.stdin.take().expect("piped");
        stdin.write_all(b"flour").expect("the program reads it");
        drop(stdin);
        let end = oven.end(BUILD);
        assert_eq!(end.stdout, "bread of flour\n");
        assert!(end.stderr.contains("at the root: Ok(true)"), "{}", end.stderr);
        assert_eq!(end.status.code(), Some(7));
    });
}

#[test]
fn run_takes_the_page_of_a_program_with_another_name() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let (bread, letter) =
            ("src/bakery/bake-bread.md", "src/post/send-letter.md");
        for name in ["rye", "rye_burnt"] {
            book.recipe("../..", name, "rye");
        }
        book.replace(bread, "bake_bread", "rye");
        book.replace(letter, "send_letter", "bake_bread");
        let mut command = book.command(&["run", "send-letter"]);
        command.env("CARGO_TARGET_DIR", book.at("target"));
        let end = Running::start(&mut command).end(BUILD);
        assert_eq!(end.stdout, "bread of \n", "{}", end.stderr);
    });
}

#[test]
fn run_of_an_unknown_name_offers_the_nearest() {
    with_command(|| {
        let book = TestBook::new();
        let message = refused(&mut book.command(&["run", "bake-braed"]));
        assert!(message.contains("`bake-braed`"), "{message}");
        // The nearest first.
        let near = "`bake_bread`, `bake_bread_burnt`";
        assert!(message.contains(near), "{message}");
        assert!(!message.contains("send_letter"), "{message}");
        assert!(message.contains("`cargo run list`"), "{message}");
    });
}

#[test]
fn run_of_tests_says_how_they_are_run() {
    with_command(|| {
        let book = TestBook::new();
        book.write(
            "tests/taste.rs",
            "#[test]\nfn it() {\n    assert_eq!(1 + 1, 2);\n}\n",
        );
        book.write(
            "src/post/send-letter.md",
            "# Send a letter\n\n\
             ```rust,test\n{{#include ../../tests/taste.rs}}\n```\n\n\
             ```console\n$ cargo test --test taste\ntest it ... ok\n```\n",
        );
        for name in ["taste", "send-letter"] {
            let message = refused(&mut book.command(&["run", name]));
            let way_out = "`cargo test --test taste`";
            assert!(message.contains(way_out), "{message}");
        }
        // A program is what `run` takes, where there is one.
        let bread = "src/bakery/bake-bread.md";
        let letter = fs::read_to_string(book.at("src/post/send-letter.md"));
        let letter = letter.expect("ours").replace("# Send", "## Send");
        book.append(bread, &letter);
        let mut command = book.command(&["run", "bake-bread"]);
        let message = refused(command.env("CARGO", book.at("no-cargo")));
        assert!(message.contains("rustup.rs"), "{message}");
        assert!(!book.run(&["list"]).stdout.contains("taste"));
    });
}

#[test]
fn run_of_a_strange_name_offers_the_list() {
    with_command(|| {
        let book = TestBook::new();
        for name in ["zzz", "", "$(touch hacked)", "; touch hacked", "--list"] {
            let message = refused(&mut book.command(&["run", "--", name]));
            assert!(message.contains("`cargo run list`"), "{message}");
            assert!(!message.contains("nearest"), "{message}");
        }
        assert!(!book.at("hacked").exists());
    });
}

#[test]
fn run_without_cargo_says_where_to_get_it() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["run", "bake-bread-burnt"]);
        let message = refused(command.env("CARGO", book.at("no-cargo")));
        assert!(message.contains("rustup.rs"), "{message}");
    });
}

// serve

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
fn serve_answers_with_pages_and_what_they_need() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let index = server.get("/");
        assert_eq!(index.status, 200);
        assert!(index.body.contains("Welcome to the village"));
        assert_eq!(index.header("content-type"), "text/html");
        assert_eq!(index.header("cache-control"), "no-cache");

        let page = server.get("/bakery/bake-bread.html");
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Flour and water"));

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
        // A page is always whole: its date is too coarse to tell two edits apart.
        let date = "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n";
        assert_eq!(server.ask("GET", "/", date).status, 200);
    });
}

#[test]
fn serve_answers_head_without_a_body_and_refuses_post() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let whole = server.get("/");
        let head = server.ask("HEAD", "/", "");
        assert_eq!(head.status, 200);
        assert_eq!(head.body, "");
        let length = whole.body.len().to_string();
        assert_eq!(head.header("content-length"), length);
        assert_eq!(server.ask("POST", "/", "").status, 405);
    });
}

#[test]
fn serve_answers_a_wrong_path_with_the_book_s_404() {
    with_command(|| {
        let book = TestBook::new();
        // As a book says that is published below a path.
        book.append("book.toml", "\n[output.html]\nsite-url = \"/village/\"\n");
        let server = book.serve(&["--port", "0"]);
        for path in ["/nowhere", "/bakery/nothing.html", "/a/b/c/", "/%00"] {
            let answer = server.get(path);
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.header("content-type"), "text/html", "{path}");
            assert!(answer.body.contains("Document not found"), "{path}");
            assert!(answer.body.contains("<base href=\"/\">"), "{path}");
        }
        let long = format!("/{}", "a".repeat(4000));
        assert_eq!(server.get(&long).status, 404);
    });
}

#[test]
fn serve_shows_nothing_outside_the_rendering() {
    with_command(|| {
        let book = TestBook::new();
        book.write("secret.txt", "the oven's combination");
        let server = book.serve(&["--port", "0"]);
        let absolute = book.at("secret.txt").display().to_string();
        let absolute = absolute.as_str();
        let up = "../".repeat(20);
        for path in [
            "/../secret.txt".to_owned(),
            "/bakery/../../secret.txt".to_owned(),
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
            let answer = server.get(&path);
            assert_eq!(answer.status, 404, "{path}");
            assert!(!answer.body.contains("combination"), "{path}");
        }
    });
}

#[test]
fn serve_lists_no_folder() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        // Without the slash the links of its index would lead astray.
        let bare = server.get("/post");
        assert_eq!((bare.status, bare.header("location")), (307, "/post/"));
        assert!(server.get("/post/").body.contains("The post office"));
        let bare = server.get("/bakery/");
        assert_eq!(bare.status, 404);
        assert!(!bare.body.contains("secret-recipe.png"));
    });
}

#[test]
fn serve_shows_an_edit_on_reload() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let page = "/bakery/bake-bread.html";
        let source = "src/bakery/bake-bread.md";
        assert!(server.get(page).body.contains("Flour and water"));

        book.replace(source, "Flour and water", "Flour, water, salt");
        assert!(server.get(page).body.contains("Flour, water, salt"));

        // A file with an old date is an edit as well.
        let file = fs::File::options().write(true).open(book.at(source));
        let file = file.expect("the page");
        book.replace(source, "Flour, water, salt", "Rye and salt, wet!");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a date");
        assert!(server.get(page).body.contains("Rye and salt, wet!"));

        // So is a snippet that a page includes, a style, and book.toml.
        book.write("snippets/note.txt", "Mind the crust");
        let note = "\n```text\n{{#include ../../snippets/note.txt}}\n```\n";
        book.append(source, note);
        assert!(server.get(page).body.contains("Mind the crust"));
        book.write("snippets/note.txt", "Mind the crumb");
        assert!(server.get(page).body.contains("Mind the crumb"));
        book.write("theme/head.hbs", "<meta name=\"oven\">");
        assert!(server.get(page).body.contains("<meta name=\"oven\">"));
        book.replace("book.toml", "Village", "Hamlet");
        assert!(server.get("/").body.contains("<title>Welcome - Hamlet"));
    });
}

#[test]
fn serve_keeps_the_book_that_it_has_when_an_edit_breaks_it() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let page = "/bakery/bake-bread.html";
        book.replace("book.toml", "[book]", "[book");
        for _ in 0..3 {
            assert!(server.get(page).body.contains("Flour and water"));
        }
        book.replace("book.toml", "[book", "[book]");
        book.replace("src/bakery/bake-bread.md", "Flour and water", "Mended");
        assert!(server.get(page).body.contains("Mended"));
        let end = server.terminate();
        let lines: Vec<_> = end.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "once, not a request: {}", end.stderr);
        assert!(lines[0].starts_with("error: "), "{}", end.stderr);
    });
}

#[test]
fn a_block_that_nothing_checks_is_shown_nowhere() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let page = "/post/send-letter.html";
        let block = "\n```rust,ignore\nfn unchecked() {}\n```\n";
        book.append("src/post/send-letter.md", block);
        let shown = server.get(page).body;
        assert!(shown.contains("Send a letter"), "the last that was whole");
        assert!(!shown.contains("unchecked"), "{shown}");
        let end = server.terminate();
        let fault = "error: src/post/send-letter.md:";
        assert!(end.stderr.starts_with(fault), "{}", end.stderr);
        for arguments in [vec![], vec!["serve"], vec!["build"]] {
            let message = refused(&mut book.command(&arguments));
            assert!(message.contains(&fault[7..]), "{message}");
        }
        assert!(!book.at("target/book").join("index.html").exists());
    });
}

/// mdBook leaves out all of the table, and goes on.
const UNKNOWN_KEY: &str = "[output.html]\npost-office = true\n";

#[test]
fn what_mdbook_only_logs_reaches_stderr() {
    with_command(|| {
        let book = TestBook::new();
        book.append("book.toml", UNKNOWN_KEY);
        let server = book.serve(&["--port", "0"]);
        let end = server.terminate();
        assert!(end.stderr.contains("`post-office`"), "{}", end.stderr);
        assert!(!end.stderr.contains('\u{1b}'), "{}", end.stderr);
    });
}

#[test]
fn a_port_that_is_taken_is_one_sentence() {
    with_command(|| {
        let book = TestBook::new();
        let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("bound").port().to_string();
        let message = refused(&mut book.command(&["serve", "--port", &port]));
        assert!(
            message.contains(&format!("port {port} is taken")),
            "{message}"
        );
        assert!(message.contains("`--port 0`"), "{message}");
    });
}

#[test]
fn a_host_that_is_none_is_one_sentence() {
    with_command(|| {
        let book = TestBook::new();
        let arguments = ["--port", "0", "--host", "host.invalid"];
        let message = refused(&mut book.command(&arguments));
        assert!(message.contains("`--host`"), "{message}");
    });
}

#[test]
fn serve_warns_when_other_machines_can_read() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0", "--host", "0.0.0.0"]);
        assert!(server.address.starts_with("127.0.0.1:"), "{}", server.address);
        assert_eq!(server.get("/").status, 200);
        let end = server.terminate();
        let warned = end.stderr.starts_with("warning: other machines can read");
        assert!(warned, "{}", end.stderr);
        assert_eq!(end.stderr.lines().count(), 1);
    });
}

#[test]
#[cfg(target_os = "linux")]
fn open_hands_the_address_to_the_browser() {
    with_command(|| {
        use std::os::unix::fs::PermissionsExt;
        let book = TestBook::new();
        let script =
            "#!/bin/sh\necho \"$1\" > opened.tmp\nmv opened.tmp opened\n";
        book.write("bin/xdg-open", script);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(book.at("bin/xdg-open"), executable).expect("ours");
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
fn without_a_browser_it_serves_all_the_same() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["--port", "0", "--open"]);
        let server = Server::start(command.env("PATH", ""));
        assert_eq!(server.get("/").status, 200);
        let end = server.terminate();
        assert!(end.stderr.starts_with("warning: "), "{}", end.stderr);
        assert!(end.stderr.contains("http://127.0.0.1:"), "{}", end.stderr);
    });
}

#[test]
#[cfg(unix)]
fn a_signal_ends_the_server_though_clients_hold_on() {
    with_command(|| {
        let book = TestBook::new();
        for signal in ["TERM", "INT", "HUP"] {
            let server = book.serve(&["--port", "0"]);
            // A browser's spare connection, a kept one, and half a request.
            let spare = server.connect();
            let mut kept = server.connect();
            kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            let mut byte = [0];
            kept.read_exact(&mut byte).expect("an answer");
            let mut half = server.connect();
            half.write_all(b"GET / HTTP/1.1\r\nHo").expect("sent");

            let end = server.end_by(signal, END);
            assert_eq!(end.status.code(), Some(0), "{signal}: {}", end.stderr);
            assert_eq!(end.stderr, "", "{signal}");
            drop((spare, kept, half));
        }
        book.nothing_is_left();
    });
}

// Run, on the served pages

#[test]
fn run_is_a_stream_of_what_a_program_says() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let server = book.kitchen();
        let answer = server.order("bake_bread");
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("content-type"), "application/x-ndjson");
        let lines = answer.lines();
        assert_eq!(lines[0], "{\"building\":\"bake_bread\"}");
        let compiles = |lines: &[String]| {
            let line = "{\"progress\":\"Compiling village";
            lines.iter().any(|l| l.starts_with(line))
        };
        assert!(compiles(&lines), "{lines:?}");
        let started = lines.iter().position(|l| l == "{\"started\":true}");
        let ran = &lines[started.expect("it starts")..];
        // stdin is empty, and so is the folder.
        let bread = "{\"stdout\":\"bread of \\n\"}".to_owned();
        assert!(ran.contains(&bread), "{ran:?}");
        let stderr: String = ran.iter().filter_map(|l| stderr_of(l)).collect();
        assert_eq!(stderr, "at the root: Ok(false)\n", "no book.toml");
        let last = ran.last().expect("an end");
        assert!(last.starts_with("{\"exit\":7,\"seconds\":0."), "{last}");

        let again = server.order("bake_bread").lines();
        assert!(!compiles(&again), "{again:?}");
        assert!(again.contains(&bread), "{again:?}");

        book.program("bake_bread_burnt", "smoke");
        let burnt = server.order("bake_bread_burnt").lines();
        let last = burnt.last().expect("an end");
        assert!(last.starts_with("{\"failed\":"), "{burnt:?}");
        let command = "`cargo build --example bake_bread_burnt`";
        assert!(last.contains(command), "{last}");
        let says_why = burnt.iter().any(|line| line.contains("smoke"));
        assert!(says_why, "{burnt:?}");

        book.program(
            "bake_bread_burnt",
            "loop { println!(\"{}\", \"°\".repeat(40_000)); }",
        );
        let burnt = server.order("bake_bread_burnt");
        let last = burnt.lines().pop().expect("an end");
        assert!(last.contains("\"stopped\":\"output\""), "{last}");
        assert!(burnt.body.len() < 2 << 20, "{}", burnt.body.len());
        assert!(burnt.body.contains("°°°"), "{burnt:?}");
        assert!(!burnt.body.contains('\u{fffd}'), "a character is whole");

        book.program("bake_bread_burnt", "std::process::abort();");
        let burnt = server.order("bake_bread_burnt").lines();
        let last = burnt.last().expect("an end");
        assert!(last.contains("\"signal\":6"), "{last}");
        assert_eq!(server.terminate().stderr, "");
        book.nothing_is_left();
    });
}

/// What an event brings of a program's stderr: seldom a whole line.
fn stderr_of(event: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
    event["stderr"].as_str().map(ToOwned::to_owned)
}

#[test]
fn run_without_cargo_is_an_event_that_says_where_to_get_it() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["--port", "0"]);
        let server = Server::start(command.env("CARGO", book.at("no-cargo")));
        let [line] = &server.order("bake_bread").lines()[..] else {
            panic!("one line");
        };
        assert!(line.starts_with("{\"failed\":"), "{line}");
        assert!(line.contains("rustup.rs"), "{line}");
    });
}

#[test]
fn run_is_for_the_book_s_own_pages() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        let address = &server.address;
        let port = address.rsplit(':').next().expect("a port");
        let run = "/run/bake_bread";
        for origin in [
            String::new(),
            "Origin: null\r\n".to_owned(),
            "Origin: http://evil.example\r\n".to_owned(),
            format!("Origin: https://{address}\r\n"),
            format!("Origin: http://localhost:{port}\r\n"),
            format!("Origin: http://{address}.evil.example\r\n"),
            format!("Origin: http://{address}\r\nHost: {address}\r\n"),
        ] {
            let answer = server.ask("POST", run, &origin);
            let refused = [400, 403].contains(&answer.status);
            assert!(refused, "{origin}: {}", answer.status);
            assert!(!answer.body.contains("started"), "{origin}");
        }
        let foreign = format!("evil.example:{port}");
        let lines = format!("Origin: http://{foreign}\r\n");
        let answer = server.ask_as(&foreign, "POST", run, &lines);
        assert_eq!(answer.status, 403, "a foreign name that leads here");
        assert!(answer.body.contains("own pages"), "{}", answer.body);
        assert_eq!(answer.body.lines().count(), 1);
        for method in ["GET", "PUT"] {
            assert_eq!(server.ask(method, run, "").status, 405, "{method}");
        }
    });
}

#[test]
fn run_takes_a_recipe_s_name_and_nothing_else() {
    with_command(|| {
        let book = TestBook::new();
        let server = book.serve(&["--port", "0"]);
        for name in [
            "bake_braed",
            "--list",
            "..%2fexamples%2fbake_bread",
            "%2fbin%2fsh",
            "$(touch%20hacked)",
            "bake_bread;touch%20hacked",
            "bake_bread%00",
        ] {
            let answer = server.order(name);
            assert_eq!(answer.status, 404, "{name}");
            let text = answer.body;
            assert!(text.contains("`cargo run list`"), "{name}: {text}");
            assert_eq!(text.lines().count(), 1, "{name}: {text}");
        }
        assert!(!book.at("hacked").exists());

        let fence = "\n```\nx\n```\n";
        book.append("src/post/send-letter.md", fence);
        let answer = server.order("bake_bread");
        assert_eq!(answer.status, 409);
        assert!(answer.body.contains("send-letter.md"), "{}", answer.body);
    });
}

#[test]
fn a_reader_who_leaves_stops_the_program_and_frees_its_place() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let lamp = book.with_lamp("bake_bread_burnt");
        let server = book.kitchen();
        let first = server.start_order("bake_bread_burnt");
        let mut first_lamp = lamp.accept();
        let second = server.start_order("bake_bread_burnt");
        let mut second_lamp = lamp.accept();
        let third = server.order("bake_bread");
        assert_eq!(third.status, 503);
        assert!(third.body.contains("too many"), "{}", third.body);

        drop(first);
        first_lamp.goes_out();
        let free = (0..LIMIT.as_millis() / 10).any(|_| {
            thread::sleep(Duration::from_millis(10));
            server.order("bake_bread").status == 200
        });
        assert!(free, "the place of the one who has left");
        drop(second);
        second_lamp.goes_out();
    });
}

#[test]
#[cfg(unix)]
fn no_program_outlives_the_server() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let lamp = book.with_lamp("bake_bread_burnt");
        for signal in ["INT", "TERM"] {
            let server = book.kitchen();
            let _order = server.start_order("bake_bread_burnt");
            let mut lamp = lamp.accept();
            let end = server.end_by(signal, END);
            assert_eq!(end.status.code(), Some(0), "{}", end.stderr);
            lamp.goes_out();
            book.nothing_is_left();
        }
    });
}

#[test]
fn only_a_served_book_has_the_script_of_the_run_buttons() {
    with_command(|| {
        let book = TestBook::new();
        let scripts = "\n[output.html]\nadditional-js = [\"theme/oven.js\"]\n";
        book.append("book.toml", scripts);
        book.write("theme/oven.js", "// oven");
        book.write("theme/run.js", "// run");
        let server = book.serve(&["--port", "0"]);
        let page = server.get("/").body;
        for script in ["theme/oven", "theme/run"] {
            let link = link(&page, script, ".js");
            assert_eq!(server.get(&format!("/{link}")).status, 200, "{link}");
        }
        assert!(book.run(&["build", "--dest", "out"]).status.success());
        let page = fs::read_to_string(book.at("out/index.html"));
        let page = page.expect("a page");
        assert!(page.contains("theme/oven") && !page.contains("theme/run"));
    });
}

// build

#[test]
fn build_renders_to_a_fresh_folder_and_again() {
    with_command(|| {
        let book = TestBook::new();
        let dest = book.at("out/deep");
        let arguments = ["build", "--dest", "out/deep"];
        let end = book.run(&arguments);
        assert!(end.status.success(), "{}", end.stderr);
        assert!(end.stdout.contains("out/deep"), "{}", end.stdout);
        assert!(dest.join("bakery/bake-bread.html").is_file());
        assert!(dest.join("404.html").is_file());

        // A page that is gone goes; the second build is no foreigner's.
        fs::write(dest.join("stale.html"), "").expect("ours");
        assert!(book.run(&arguments).status.success());
        assert!(!dest.join("stale.html").exists());
        assert!(dest.join("index.html").is_file());
    });
}

#[test]
fn build_renders_to_target_book_from_wherever_it_is_called() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["build"]);
        let end = finish(command.current_dir(book.at("src/bakery")));
        assert!(end.status.success(), "{}", end.stderr);
        assert!(book.at("target/book/index.html").is_file());
    });
}

#[test]
fn build_spares_a_folder_that_it_has_not_made() {
    with_command(|| {
        let book = TestBook::new();
        book.write("precious/novel.txt", "Chapter 1");
        book.write("hand-made/.nojekyll", "");
        book.write("site/.git/HEAD", "ref: refs/heads/pages");
        for folder in ["site", "."] {
            let mark = format!("{folder}/.nojekyll");
            book.write(&mark, "... process mdBook's output.\n");
        }
        for (dest, kept) in [
            ("precious", "precious/novel.txt"),
            ("hand-made", "hand-made/.nojekyll"),
            ("site", "site/.git/HEAD"),
            (".", "book.toml"),
        ] {
            let mut command = book.command(&["build", "--dest", dest]);
            let message = refused(&mut command);
            assert!(
                message.contains("another folder with `--dest`"),
                "{message}"
            );
            assert!(book.at(kept).is_file(), "{dest}");
            assert!(!book.at(dest).join("index.html").exists(), "{dest}");
        }
    });
}

#[test]
fn build_writes_neither_into_the_sources_nor_over_a_file() {
    with_command(|| {
        let book = TestBook::new();
        for dest in [
            "src",
            "src/html",
            "new/../src/html",
            "book.toml",
            "book.toml/html",
        ] {
            let mut command = book.command(&["build", "--dest", dest]);
            let message = refused(&mut command);
            assert!(message.contains("`--dest`"), "{dest}: {message}");
        }
        assert!(book.at("src/SUMMARY.md").is_file());
        assert!(
            !book.at("src/html").exists(),
            "no empty folder is left behind"
        );
    });
}

#[test]
fn build_writes_no_page_that_the_summary_misses() {
    with_command(|| {
        let book = TestBook::new();
        book.append("src/SUMMARY.md", "- [Missing](missing.md)\n");
        let message = refused(&mut book.command(&["build"]));
        assert!(message.contains("missing.md"), "{message}");
        assert!(!book.at("src/missing.md").exists());
    });
}

#[test]
fn build_of_a_book_that_is_not_whole_fails() {
    with_command(|| {
        let book = TestBook::new();
        book.append("book.toml", UNKNOWN_KEY);
        let end = book.run(&["build"]);
        assert_eq!(end.status.code(), Some(1));
        assert!(end.stderr.contains("`post-office`"), "{}", end.stderr);
        let last = end.stderr.lines().last().expect("a sentence");
        assert!(last.starts_with("error: "), "{last}");
        assert!(last.contains("; mend"), "{last}");
    });
}

/// The contents of the `<meta>` elements of this name in a page.
fn metas(html: &str, name: &str) -> Vec<String> {
    let mark = format!("=\"{name}\" content=\"");
    let parts = html.split(&mark).skip(1);
    let contents = parts.filter_map(|part| part.split('"').next());
    contents.map(ToOwned::to_owned).collect()
}

#[test]
fn every_page_says_what_it_is_about() {
    with_command(|| {
        let book = TestBook::new();
        book.write(
            "src/post/README.md",
            &format!(
                "# Post\n\nSend `\"<letters>\"` &\nparcels. {}\n\nMore.\n",
                "Every day, ".repeat(20)
            ),
        );
        let server = book.serve(&["--port", "0"]);
        let page = server.get("/bakery/bake-bread.html").body;
        assert_eq!(metas(&page, "description"), ["Flour and water."]);
        assert_eq!(metas(&page, "og:description"), ["Flour and water."]);
        assert_eq!(metas(&page, "og:title"), ["Bake a loaf"]);
        assert_eq!(metas(&page, "og:type"), ["article"]);
        assert_eq!(metas(&page, "og:site_name"), ["Village"]);
        assert_eq!(metas(&page, "twitter:card"), ["summary"]);
        assert!(metas(&page, "og:url").is_empty(), "it has no address");
        assert!(page.contains("<title>Bake a loaf - Village</title>"));
        let home = server.get("/").body;
        assert_eq!(metas(&home, "description"), ["Welcome to the village."]);
        assert_eq!(metas(&home, "og:type"), ["website"]);
        let post = server.get("/post/").body;
        let [description] = &metas(&post, "description")[..] else {
            panic!("one description: {post}");
        };
        let begin = "Send &quot;&lt;letters&gt;&quot; &amp; parcels. Every day";
        assert!(description.starts_with(begin), "{description}");
        assert!(description.ends_with(" day…"), "a word's end: {description}");
        let length = description.chars().count();
        assert!((150..200).contains(&length), "{description}");
        // One without text has the description of the book.
        assert_eq!(
            metas(&server.get("/post/send-letter.html").body, "description")
                .len(),
            1
        );
    });
}

#[test]
fn build_with_an_address_says_where_every_page_is() {
    with_command(|| {
        let book = TestBook::new();
        book.write("src/social-card.png", "a picture");
        // A slash is missing.
        let address = "https://example.org/a%20village";
        let arguments = ["build", "--dest", "out", "--url", address];
        assert!(book.run(&arguments).status.success());
        let read = |path: &str| {
            fs::read_to_string(book.at("out").join(path)).expect("built")
        };
        for (path, url) in [
            ("index.html", ""),
            ("welcome.html", ""),
            ("bakery/bake-bread.html", "bakery/bake-bread.html"),
        ] {
            let page = read(path);
            let url = format!("{address}/{url}");
            assert_eq!(metas(&page, "og:url"), [&*url], "{path}");
            let canonical = format!("<link rel=\"canonical\" href=\"{url}\">");
            assert_eq!(page.matches(&canonical).count(), 1, "{path}");
            let picture = format!("{address}/social-card.png");
            assert_eq!(metas(&page, "og:image"), [picture], "{path}");
            let card = metas(&page, "twitter:card");
            assert_eq!(card, ["summary_large_image"], "{path}");
            let map = read("sitemap.xml");
            let place = format!("<loc>{url}</loc>");
            assert_eq!(map.matches(&place).count(), 1, "{path}");
        }
        let map = read("sitemap.xml");
        assert_eq!(map.matches("<loc>").count(), 4, "{map}");
        assert!(read("404.html").contains("<base href=\"/a%20village/\">"));
    });
}

#[test]
fn a_template_without_a_description_is_one_sentence() {
    with_command(|| {
        let book = TestBook::new();
        let head = "<meta name=\"description\" content=\"another\">\n";
        book.write("theme/head.hbs", head);
        let message = refused(&mut book.command(&["build"]));
        assert!(message.contains("one description"), "{message}");
        assert!(message.contains("theme/"), "{message}");
    });
}

/// The files of an EPUB, and the names in their order.
fn unpacked(file: &Path) -> (Vec<String>, impl FnMut(&str) -> String) {
    let file = fs::File::open(file).expect("the EPUB");
    let mut archive = zip::ZipArchive::new(file).expect("a ZIP archive");
    let names = (0..archive.len()).map(|index| {
        archive.by_index_raw(index).expect("a file").name().to_owned()
    });
    let names = names.collect();
    let read = move |name: &str| {
        let mut file = archive.by_name(name).expect("in the EPUB");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        text
    };
    (names, read)
}

#[test]
fn build_makes_one_epub_of_all_pages() {
    with_command(|| {
        let book = TestBook::new();
        book.replace("book.toml", "Village", "The Village & Its Bakers");
        book.append(
            "src/welcome.md",
            "\n[Bread](bakery/bake-bread.md#when-it-burns), \
             [elsewhere](https://example.org/a.html)  \nfresh\n\n\
             | a | b |\n|---|---|\n| 1 < 2 | `&` |\n\n\
             ```rust\n{{#rustdoc_include ../snippets/oven.rs:hot}}\n```\n\n\
             > [!NOTE]\n> Hot.\n\n\
             {{#include ../snippets/oven.svg}}\n",
        );
        book.write(
            "snippets/oven.rs",
            "fn main() {\n    let hidden = 3;\n    // ANCHOR: hot\n    \
             let shown = 2 < hidden;\n    // ANCHOR_END: hot\n    \
             assert!(shown);\n}\n",
        );
        book.write(
            "snippets/oven.svg",
            "<figure class=\"timeline\"><svg class=\"timeline\" \
             height=\"40\" viewBox=\"0 0 1 1\"><title>Two \
             ovens</title><rect width=\"1\"/></svg></figure>\n",
        );
        book.write("theme/timeline.css", ".oven > rect { fill: red; }");
        let arguments = ["build", "--dest", "out", "--epub"];
        let end = book.run(&arguments);
        assert!(end.status.success(), "{}", end.stderr);
        let file = book.at("out/the-village-its-bakers.epub");
        assert!(end.stdout.contains("the-village-its-bakers.epub"));
        assert!(book.at("out/index.html").is_file(), "and the pages");
        let bytes = fs::read(&file).expect("the EPUB");
        // What a reader of ZIP archives looks for, in the place where it looks.
        assert_eq!(&bytes[30..58], b"mimetypeapplication/epub+zip");

        let (names, mut read) = unpacked(&file);
        for path in ["title", "welcome", "bakery/bake-bread", "post/index"] {
            let name = format!("OEBPS/{path}.xhtml");
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        let welcome = read("OEBPS/welcome.xhtml");
        for part in [
            "href=\"bakery/bake-bread.xhtml#when-it-burns\"",
            "href=\"https://example.org/a.html\"",
            "<br/>",
            "<td>1 &lt; 2</td>",
            "<code>&amp;</code>",
            "let shown = 2 &lt; hidden;",
            "<img src=\"welcome.xhtml.1.svg\" alt=\"Two ovens\" height=\"40\"/>",
            "Hot.",
        ] {
            assert!(welcome.contains(part), "{part}: {welcome}");
        }
        for part in ["hidden = 3", "<svg", "<button", "class=\"header\""] {
            assert!(!welcome.contains(part), "{part}: {welcome}");
        }
        let ovens = read("OEBPS/welcome.xhtml.1.svg");
        for part in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"",
            "viewBox",
            ".oven &gt; rect { fill: red; }</style>",
            "<rect width=\"1\"/>",
        ] {
            assert!(ovens.contains(part), "{part}: {ovens}");
        }
        let bread = read("OEBPS/bakery/bake-bread.xhtml");
        assert!(bread.contains(" id=\"when-it-burns\""), "{bread}");
        assert!(bread.contains("href=\"../stylesheet.css\""), "{bread}");
        let nav = read("OEBPS/nav.xhtml");
        let post = nav.split("post/index.xhtml\">Post</a>").nth(1);
        let inside = post.and_then(|rest| rest.split("</ol>").next());
        assert!(inside.is_some_and(|i| i.contains("Send a letter")), "{nav}");
        let package = read("OEBPS/content.opf");
        let title = "<dc:title>The Village &amp; Its Bakers</dc:title>";
        assert!(package.contains(title), "{package}");

        // The same sources, the same bytes; and a date of the newest.
        assert!(book.run(&arguments).status.success());
        assert!(fs::read(&file).expect("the EPUB") == bytes);
        let page = fs::File::options().write(true).open(book.at("book.toml"));
        let day = Duration::from_secs(86_400 * 365 * 68 + 86_400 * 17);
        let day = std::time::SystemTime::UNIX_EPOCH + day;
        page.expect("ours").set_modified(day).expect("a date");
        assert!(book.run(&arguments).status.success());
        let package = unpacked(&file).1("OEBPS/content.opf");
        let date = "dcterms:modified\">2038-01-01T00:00:00Z<";
        assert!(package.contains(date), "{package}");
    });
}

// A book to try the command on

/// A small book in a temporary folder.
struct TestBook {
    folder: TempDir,
}

impl TestBook {
    fn new() -> TestBook {
        let folder = TempDir::new().expect("a temporary folder");
        let book = TestBook { folder };
        book.write("book.toml", "[book]\ntitle = \"Village\"\n");
        book.write(
            "src/SUMMARY.md",
            "# Summary\n\n\
             [Welcome](welcome.md)\n\n\
             - [Bake a loaf](bakery/bake-bread.md)\n\
             - [Post](post/README.md)\n  \
               - [Send a letter](post/send-letter.md)\n",
        );
        book.write("src/welcome.md", "# Welcome\n\nWelcome to the village.\n");
        let bread = book.recipe("../..", "bake_bread", "bread");
        let burnt = book.recipe("../..", "bake_bread_burnt", "smoke");
        let letter = book.recipe("../..", "send_letter", "sent");
        book.write(
            "src/bakery/bake-bread.md",
            &format!(
                "# Bake a loaf\n\nFlour and water.\n\n## In Rust\n\n{bread}\n\
                 ### When it burns\n\n{burnt}"
            ),
        );
        book.write("src/bakery/secret-recipe.png", "butter");
        book.write("src/post/README.md", "# Post\n\nThe post office.\n");
        book.write(
            "src/post/send-letter.md",
            &format!("# Send a letter\n\n{letter}"),
        );
        fs::create_dir(book.at("tmp")).expect("ours");
        book
    }

    /// Writes a program, and returns the fences that show it and its output on
    /// a page from which the book's folder is `up`.
    fn recipe(&self, up: &str, name: &str, output: &str) -> String {
        let program = "fn main() {\n    assert_eq!(1 + 1, 2);\n}\n";
        self.write(&format!("examples/{name}.rs"), program);
        format!(
            "```rust\n{{{{#include {up}/examples/{name}.rs}}}}\n```\n\n\
             ```console\n$ cargo run --example {name}\n{output}\n```\n"
        )
    }

    /// Adds a package with the program `bake_bread`.
    fn with_programs(&self) {
        self.write(
            "Cargo.toml",
            "[package]\nname = \"village\"\nedition = \"2024\"\n\n\
             [workspace]\n[lib]\npath = \"lib.rs\"\n",
        );
        self.write("lib.rs", "");
        self.write(
            "examples/bake_bread.rs",
            "fn main() {\n    \
                 let flour = std::io::read_to_string(std::io::stdin());\n    \
                 assert!(flour.is_ok());\n    \
                 println!(\"bread of {}\", flour.unwrap());\n    \
                 let root = std::fs::exists(\"book.toml\");\n    \
                 eprintln!(\"at the root: {root:?}\");\n    \
                 std::process::exit(7);\n\
             }\n",
        );
    }

    /// Replaces what the `main` of a program does.
    fn program(&self, name: &str, main: &str) {
        let main =
            format!("fn main() {{\n    assert_eq!(1, 1);\n    {main}\n}}\n");
        self.write(&format!("examples/{name}.rs"), &main);
    }

    /// Gives a program a lamp that is on as long as it runs; it never ends.
    fn with_lamp(&self, name: &str) -> Lamps {
        let lamps = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = lamps.local_addr().expect("bound");
        self.program(
            name,
            &format!(
                "let _lamp = std::net::TcpStream::connect({:?});\n    \
                 assert!(_lamp.is_ok());\n    \
                 loop {{\n        std::thread::park();\n    }}",
                address.to_string()
            ),
        );
        Lamps(lamps)
    }

    /// Serves a book whose programs are built in a folder of their own.
    fn kitchen(&self) -> Server {
        let mut command = self.command(&["--port", "0"]);
        Server::start(command.env("CARGO_TARGET_DIR", self.at("target")))
    }

    fn nothing_is_left(&self) {
        let left: Vec<_> =
            fs::read_dir(self.at("tmp")).expect("TMPDIR").collect();
        assert!(left.is_empty(), "{left:?}");
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.at(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("ours");
        fs::write(file, text).expect("ours");
    }

    fn append(&self, path: &str, text: &str) {
        let old = fs::read_to_string(self.at(path)).expect("ours");
        self.write(path, &(old + text));
    }

    fn replace(&self, path: &str, from: &str, to: &str) {
        let old = fs::read_to_string(self.at(path)).expect("ours");
        assert!(old.contains(from), "{path} has no {from:?}");
        self.write(path, &old.replace(from, to));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = cookbook(arguments);
        command.current_dir(self.folder.path()).env("TMPDIR", self.at("tmp"));
        command
    }

    fn run(&self, arguments: &[&str]) -> End {
        finish(&mut self.command(arguments))
    }

    fn serve(&self, arguments: &[&str]) -> Server {
        Server::start(&mut self.command(arguments))
    }
}

fn cookbook(arguments: &[&str]) -> Command {
    let mut command = Command::new(COMMAND);
    // No error may show a backtrace, even where one is asked for.
    command.args(arguments).env("RUST_BACKTRACE", "full");
    command
}

// A process, never left behind and never waited for without a limit

/// A process that is killed when a test is done with it.
struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

/// How a process has ended, and what it has said.
struct End {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Running {
    /// Starts it with nothing on stdin; what it says is read.
    fn start(command: &mut Command) -> Running {
        Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))
    }

    /// Starts it with the stdin and stdout that the command names.
    fn spawn(command: &mut Command) -> Running {
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command has been built");
        let stdout = child.stdout.take().map(lines).unwrap_or_else(nothing);
        let stderr = child.stderr.take().map(lines).unwrap_or_else(nothing);
        Running { child, stdout, stderr }
    }

    /// Waits for the end, which closes both streams.
    fn end(mut self, limit: Duration) -> End {
        let stdout = rest(&self.stdout, limit);
        let stderr = rest(&self.stderr, limit);
        let status = self.child.wait().expect("a child of ours");
        End { status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream, with their ends, as they come.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if send.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    lines
}

fn nothing() -> Receiver<String> {
    mpsc::channel().1
}

/// What comes until the stream ends.
fn rest(lines: &Receiver<String>, limit: Duration) -> String {
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

fn finish(command: &mut Command) -> End {
    Running::start(command).end(LIMIT)
}

/// Runs what must fail, and returns its one sentence.
fn refused(command: &mut Command) -> String {
    let End { status, stdout, stderr } = finish(command);
    assert_eq!(status.code(), Some(1), "{stdout}{stderr}");
    assert_eq!(stdout, "");
    assert!(stderr.starts_with("error: "), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "one sentence: {stderr}");
    assert!(stderr.contains("; "), "a way out: {stderr}");
    stderr
}

// A server and its answers

struct Server {
    running: Running,
    /// As printed, without `http://`.
    address: String,
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    fn start(command: &mut Command) -> Server {
        let running = Running::start(command);
        let Ok(line) = running.stdout.recv_timeout(LIMIT) else {
            panic!("no address: {}", rest(&running.stderr, LIMIT));
        };
        let (_, url) = line.split_once("http://").expect("an address");
        let address = url.split_whitespace().next().expect("an address");
        Server { running, address: address.to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("not zero");
        stream
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    /// Sends a request with these lines in its head.
    fn ask(&self, method: &str, path: &str, lines: &str) -> Answer {
        self.ask_as(&self.address, method, path, lines)
    }

    /// The same, by another name of the server's.
    fn ask_as(
        &self,
        host: &str,
        method: &str,
        path: &str,
        lines: &str,
    ) -> Answer {
        let mut stream = self.connect();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n\
             Connection: close\r\n{lines}\r\n",
        )
        .expect("it reads");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("it answers and closes");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// Runs a program as a page of the book does, to its end.
    fn order(&self, name: &str) -> Answer {
        let origin = format!("Origin: http://{}\r\n", self.address);
        self.ask("POST", &format!("/run/{name}"), &origin)
    }

    /// Runs a program, and does not wait for its end.
    fn start_order(&self, name: &str) -> TcpStream {
        let mut stream = self.connect();
        let address = &self.address;
        write!(
            stream,
            "POST /run/{name} HTTP/1.1\r\nHost: {address}\r\n\
             Origin: http://{address}\r\n\r\n"
        )
        .expect("it reads");
        stream
    }

    fn terminate(self) -> End {
        self.end_by("TERM", END)
    }

    fn end_by(self, signal: &str, limit: Duration) -> End {
        // std has no signals; every shell has this.
        let pid = self.running.child.id().to_string();
        let sent = Command::new("/bin/sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid])
            .status();
        assert!(sent.expect("a shell").success());
        self.running.end(limit)
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// The lines of JSON, without the lengths of the chunks around them.
    fn lines(&self) -> Vec<String> {
        let lines = self.body.lines().filter(|line| line.starts_with('{'));
        lines.map(ToOwned::to_owned).collect()
    }

    /// The value of a header; empty where there is none.
    fn header(&self, name: &str) -> &str {
        let headers = self.head.lines().filter_map(|l| l.split_once(": "));
        let mut named = headers.filter(|(key, _)| *key == name);
        named.next().map(|(_, value)| value).unwrap_or_default()
    }
}

/// Where programs connect to that have a lamp.
struct Lamps(TcpListener);

/// On, until the program is gone.
struct Lamp(TcpStream);

impl Lamps {
    /// The next lamp; its program may have to be built before.
    fn accept(&self) -> Lamp {
        self.0.set_nonblocking(true).expect("a listener");
        let lamp = (0..BUILD.as_millis() / 10).find_map(|_| {
            thread::sleep(Duration::from_millis(10));
            Some(self.0.accept().ok()?.0)
        });
        let lamp = lamp.expect("the program starts");
        lamp.set_nonblocking(false).expect("a stream");
        lamp.set_read_timeout(Some(LIMIT)).expect("not zero");
        Lamp(lamp)
    }
}

impl Lamp {
    fn goes_out(&mut self) {
        let end = self.0.read(&mut [0]);
        // Killed, it may close the connection or reset it.
        let out =
            !end.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        assert!(out, "the program still runs");
    }
}

/// The first link of a page to a file with this beginning and ending.
fn link<'a>(html: &'a str, beginning: &str, ending: &str) -> &'a str {
    let links = html.split('"').skip(1).step_by(2);
    let mut found =
        links.filter(|l| l.starts_with(beginning) && l.ends_with(ending));
    found.next().unwrap_or_else(|| panic!("no link {beginning}…{ending}"))
}
