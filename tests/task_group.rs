//! The task group of the book does what Python's does: both programs have the
//! same lines, the one as its output, the other in what it asserts.

use std::fs;

use crate::{BOOK, printed};

#[test]
fn the_cases_end_in_python_as_they_do_in_rust() {
    let file = "snippets/tasks/task-group/task_group_spawn.py";
    let python = fs::read_to_string(file).expect("a snippet");
    let table = python.split_once("CASES = \"\"\"\\\n").expect("a table").1;
    let table = table.split_once("\"\"\"").expect("its end").0;
    let printed = printed(&BOOK, "task_group_spawn");
    assert_eq!(table.lines().count(), 18);
    let cases: Vec<&str> = printed.lines().take(18).collect();
    assert_eq!(table.lines().collect::<Vec<_>>(), cases);
    assert!(python.contains("assert line == runner.run("));
}
