//! `list`.

use std::io;

use crate::support::book::{FIND, PRINT, TestBook};
use crate::support::process::Running;
use crate::{LIMIT, with_command};

#[test]
fn list_shows_chapter_name_and_title_in_columns() {
    with_command(|| {
        let end = TestBook::new().run(&["list"]);
        assert_eq!(
            end.stdout,
            "\
tracking  find_parcel          Find a parcel
tracking  find_parcel_unknown  When it is unknown
labels    print_label          Print a label
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
        let line = "-         greet                Welcome\n";
        assert!(list.starts_with(line), "{list}");
    });
}

#[test]
fn list_shows_a_recipe_once() {
    with_command(|| {
        let book = TestBook::new();
        let whole = book.run(&["list"]).stdout;
        let again = book.recipe("../..", "find_parcel", "found");
        book.append(PRINT, &format!("\n{again}"));
        assert_eq!(book.run(&["list"]).stdout, whole);
    });
}

#[test]
fn list_fits_100_columns() {
    with_command(|| {
        let book = TestBook::new();
        let long = "Find ".repeat(30);
        book.replace(FIND, "When it is unknown", &long);
        let end = book.run(&["list"]);
        let widths: Vec<_> =
            end.stdout.lines().map(|l| l.chars().count()).collect();
        assert!(widths.iter().all(|width| *width <= 100), "{}", end.stdout);
        assert!(end.stdout.contains('…'), "{}", end.stdout);
    });
}

#[test]
fn list_into_a_closed_pipe_is_not_an_error() {
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
fn every_problem_of_the_book_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        let fences = "\n```\nx\n```\n\n```rust,ignore\nfn main() {}\n```\n";
        book.append(PRINT, fences);
        let end = book.run(&["list"]);
        assert_eq!(end.status.code(), Some(1));
        let errors = end.stderr.lines().filter(|l| !l.starts_with("help: "));
        let errors: Vec<_> = errors.collect();
        assert_eq!(errors.len(), 2, "{}", end.stderr);
        let place = format!("error: {PRINT}:");
        assert!(errors[0].starts_with(&place), "{}", errors[0]);
        assert!(errors[1].starts_with(&place), "{}", errors[1]);
    });
}
