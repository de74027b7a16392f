//! `run`.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::support::book::{FIND, PRINT, TestBook};
use crate::support::process::{Running, cookbook, error_of};
use crate::{BUILD, this_book, with_command, with_command_and};

#[test]
fn run_prints_what_the_page_shows() {
    const PAGE: &str = "book/core-patterns/fetch-json.md";
    let program = "snippets/core-patterns/fetch-json/fetch_json.rs";
    with_command_and(&[PAGE, program, "Cargo.lock"], || {
        let root = this_book();
        let page = fs::read_to_string(root.join(PAGE)).expect("the page");
        let output = page.split("\n$ cargo run --example fetch_json\n").nth(1);
        let output = output.and_then(|rest| rest.split("```").next());
        let output = output.expect("the page shows the output");
        for name in ["fetch_json", "fetch-json"] {
            let mut command = cookbook(&["run", name]);
            let end = Running::start(command.current_dir(root)).end(BUILD);
            assert!(end.status.success(), "{}", end.stderr);
            assert_eq!(end.stdout, output, "{}", end.stderr);
        }
    });
}

#[test]
fn run_passes_on_input_output_and_status() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        let mut command = book.command(&["run", "find-parcel"]);
        command.current_dir(book.at("src"));
        // Its recipes are built in a folder that no other test uses.
        command.env("CARGO_TARGET_DIR", book.at("target"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = Running::spawn(&mut command);
        let mut stdin = program.child.stdin.take().expect("piped");
        stdin.write_all(b"7").expect("the program reads it");
        drop(stdin);
        let end = program.end(BUILD);
        assert_eq!(end.stdout, "parcel 7\n");
        assert!(end.stderr.contains("at the root: Ok(true)"), "{}", end.stderr);
        assert_eq!(end.status.code(), Some(7));
    });
}

#[test]
fn run_takes_the_page_of_a_program_with_another_name() {
    with_command(|| {
        let book = TestBook::new();
        book.with_programs();
        for name in ["city", "city_unknown"] {
            book.recipe("../..", name, "city");
        }
        book.replace(FIND, "find_parcel", "city");
        book.replace(PRINT, "print_label", "find_parcel");
        let mut command = book.command(&["run", "print-label"]);
        command.env("CARGO_TARGET_DIR", book.at("target"));
        let end = Running::start(&mut command).end(BUILD);
        assert_eq!(end.stdout, "parcel \n", "{}", end.stderr);
    });
}

#[test]
fn run_of_an_unknown_name_shows_similar_names() {
    with_command(|| {
        let book = TestBook::new();
        assert_eq!(
            error_of(&mut book.command(&["run", "find-pracel"])),
            "error: no recipe is called `find-pracel`\n\
             help: similar names are `find_parcel`, `find_parcel_unknown`; \
             `cargo run list` shows all names\n"
        );
    });
}

#[test]
fn run_of_tests_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        book.write(
            "tests/weigh.rs",
            "#[test]\nfn it() {\n    assert_eq!(1 + 1, 2);\n}\n",
        );
        book.write(
            PRINT,
            "# Print a label\n\n\
             ```rust,test\n{{#include ../../tests/weigh.rs}}\n```\n\n\
             ```console\n$ cargo test --test weigh\ntest it ... ok\n```\n",
        );
        for name in ["weigh", "print-label"] {
            assert_eq!(
                error_of(&mut book.command(&["run", name])),
                format!(
                    "error: `{name}` is a file of tests, not a program\n\
                     help: run it with `cargo test --test weigh`\n"
                )
            );
        }
        // Of a page with both, `run` takes the program.
        let tests = book.read(PRINT).replace("# Print", "## Print");
        book.append(FIND, &tests);
        let mut command = book.command(&["run", "find-parcel"]);
        let message = error_of(command.env("CARGO", book.at("no-cargo")));
        assert!(message.starts_with("error: cannot start cargo"), "{message}");
        assert!(!book.run(&["list"]).stdout.contains("weigh"));
    });
}

#[test]
fn run_of_a_strange_name_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        for name in ["zzz", "", "$(touch hacked)", "; touch hacked", "--list"] {
            assert_eq!(
                error_of(&mut book.command(&["run", "--", name])),
                format!(
                    "error: no recipe is called `{name}`\n\
                     help: `cargo run list` shows all names\n"
                )
            );
        }
        assert!(!book.at("hacked").exists());
    });
}

#[test]
fn run_without_cargo_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["run", "find-parcel-unknown"]);
        assert_eq!(
            error_of(command.env("CARGO", book.at("no-cargo"))),
            "error: cannot start cargo: No such file or directory (os error \
             2)\n\
             help: install Rust from https://rustup.rs, or put cargo on the \
             PATH\n"
        );
    });
}
