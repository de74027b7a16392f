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

/// Whether a page is a recipe: not a chapter's opening, the reference, or a
/// page of figures.
fn is_recipe(page: &Page) -> bool {
    !page.parents.is_empty()
        && !page.path.starts_with("reference")
        && page.plots.is_empty()
}

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
        let name = page.file.display();
        if page.path.ends_with("README.md") {
            let text = fs::read_to_string(&page.file).expect("a page");
            let words = text.split_whitespace().count();
            if words < 60 {
                faults.push(format!("{name}: opens with {words} words"));
            }
        } else if page.path.components().count() > 1 && page.parents.is_empty()
        {
            faults.push(format!(
                "{name}: stands in SUMMARY.md beside its chapter; indent its \
                 line, below that of the chapter"
            ));
        } else if !page.parents.is_empty() && page.about.question.is_none() {
            faults.push(format!(
                "{name}: has no question = \"…\" in its comment `<!-- page`, \
                 for the table of its chapter"
            ));
        }
    }
    none(faults);
}

/// `snippets/chapter/recipe/` holds what `book/chapter/recipe.md` shows.
#[test]
fn every_recipe_has_a_folder_of_its_programs() {
    let folder =
        |page: &Page| Path::new("snippets").join(page.path.with_extension(""));
    let mut faults = Vec::new();
    let known: Vec<_> = BOOK.pages.iter().map(folder).collect();
    for (page, block) in BOOK.blocks() {
        let Some(file) = block.file() else { continue };
        let beside = file.parent().expect("a file lies in a folder");
        let beside = match block.kind {
            Kind::Sql => beside.parent().unwrap_or(beside),
            _ => beside,
        };
        let program = file.starts_with("snippets");
        if program && !known.iter().any(|folder| folder == beside) {
            faults.push(format!(
                "{}:{}: {} is not in the folder of a page, such as {}",
                page.file.display(),
                block.line,
                file.display(),
                folder(page).display()
            ));
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
        if page.about.no_timeline.is_some() != page.pictures.is_empty() {
            faults.push(format!(
                "{}: has {} timelines; a page without one says why, by \
                 no-timeline = \"…\" in its comment `<!-- page`",
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
        let stem = file.unwrap_or_default().to_string_lossy().into_owned();
        let real = page.about.real_clock.contains(&stem);
        let linux = ["\"/proc/", "\"/dev/"];
        let linux = linux.iter().any(|path| block.text.contains(path));
        if linux != page.about.linux.contains(&stem) {
            fault(format!(
                "reads Linux's own files: {linux}; linux = [\"…\"] in its \
                 page's comment `<!-- page` says otherwise"
            ));
        }
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

/// Typed into a page it would be compiled as edition 2021 alone, and be no
/// example.
#[test]
fn every_program_is_a_file() {
    let typed = BOOK.blocks().filter(|(_, block)| {
        block.kind.is_rust()
            && !block.file().is_some_and(|file| file.starts_with("snippets"))
    });
    let faults = typed.map(|(page, block)| {
        format!(
            "{}:{}: this program is no file of snippets/",
            page.file.display(),
            block.line
        )
    });
    none(faults.collect());
}

#[test]
fn the_readme_s_commands_are_run() {
    let checks = fs::read_to_string(".ci/run").expect("the checks");
    let cli = fs::read_to_string("crates/async-cookbook/tests/cli/serve.rs")
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
