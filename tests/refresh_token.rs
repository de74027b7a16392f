//! The page on tokens shows its clerk twice, and it is the same one.

use std::fs;

#[test]
fn both_programs_have_the_same_clerk() {
    let passes = |name: &str| -> String {
        let file = format!("snippets/time/refresh-token/{name}.rs");
        let program = fs::read_to_string(file).expect("a snippet");
        let passes = program.split_once("// ANCHOR: passes\n").expect("them");
        passes
            .1
            .split_once("// ANCHOR_END: passes\n")
            .expect("its end")
            .0
            .into()
    };
    assert_eq!(passes("refresh_token"), passes("refresh_token_down"));
}
