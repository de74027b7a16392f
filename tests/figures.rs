//! A measured figure in the prose is one of the file that the page shows, and
//! a plot is drawn from the file of results.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::BOOK;

#[path = "../benches/asyncio/figures.rs"]
mod asyncio;

/// `1.53`, `12 times`, `129 k`, `34.5 MiB`.
static FIGURE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\b(\d+\.\d+)\b|\b(\d+) (?:times|k|M|KiB|MiB|B)\b";
    Regex::new(pattern).expect("a valid pattern")
});

fn figures(text: &str) -> BTreeSet<String> {
    let found = FIGURE.captures_iter(text);
    let found = found.filter_map(|found| found.get(1).or(found.get(2)));
    found.map(|figure| figure.as_str().to_owned()).collect()
}

#[test]
fn every_figure_in_the_prose_is_measured() {
    let mut pages = 0;
    for page in &BOOK.pages {
        let mut measured = BTreeSet::new();
        for file in page.blocks.iter().flat_map(|block| &block.files) {
            if file.extension().is_some_and(|of| of == "txt")
                && file.starts_with("benches")
            {
                measured.extend(figures(&read(file)));
            }
        }
        if measured.is_empty() {
            continue;
        }
        pages += 1;
        let named = figures(&in_prose(&page.file));
        let name = page.file.display();
        assert!(named.len() > 3, "{name}: names no figures");
        for figure in named {
            assert!(
                measured.contains(&figure),
                "{name}: {figure} is none of the figures that it shows; \
                 take them from there"
            );
        }
    }
    assert!(pages > 0, "the pages with figures have gone");
}

const PAGE: &str = "performance/figures.md";

/// What the plots of a section say in words, by the id of its heading.
fn sections() -> BTreeMap<String, BTreeSet<String>> {
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut id = String::new();
    for line in read(&Path::new("book").join(PAGE)).lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            let of = heading.split_once("{#").unwrap_or_default().1;
            id = of.trim_end_matches('}').to_owned();
        } else if let Some(plot) = line
            .strip_prefix("{{#include ../../")
            .and_then(|it| it.strip_suffix(".svg}}"))
        {
            let plot = read(Path::new(&format!("{plot}.svg")));
            let words = plot.lines().filter(|line| line.starts_with("<li>"));
            let words: String = words.collect();
            sections.entry(id.clone()).or_default().extend(figures(&words));
        }
    }
    sections
}

/// On the page of the plots a figure belongs to the section; elsewhere to the
/// section that its paragraph links to.
#[test]
fn every_figure_beside_a_plot_is_measured() {
    let sections = sections();
    assert!(sections.len() > 9, "the plots have gone");
    let mut faults = Vec::new();
    let mut check = |page: &Path, section: &str, text: &str| {
        let measured = sections.get(section);
        for figure in figures(text) {
            if !measured.is_some_and(|figures| figures.contains(&figure)) {
                faults.push(format!(
                    "{}: {figure} is none of the figures at #{section}; take \
                     them from there",
                    page.display()
                ));
            }
        }
    };
    for page in &BOOK.pages {
        let mut section = "";
        let prose = in_prose(&page.file);
        for paragraph in prose.split("\n\n") {
            if page.path == Path::new(PAGE) {
                if paragraph.starts_with("## ") {
                    let id = paragraph.split_once("{#").unwrap_or_default().1;
                    section = id.trim_end_matches('}');
                }
                check(&page.file, section, paragraph);
            } else if let Some((_, link)) = paragraph.split_once("figures.md#")
            {
                let end = link.find(')').unwrap_or(link.len());
                check(&page.file, &link[..end], paragraph);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_plot_is_drawn_from_the_results_and_shown() {
    let results = asyncio::read(Path::new(".")).expect("the results");
    let drawn = asyncio::draw(&results);
    let plots = BOOK.pages.iter().flat_map(|page| &page.plots);
    let mut shown: BTreeMap<_, _> = plots
        .map(|plot| (plot.file.display().to_string(), &plot.text))
        .collect();
    let page = read(&Path::new("book").join(PAGE));
    for (name, text) in &drawn {
        let file = format!("{}/{name}", asyncio::PLOTS);
        let included = page.contains(&format!("{{{{#include ../../{file}}}}}"));
        let own = included.then(|| read(Path::new(&file)));
        let shown = shown.remove(&file).or(own.as_ref());
        assert!(
            shown.unwrap_or_else(|| panic!("no page shows {file}")) == text,
            "{file} is not drawn from {}; `cargo bench --bench asyncio -- \
             --draw` draws it anew",
            asyncio::RESULT
        );
    }
    assert!(shown.is_empty(), "drawn from nothing: {:?}", shown.keys());
}

/// The first way is what the others are compared with.
#[test]
fn every_ratio_is_that_of_its_case() {
    let results = asyncio::read(Path::new(".")).expect("the results");
    let near = |ratio: f64, of: f64| (ratio / of - 1.0).abs() < 0.01;
    for case in &results.case {
        let first = &case.way[0];
        assert!(first.python, "{}: begins with {}", case.name, first.name);
        assert!(case.way.iter().any(|way| !way.python), "{}", case.name);
        for way in &case.way {
            let name = format!("{}, {}", case.name, way.name);
            assert!(way.least <= way.rate && way.rate <= way.most, "{name}");
            assert!(near(way.speed, way.rate / first.rate), "{name}");
            assert_eq!(way.space.is_some(), first.space.is_some(), "{name}");
            if let Some((space, memory)) = way.space.zip(way.memory) {
                let first = first.memory.expect("it has space");
                assert!(near(space, memory / first), "{name}");
            }
            assert!(way.name.len() <= 32, "{name}: too long for a phone");
        }
    }
}

fn read(file: &Path) -> String {
    let name = file.display();
    fs::read_to_string(file).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// A page without its fences and its links' targets.
fn in_prose(file: &Path) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in read(file).lines() {
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
