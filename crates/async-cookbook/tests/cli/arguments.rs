//! The arguments, and the folder in which the book is found.

use tempfile::TempDir;

use crate::support::book::TestBook;
use crate::support::process::{cookbook, error_of, finish};
use crate::with_command;

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
            (vec!["help", "port"], vec!["Python", "port --help"]),
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
            vec!["deliver"],
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
                let help = "expected an address such as \
                            https://example.org/book/";
                assert!(end.stderr.contains(help), "{}", end.stderr);
            }
        }
    });
}

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
fn outside_any_book_is_an_error() {
    with_command(|| {
        let folder = TempDir::new().expect("a temporary folder");
        let empty = folder.path().canonicalize().expect("it exists");
        let expected = format!(
            "error: no book in {} or above it\n\
             help: change to the cookbook's folder\n",
            empty.display()
        );
        for arguments in [vec![], vec!["build"], vec!["list"], vec!["run", "x"]]
        {
            let mut command = cookbook(&arguments);
            assert_eq!(error_of(command.current_dir(&empty)), expected);
        }
    });
}

#[test]
fn a_broken_book_toml_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        book.write("book.toml", "[book\n");
        let message = error_of(&mut book.command(&["build"]));
        let file = book.at("book.toml").display().to_string();
        let error = format!("error: cannot read {file}: Invalid configuration");
        assert!(message.starts_with(&error), "{message}");
        let [_, help] = message.lines().collect::<Vec<_>>()[..] else {
            panic!("two lines: {message}");
        };
        assert_eq!(help, "help: correct this file");
    });
}
