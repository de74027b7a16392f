//! "By symptom" names messages that a program or the compiler has printed.

use std::fs;

use crate::BOOK;

const PAGE: &str = "reference/by-symptom.md";

/// Texts of the system, which no program of the book prints.
const OF_THE_SYSTEM: [&str; 3] = [
    "Address already in use",
    "fatal runtime error: stack overflow, aborting",
    "thread 'tokio-rt-worker' (42) has overflowed its stack",
];

/// A text without backticks and line breaks, which a string of a program may
/// have, too.
fn plain(text: &str) -> String {
    let text = text.replace("\\\n", "").replace("\\\"", "\"").replace('`', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The messages of a cell: code between commas.
fn messages(cell: &str) -> Vec<String> {
    let (mut found, mut before, mut rest) = (Vec::new(), "", cell);
    while let Some((prose, code)) = rest.split_once('`') {
        let more = code.len() - code.trim_start_matches('`').len();
        let fence = "`".repeat(more + 1);
        let (code, after) = code[more..].split_once(&fence).expect("code ends");
        let begins = prose.is_empty() && before.is_empty()
            || prose.ends_with(", ")
            || prose.ends_with(", then ");
        if begins && (after.is_empty() || after.starts_with(',')) {
            found.push(plain(code));
        }
        (before, rest) = (code, after);
    }
    found
}

#[test]
fn every_message_in_a_symptom_is_printed_by_a_program() {
    let page = BOOK.pages.iter().find(|page| page.path.ends_with(PAGE));
    let text = fs::read_to_string(&page.expect(PAGE).file).expect("a page");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split_once(" | "));
    let messages: Vec<_> =
        cells.flat_map(|(symptom, _)| messages(symptom)).collect();
    assert!(messages.len() > 100, "only {} messages", messages.len());

    let blocks: Vec<_> =
        BOOK.blocks().map(|(_, block)| plain(&block.text)).collect();
    let known = |message: &String| {
        OF_THE_SYSTEM.contains(&message.as_str())
            || blocks.iter().any(|block| block.contains(message))
    };
    let unknown: Vec<_> = messages.iter().filter(|it| !known(it)).collect();
    assert!(
        unknown.is_empty(),
        "error: {PAGE}: no block of the book has {unknown:#?}\n\
         help: write the message as a program prints it"
    );
}
