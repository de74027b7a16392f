//! A measured figure in the prose is one of the file that the page shows, and
//! a plot is drawn from its file of results.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::BOOK;

#[path = "../benches/asyncio/figures.rs"]
mod asyncio;
#[path = "../benches/turns/plots.rs"]
mod plots;
#[path = "../benches/ways/figures.rs"]
mod ways;

/// `1.53`, `12 times`, `129 k`, `34.5 MiB`, `250 ns`.
static FIGURE: LazyLock<Regex> = LazyLock::new(|| {
    let units = "times|k|M|G|KiB|MiB|kB|MB|GB|B|ns|µs|ms|s|%";
    let pattern = format!(r"\b(\d+\.\d+)\b|\b(\d+) ?(?:{units})(?:\W|$)");
    Regex::new(&pattern).expect("a valid pattern")
});

fn figures(text: &str) -> BTreeSet<String> {
    let found = FIGURE.captures_iter(text);
    let found = found.filter_map(|found| found.iter().skip(1).flatten().next());
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

/// The pages of plots, by their names in a link.
const PAGES: [&str; 2] = ["figures.md", "ways.md"];

fn text(page: &str) -> String {
    read(&Path::new("book/performance").join(page))
}

/// What the plots of a section say in words, by the id of its heading.
fn sections(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut id = String::new();
    for line in text(page).lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            id = id_of(heading).to_owned();
        } else if let Some(plot) = line
            .strip_prefix("{{#include ../../")
            .and_then(|it| it.strip_suffix(".svg}}"))
        {
            let plot = read(Path::new(&format!("{plot}.svg")));
            let words = plot.lines().filter(|line| {
                line.starts_with("<li>") || line.starts_with("<figcaption>")
            });
            let words: String = words.collect();
            sections.entry(id.clone()).or_default().extend(figures(&words));
        }
    }
    assert!(sections.len() > 5, "{page}: the plots have gone");
    sections
}

fn id_of(heading: &str) -> &str {
    let (_, id) = heading.split_once("{#").unwrap_or_default();
    id.trim_end_matches('}')
}

/// On a page of plots a figure belongs to the section; elsewhere to one of the
/// sections that its paragraph links to.
#[test]
fn every_figure_beside_a_plot_is_measured() {
    let sections = PAGES.map(|page| (page, sections(page)));
    let mut faults = Vec::new();
    for page in &BOOK.pages {
        let own = sections.iter().find(|(name, _)| {
            page.file.ends_with(format!("performance/{name}"))
        });
        let mut section = String::new();
        for paragraph in in_prose(&page.file).split("\n\n").map(str::trim) {
            if paragraph.starts_with("## ") {
                section = id_of(paragraph).to_owned();
            }
            let mut at = Vec::new();
            match own {
                Some((_, own)) => at.push((own, section.as_str())),
                None => {
                    for (name, sections) in &sections {
                        let link = format!("{name}#");
                        for rest in paragraph.split(&link).skip(1) {
                            let end = rest.find(')').unwrap_or(rest.len());
                            at.push((sections, &rest[..end]));
                        }
                    }
                    if at.is_empty() {
                        continue;
                    }
                }
            }
            let shown: Vec<_> =
                at.iter().filter_map(|(of, id)| of.get(*id)).collect();
            for figure in figures(paragraph) {
                if !shown.iter().any(|figures| figures.contains(&figure)) {
                    let ids: Vec<_> = at.iter().map(|(_, id)| *id).collect();
                    faults.push(format!(
                        "{}: {figure} is none of the figures at #{}; take \
                         them from there",
                        page.file.display(),
                        ids.join(", #")
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_plot_is_drawn_from_the_results_and_shown() {
    let root = Path::new(".");
    let asyncio = asyncio::draw(&asyncio::read(root).expect("the results"));
    let ways = ways::draw(&ways::read(root).expect("the results"));
    let plots = BOOK.pages.iter().flat_map(|page| &page.plots);
    let mut shown: BTreeMap<_, _> = plots
        .map(|plot| (plot.file.display().to_string(), &plot.text))
        .collect();
    let benches =
        [(asyncio::PLOTS, asyncio, PAGES[0]), (ways::PLOTS, ways, PAGES[1])];
    for (folder, drawn, page) in benches {
        let page = text(page);
        for (name, text) in &drawn {
            let file = format!("{folder}/{name}");
            let included = page.contains(&include(&file))
                || recipes_that_show(&file).next().is_some();
            let own = included.then(|| read(Path::new(&file)));
            let shown = shown.remove(&file).or(own.as_ref());
            assert!(
                shown.unwrap_or_else(|| panic!("no page shows {file}")) == text,
                "{file} is not drawn from {folder}.toml; `cargo bench --bench \
                 {} -- --draw` draws it anew",
                folder.trim_start_matches("benches/")
            );
        }
    }
    assert!(shown.is_empty(), "drawn from nothing: {:?}", shown.keys());
}

fn include(file: &str) -> String {
    format!("{{{{#include ../../{file}}}}}")
}

/// The pages outside of this chapter's two.
fn recipes_that_show(file: &str) -> impl Iterator<Item = &Path> {
    let include = include(file);
    let pages = BOOK.pages.iter().map(|page| page.file.as_path());
    pages.filter(move |page| {
        !PAGES.iter().any(|name| page.ends_with(format!("performance/{name}")))
            && read(page).contains(&include)
    })
}

/// A section that links to recipes compares them: each says how fast it is.
#[test]
fn every_recipe_that_is_compared_says_how_fast_it_is() {
    let link = Regex::new(r"\]\((?:\.\./)?(\S+\.md)\)").expect("a pattern");
    let plot = Regex::new(r"\{\{#include \.\./\.\./(\S+)\.svg\}\}");
    let plot = plot.expect("a pattern");
    let mut recipes = BTreeSet::new();
    for section in text(PAGES[0]).split("\n## ") {
        for plot in plot.captures_iter(section) {
            let line = format!("{}.md", &plot[1]);
            for recipe in link.captures_iter(section) {
                assert!(
                    recipes_that_show(&line).any(|it| it.ends_with(&recipe[1])),
                    "{} does not show {line}, which compares it with asyncio; \
                     include it below \"How fast\"",
                    &recipe[1]
                );
                recipes.insert(recipe[1].to_owned());
            }
        }
    }
    assert!(recipes.len() > 9, "the recipes have gone: {recipes:?}");
}

/// The cases of a benchmark and their ways, as its source lists them.
fn planned(file: &str, way: &str) -> Vec<(String, Vec<String>)> {
    let source = read(Path::new(file));
    let name = Regex::new(r#"^\s*name: "([^"]+)""#).expect("a pattern");
    let way = Regex::new(way).expect("a pattern");
    let ways = |text: &str| -> Vec<String> {
        way.captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let (_, plans) = source.split_once("PLANS: [").expect("plans");
    let (plans, rest) = plans.split_once("\n];").expect("their end");
    let plans = plans.split("    Plan {\n").skip(1);
    plans
        .map(|plan| {
            let found = name.captures(plan).expect("a name");
            let of_two = plan.contains("ways: &SLEEPING");
            (found[1].to_owned(), ways(if of_two { rest } else { plan }))
        })
        .collect()
}

/// Nothing is left out of the results, and they are of a quiet machine.
#[test]
fn the_results_are_of_all_that_is_measured() {
    let root = Path::new(".");
    let asyncio = asyncio::read(root).expect("the results");
    let names = |way: &asyncio::Way| way.name.clone();
    let measured = asyncio.case.iter().map(|case| {
        (case.name.clone(), case.way.iter().map(names).collect::<Vec<_>>())
    });
    let way = r#"\(\s*"([^"]+)",\s*(?:Python|Rust|Limit)\("#;
    let plans = planned("benches/asyncio/plans.rs", way);
    assert_eq!(measured.collect::<Vec<_>>(), plans);

    let ways = ways::read(root).expect("the results");
    for size in 0..3 {
        let measured = ways.case.iter().map(|case| {
            let names = case.size[size].way.iter().map(|way| way.name.clone());
            (case.name.clone(), names.collect::<Vec<_>>())
        });
        let way = r#"\(\s*"([^"]+)",\s*"(?:one|all)""#;
        let plans = planned("benches/ways/main.rs", way);
        assert_eq!(measured.collect::<Vec<_>>(), plans);
    }
    for machine in [asyncio.machine, ways.machine] {
        assert!(machine.quiet && machine.rounds >= 3, "a rough run");
    }
}

fn near(ratio: f64, of: f64) -> bool {
    (ratio / of - 1.0).abs() < 0.01
}

/// The first way is what the others are compared with.
#[test]
fn every_ratio_is_that_of_its_case() {
    let results = asyncio::read(Path::new(".")).expect("the results");
    for case in &results.case {
        let first = &case.way[0];
        assert!(
            first.kind == asyncio::Kind::Python,
            "{}: begins with {}",
            case.name,
            first.name
        );
        assert!(
            case.way.iter().any(|way| way.kind == asyncio::Kind::Rust),
            "{}",
            case.name
        );
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

#[test]
fn every_ratio_is_that_of_its_size() {
    let results = ways::read(Path::new(".")).expect("the results");
    for case in &results.case {
        assert_eq!(case.size.len(), 3, "{}: shows no growth", case.name);
        let names = |size: &ways::Size| -> Vec<String> {
            size.way.iter().map(|way| way.name.clone()).collect()
        };
        for size in &case.size {
            let first = &size.way[0];
            assert_eq!(names(size), names(&case.size[0]), "{}", case.name);
            assert!(size.way.len() > 1, "{}: no choice", case.name);
            for way in &size.way {
                let name =
                    format!("{}, {}, {}", case.name, size.name, way.name);
                assert!(
                    way.least <= way.cost && way.cost <= way.most,
                    "{name}"
                );
                assert!(near(way.speed, first.cost / way.cost), "{name}");
                assert!(way.name.len() <= 32, "{name}: too long for a phone");
            }
        }
    }
}

fn read(file: &Path) -> String {
    let name = file.display();
    fs::read_to_string(file).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// A page without its fences, its links' targets and what it includes.
fn in_prose(file: &Path) -> String {
    let definition = Regex::new(r"^\[[^\]]+\]: ").expect("a pattern");
    let mut fenced = false;
    let mut prose = String::new();
    for line in read(file).lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced
            && !definition.is_match(line)
            && !line.contains("{{#include")
        {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    assert!(!fenced, "{}: a fence without end", file.display());
    prose
}
