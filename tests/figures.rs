//! A measured figure in the prose is one of the file that the page shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::BOOK;

#[test]
fn every_figure_in_the_prose_is_measured() {
    let figure = Regex::new(r"\b\d+\.\d\d\b").expect("a valid pattern");
    let mut pages = 0;
    for page in &BOOK.pages {
        let mut measured = BTreeSet::new();
        for file in page.blocks.iter().flat_map(|block| &block.files) {
            if file.starts_with("benches") {
                let text = fs::read_to_string(file).expect("shown");
                measured.extend(
                    figure.find_iter(&text).map(|f| f.as_str().to_owned()),
                );
            }
        }
        if measured.is_empty() {
            continue;
        }
        pages += 1;
        let text = fs::read_to_string(&page.file).expect("a page");
        let prose = in_prose(&text, &page.file);
        let named: Vec<&str> =
            figure.find_iter(&prose).map(|f| f.as_str()).collect();
        let name = page.file.display();
        assert!(named.len() > 3, "{name}: names no figures");
        for figure in named {
            assert!(
                measured.contains(figure),
                "{name}: {figure} is none of the figures that it shows; \
                 take them from there"
            );
        }
    }
    assert!(pages > 0, "the pages with figures have gone");
}

/// A page without its fences and its links' targets.
fn in_prose(text: &str, file: &Path) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with('[') {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    assert!(!fenced, "{}: a fence without end", file.display());
    prose
}
