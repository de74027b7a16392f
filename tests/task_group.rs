//! The task group of the book does what Python's does: both programs have the
//! same lines, the one as its output, the other in what it asserts.

use std::fs;

use crate::{BOOK, printed};

fn read(file: &str) -> String {
    let file = format!("snippets/tasks/task-group/{file}");
    fs::read_to_string(file).expect("a snippet")
}

#[test]
fn ten_cases_end_in_python_as_they_do_in_rust() {
    let python = read("task_group_cases.py");
    let table = python.split_once("CASES = \"\"\"\\\n").expect("a table").1;
    let table = table.split_once("\"\"\"").expect("its end").0;
    assert_eq!(table, printed(&BOOK, "task_group_cases"));
    assert_eq!(table.lines().count(), 10);
    assert!(python.contains("assert line == runner.run("));
}

#[test]
fn every_program_has_the_same_task_group() {
    let group = |name: &str| {
        let program = read(&format!("{name}.rs"));
        let group = program.split_once("// ANCHOR: group\n").expect("a group");
        group.1.split_once("// ANCHOR_END: group\n").expect("its end").0.into()
    };
    let shown: String = group("task_group");
    for name in ["task_group_cases", "task_group_limit", "task_group_more"] {
        assert_eq!(group(name), shown, "{name}");
    }
}
