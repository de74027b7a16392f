//! A small book to try the command on.

use std::fs;
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::process::{End, cookbook, finish};
use crate::support::server::Server;
use crate::{BUILD, LIMIT};

pub const FIND: &str = "src/tracking/find-parcel.md";
pub const PRINT: &str = "src/labels/print-label.md";

/// A book in a temporary folder, whose name is as inconvenient as a reader's
/// may be.
pub struct TestBook {
    root: PathBuf,
    _folder: TempDir,
}

impl TestBook {
    pub fn new() -> TestBook {
        let folder = TempDir::with_prefix("čook book ").expect("a folder");
        let root = folder.path().canonicalize().expect("it exists");
        let book = TestBook { root, _folder: folder };
        book.write("book.toml", "[book]\ntitle = \"Parcels\"\n");
        book.write(
            "src/SUMMARY.md",
            "# Summary\n\n\
             [Welcome](welcome.md)\n\n\
             - [Find a parcel](tracking/find-parcel.md)\n\
             - [Labels](labels/README.md)\n  \
               - [Print a label](labels/print-label.md)\n",
        );
        book.write("src/welcome.md", "# Welcome\n\nWelcome to the depot.\n");
        let find = book.recipe("../..", "find_parcel", "found");
        let unknown = book.recipe("../..", "find_parcel_unknown", "unknown");
        let print = book.recipe("../..", "print_label", "printed");
        book.write(
            FIND,
            &format!(
                "# Find a parcel\n\nBy its number.\n\n## In Rust\n\n{find}\n\
                 ### When it is unknown\n\n{unknown}"
            ),
        );
        book.write("src/tracking/secret-map.png", "the map");
        book.write("src/labels/README.md", "# Labels\n\nLabels by the roll.\n");
        book.write(PRINT, &format!("# Print a label\n\n{print}"));
        fs::create_dir(book.at("tmp")).expect("a folder of this test");
        book
    }

    /// Writes a program, and returns the fences that show it and its output on
    /// a page from which the book's folder is `up`.
    pub fn recipe(&self, up: &str, name: &str, output: &str) -> String {
        let program = "fn main() {\n    assert_eq!(1 + 1, 2);\n}\n";
        self.write(&format!("examples/{name}.rs"), program);
        format!(
            "```rust\n{{{{#include {up}/examples/{name}.rs}}}}\n```\n\n\
             ```console\n$ cargo run --example {name}\n{output}\n```\n"
        )
    }

    /// Adds a package with the program `find_parcel`.
    pub fn with_programs(&self) {
        self.write(
            "Cargo.toml",
            "[package]\nname = \"parcels\"\nedition = \"2024\"\n\n\
             [workspace]\n[lib]\npath = \"lib.rs\"\n",
        );
        self.write("lib.rs", "");
        self.write(
            "examples/find_parcel.rs",
            "fn main() {\n    \
                 let number = std::io::read_to_string(std::io::stdin());\n    \
                 assert!(number.is_ok());\n    \
                 println!(\"parcel {}\", number.unwrap());\n    \
                 let root = std::fs::exists(\"book.toml\");\n    \
                 eprintln!(\"at the root: {root:?}\");\n    \
                 std::process::exit(7);\n\
             }\n",
        );
    }

    /// Replaces the body of a program's `main`.
    pub fn program(&self, name: &str, main: &str) {
        let main =
            format!("fn main() {{\n    assert_eq!(1, 1);\n    {main}\n}}\n");
        self.write(&format!("examples/{name}.rs"), &main);
    }

    /// Makes a program endless: it connects to the listener, prints a line,
    /// and keeps the connection as long as it runs.
    pub fn endless_program(&self, name: &str) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        self.program(
            name,
            &format!(
                "let conn = std::net::TcpStream::connect({address:?});\n    \
                 assert!(conn.is_ok());\n    \
                 println!(\"running\");\n    \
                 loop {{\n        std::thread::park();\n    }}"
            ),
        );
        Listener(listener)
    }

    /// Serves the book, whose programs are built in a folder of their own.
    pub fn serve_programs(&self) -> Server {
        let mut command = self.command(&["--port", "0"]);
        Server::start(command.env("CARGO_TARGET_DIR", self.at("target")))
    }

    pub fn nothing_is_left(&self) {
        let left: Vec<_> =
            fs::read_dir(self.at("tmp")).expect("TMPDIR").collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// The absolute path of a file of the book.
    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).expect("a file of the book")
    }

    /// Writes a file at once, as editors do: a server sees no half of it.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.at(path);
        let folder = file.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a folder of this test");
        let part = self.at("part");
        fs::write(&part, text).expect("a file of this test");
        fs::rename(part, file).expect("a file of this test");
    }

    pub fn append(&self, path: &str, text: &str) {
        self.write(path, &(self.read(path) + text));
    }

    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let old = self.read(path);
        assert!(old.contains(from), "{path} has no {from:?}");
        self.write(path, &old.replace(from, to));
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = cookbook(arguments);
        command.current_dir(&self.root).env("TMPDIR", self.at("tmp"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> End {
        finish(&mut self.command(arguments))
    }

    pub fn serve(&self, arguments: &[&str]) -> Server {
        Server::start(&mut self.command(arguments))
    }
}

/// Accepts the connection of each run of an endless program.
pub struct Listener(TcpListener);

/// A run of an endless program.
pub struct Run(TcpStream);

impl Listener {
    /// The next run; the program may have to be built first.
    pub fn accept(&self) -> Run {
        self.0.set_nonblocking(true).expect("a listener");
        let conn = (0..BUILD.as_millis() / 10).find_map(|_| {
            thread::sleep(Duration::from_millis(10));
            Some(self.0.accept().ok()?.0)
        });
        let conn = conn.expect("the program starts");
        conn.set_nonblocking(false).expect("a stream");
        conn.set_read_timeout(Some(LIMIT)).expect("not zero");
        Run(conn)
    }
}

impl Run {
    pub fn ends(mut self) {
        let end = self.0.read(&mut [0]);
        // A killed program may close the connection or reset it.
        let open = end.is_err_and(|e| e.kind() == ErrorKind::WouldBlock);
        assert!(!open, "the program still runs");
    }
}
