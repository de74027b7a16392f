//! The service of the book answers as the one in FastAPI does: both programs
//! have the same lines, the one as its output, the other in what it asserts.

use std::fs;

use crate::{BOOK, printed};

#[test]
fn the_requests_are_answered_in_python_as_they_are_in_rust() {
    let file = "snippets/web/endpoints/endpoints.py";
    let python = fs::read_to_string(file).expect("a snippet");
    let table = python.split_once("CASES = \"\"\"\\\n").expect("a table").1;
    let table = table.split_once("\"\"\"").expect("its end").0;
    let printed = printed(&BOOK, "endpoints");
    assert_eq!(table.lines().count(), 24);
    let cases: Vec<&str> = printed.lines().take(24).collect();
    assert_eq!(table.lines().collect::<Vec<_>>(), cases);
    assert!(python.contains("assert \"\".join(lines) == CASES"));
}
