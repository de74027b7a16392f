//! The form of a page and of a program, as CONTRIBUTING.md describes it.

use std::fs;
use std::path::Path;

use mdbook_skeptic::{Block, Kind, Page};

use crate::BOOK;

const HEADINGS: [&str; 7] = [
    "In Python",
    "In Rust",
    "How it works",
    "What changes from Python",
    "Pitfalls",
    "Use it",
    "By other names",
];

/// The pages of a chapter, but for its opening, the reference and what shows
/// figures alone.
fn is_recipe(page: &Page) -> bool {
    !page.parents.is_empty()
        && !page.path.starts_with("reference")
        && page.plots.is_empty()
}

/// Pages about what the paused clock cannot show: connections, threads, files.
const WITHOUT_TIMELINE: [&str; 9] = [
    "advanced-patterns/threads.md",
    "best-practices/errors.md",
    "core-patterns/async-with.md",
    "core-patterns/fetch-json.md",
    "pitfalls/blocking-the-runtime.md",
    "testing/mock-server.md",
    "web/database.md",
    "web/endpoints.md",
    "web/postgres.md",
];

/// Programs about what blocks the real clock's timers.
const REAL_CLOCK: [&str; 1] = ["blocking_the_runtime_what"];

/// Reports all faults at once.
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_recipe_has_its_parts_in_order() {
    let mut faults = Vec::new();
    for page in BOOK.pages.iter().filter(|page| is_recipe(page)) {
        let name = page.file.display();
        let text = fs::read_to_string(&page.file).expect("a page");
        let found: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .filter(|heading| HEADINGS.contains(heading))
            .collect();
        if found != HEADINGS {
            faults.push(format!("{name}: has {found:?}, not {HEADINGS:?}"));
        }
        if !text.starts_with(&format!("# {}\n", page.title)) {
            faults.push(format!("{name}: SUMMARY.md calls it {}", page.title));
        }
        for what in ["See also:", "]: https://docs.rs/"] {
            if !text.contains(what) {
                faults.push(format!("{name}: has no {what:?}"));
            }
        }
        let has = |kind| page.blocks.iter().any(|block| block.kind == kind);
        if !has(Kind::Rust) && !has(Kind::Test) {
            faults.push(format!("{name}: has no program"));
        }
        for kind in [Kind::Python, Kind::Console, Kind::Toml] {
            if !has(kind.clone()) {
                faults.push(format!("{name}: has no {kind:?} block"));
            }
        }
    }
    none(faults);
}

/// A pitfall is shown by a program, here or in the section that it links to.
#[test]
fn every_pitfall_is_run() {
    let mut faults = Vec::new();
    for page in BOOK.pages.iter().filter(|page| is_recipe(page)) {
        let name = page.file.display();
        let text = fs::read_to_string(&page.file).expect("a page");
        let section = text.split("\n## Pitfalls\n").nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        let mut pitfalls: Vec<&str> = section.split("\n### ").collect();
        // What stands above the first heading introduces them.
        if pitfalls.len() > 1 {
            pitfalls.remove(0);
        }
        for pitfall in pitfalls {
            let links = pitfall.split("](").skip(1);
            let mut links = links.filter_map(|rest| rest.split(')').next());
            if !is_run(pitfall) && !links.any(|l| shows(page, l)) {
                let heading = pitfall.trim().lines().next();
                let heading = heading.unwrap_or("Pitfalls");
                faults.push(format!(
                    "{name}: nothing runs {heading:?}; show it by a program, \
                     or link to the section that does"
                ));
            }
        }
    }
    none(faults);
}

fn is_run(text: &str) -> bool {
    text.contains("\n```rust") || text.contains("\n```python")
}

/// Whether a link of this page leads to a section that is run.
fn shows(page: &Page, link: &str) -> bool {
    let Some((path, anchor)) = link.split_once('#') else { return false };
    let file = match path {
        "" => page.file.clone(),
        path => page.file.with_file_name(path),
    };
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut sections = text.split("\n##");
    sections.any(|section| {
        let heading = section.lines().next().unwrap_or_default();
        id(heading) == anchor && is_run(section)
    })
}

/// mdBook's anchor of a heading.
fn id(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = |c: &char| c.is_alphanumeric() || " _-".contains(*c);
    heading.replace(' ', "-").chars().filter(kept).collect()
}

#[test]
fn every_recipe_says_what_corresponds_in_python_and_rust() {
    let mut faults = Vec::new();
    for page in BOOK.pages.iter().filter(|page| is_recipe(page)) {
        let parts = page.parts.len();
        if !(2..=6).contains(&parts) {
            faults.push(format!(
                "{}: {parts} parts; put two to six anchors of the same name \
                 into its first Python and its first Rust program",
                page.file.display()
            ));
        }
    }
    none(faults);
}

#[test]
fn every_chapter_opens_with_what_it_is_for() {
    let mut faults = Vec::new();
    for page in &BOOK.pages {
        if page.path.ends_with("README.md") {
            let text = fs::read_to_string(&page.file).expect("a page");
            let words = text.split_whitespace().count();
            let folder = page.path.parent().expect("a chapter's folder");
            for entry in fs::read_dir(Path::new("book").join(folder))
                .expect("a chapter")
                .flatten()
            {
                let file = entry.file_name().to_string_lossy().into_owned();
                if file != "README.md" && !text.contains(&format!("]({file})"))
                {
                    faults.push(format!("{folder:?}: does not name {file}"));
                }
            }
            if words < 60 {
                faults.push(format!("{folder:?}: opens with {words} words"));
            }
        }
    }
    none(faults);
}

/// Whether a block shows a whole program, not a fragment of one.
fn is_whole(page: &Page, block: &Block) -> bool {
    let text = fs::read_to_string(&page.file).expect("a page");
    let line = text.lines().nth(block.line).unwrap_or_default();
    block.kind == Kind::Rust && line.starts_with("{{#include")
}

#[test]
fn every_program_is_followed_by_what_it_prints() {
    let mut faults = Vec::new();
    for page in &BOOK.pages {
        for (index, block) in page.blocks.iter().enumerate() {
            if !is_whole(page, block) {
                continue;
            }
            let program = block.file().and_then(Path::file_stem);
            let printed = page.blocks.get(index + 1).and_then(Block::example);
            if program.and_then(|stem| stem.to_str()) != printed {
                faults.push(format!(
                    "{}:{}: no output after this program",
                    page.file.display(),
                    block.line
                ));
            }
        }
    }
    none(faults);
}

#[test]
fn every_recipe_shows_who_ran_when() {
    let mut faults = Vec::new();
    for page in BOOK.pages.iter().filter(|page| is_recipe(page)) {
        let exempt = WITHOUT_TIMELINE.map(Path::new);
        let exempt = exempt.contains(&page.path.as_path());
        if exempt != page.pictures.is_empty() {
            faults.push(format!(
                "{}: has {} timelines; WITHOUT_TIMELINE says otherwise",
                page.file.display(),
                page.pictures.len()
            ));
        }
    }
    none(faults);
}

#[test]
fn every_program_has_the_form() {
    let mut faults = Vec::new();
    for (page, block) in BOOK.blocks() {
        if !block.kind.is_rust() || block.file().is_none() {
            continue;
        }
        let name = block.file().expect("a file").display();
        let mut fault = |what: String| {
            faults.push(format!("{name} ({}): {what}", page.file.display()));
        };
        let lines = block.text.lines().count();
        if lines > 100 {
            fault(format!("{lines} lines; 100 are the most"));
        }
        let file = block.file().and_then(Path::file_stem);
        let real =
            file.is_some_and(|f| REAL_CLOCK.map(Some).contains(&f.to_str()));
        let paused = real || block.text.contains("start_paused = true");
        let code = block.text.lines().filter(|line| {
            let line = line.trim_start();
            !line.starts_with("//")
        });
        for line in code {
            if line.chars().count() > 80 {
                fault(format!("over 80 columns: {line}"));
            }
            if line.contains(".unwrap()") {
                fault(format!("unwrap: {line}"));
            }
            if line.starts_with("use ") && line.ends_with("::*;") {
                fault(format!("a glob import: {line}"));
            }
            let asks = line.contains("var(\"") && line.contains('?');
            if asks && !line.contains(".context(") {
                fault(format!("an error that names no variable: {line}"));
            }
            let waits = line.contains("sleep(") && line.contains(".await");
            if waits && !paused {
                fault(format!("waits for real time to pass: {line}"));
            }
        }
    }
    none(faults);
}

#[test]
fn every_python_file_has_the_form() {
    let mut faults = Vec::new();
    for (_, block) in BOOK.blocks() {
        let Some(file) = block.file() else { continue };
        if block.kind != Kind::Python {
            continue;
        }
        let text = fs::read_to_string(file).expect("a Python file");
        for line in text.lines() {
            if line.chars().count() > 80 {
                faults.push(format!("{}: over 80: {line}", file.display()));
            }
            if line.trim_start().starts_with("print(") {
                faults.push(format!("{}: prints: {line}", file.display()));
            }
        }
    }
    faults.dedup();
    none(faults);
}

#[test]
fn every_program_is_an_example_of_its_name() {
    let manifest: toml::Table = fs::read_to_string("snippets/Cargo.toml")
        .expect("the snippets' manifest")
        .parse()
        .expect("valid TOML");
    let examples = manifest["example"].as_array().expect("a list");
    let listed = |path: &str| {
        examples.iter().any(|example| example["path"].as_str() == Some(path))
    };
    let mut faults = Vec::new();
    for example in examples {
        let name = example["name"].as_str().expect("a name");
        let path = Path::new(example["path"].as_str().expect("a path"));
        if path.file_stem().is_none_or(|stem| stem != name) {
            faults.push(format!("{name} is not the name of {path:?}"));
        }
    }
    for (page, block) in BOOK.blocks() {
        if block.kind != Kind::Rust {
            continue;
        }
        // Typed into a page it would be compiled as edition 2021 alone.
        let path = block.file().and_then(|f| f.strip_prefix("snippets").ok());
        let path = path.map(|path| path.display().to_string());
        if !path.as_deref().is_some_and(listed) {
            faults.push(format!(
                "{}:{}: this program is no [[example]]",
                page.file.display(),
                block.line
            ));
        }
    }
    none(faults);
}

#[test]
fn the_readme_s_commands_are_run() {
    let checks = fs::read_to_string(".ci/run").expect("the checks");
    let cli = fs::read_to_string("command/tests/cli.rs")
        .expect("the command's tests");
    let mut commands = 0;
    for file in ["README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(file).expect("a page");
        for block in text.split("```sh\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            for line in block.lines() {
                commands += 1;
                // Served until somebody ends it: the command's tests do so.
                let served = line == "cargo run" && cli.contains("serve");
                let run = checks.lines().any(|check| check.trim() == line);
                assert!(served || run, "{file}: nothing runs `{line}`");
            }
        }
    }
    assert!(commands >= 4, "the README's commands have moved");
}
