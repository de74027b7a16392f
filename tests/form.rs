//! The form of a page and of a program, as CONTRIBUTING.md describes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mdbook_skeptic::{Block, Kind, Page};

use crate::BOOK;

/// The headings of a page, in their order.
const HEADINGS: [&str; 9] = [
    "In Python",
    "In Rust",
    "You choose",
    "What it does",
    "How it works",
    "What changes from Python",
    "Pitfalls",
    "Use it",
    "Keywords",
];

/// Whether a page is a recipe: not a chapter's opening, the reference, or a
/// page of figures.
fn is_recipe(page: &Page) -> bool {
    !page.parents.is_empty()
        && !page.path.starts_with("reference")
        && page.plots.is_empty()
}

fn source(page: &Page) -> String {
    fs::read_to_string(&page.file).expect("a page")
}

/// What stands below a heading, up to the next one of its level.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let heading = format!("\n## {heading}\n");
    let (_, section) = text.split_once(&heading).unwrap_or_default();
    section.split("\n## ").next().unwrap_or_default()
}

fn headings(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("## "))
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
        let text = source(page);
        let found: Vec<&str> =
            headings(&text).filter(|it| HEADINGS.contains(it)).collect();
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

/// The anchor that a block of a page shows, and how: `include` shows it
/// alone, `rustdoc_include` hides the rest of the program.
fn shown<'t>(text: &'t str, block: &Block) -> Option<(&'t str, &'t str)> {
    let line = text.lines().nth(block.line)?;
    let include = line.strip_prefix("{{#")?.strip_suffix("}}")?;
    let (how, path) = include.split_once(' ')?;
    Some((how, path.rsplit_once(':')?.1))
}

/// What a page shows of its Rust programs: the file, the anchor, how many lines.
fn rust(page: &Page) -> Vec<(&Path, String, usize)> {
    let text = source(page);
    let blocks = page.blocks.iter().filter(|block| block.kind.is_rust());
    let shown = blocks.filter_map(|block| {
        let (_, anchor) = shown(&text, block)?;
        let lines = block.shown.trim().lines().count();
        Some((block.file()?, anchor.to_owned(), lines))
    });
    shown.collect()
}

#[test]
fn every_recipe_begins_with_the_part_to_keep() {
    let mut faults = Vec::new();
    for page in BOOK.pages.iter().filter(|page| is_recipe(page)) {
        let first = page.blocks.iter().find(|block| block.kind.is_rust());
        let place = first.map(|block| block.heading.as_str());
        match (&page.keep, page.about.keep) {
            (Some(_), None) if place == Some("In Rust") => {}
            (None, Some(_)) => {}
            (found, said) => faults.push(format!(
                "error: {}: its first Rust block is the anchor `keep`: {}; its \
                 comment `<!-- page` says keep = {said:?}\nhelp: begin \"In \
                 Rust\" with {{{{#rustdoc_include FILE:keep}}}}; where a reader \
                 keeps a test or a line, say keep = \"test\" or \"none\"",
                page.file.display(),
                found.is_some(),
            )),
        }
    }
    none(faults);
}

/// Each program of that page stands alone, so both have the helper.
#[test]
fn the_helper_of_the_cancellation_test_is_one_text() {
    let folder = "snippets/testing/cancellation-test";
    let read = |name| fs::read_to_string(format!("{folder}/{name}.rs"));
    let code = |text: String| {
        let (_, text) = text.split_once("use std::future").expect("its begin");
        let (text, _) =
            text.split_once("after {POLLS} polls\")\n}\n").expect("its end");
        let lines = text.lines().filter(|line| !line.contains("// ANCHOR"));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let shown = code(read("cancellation_test").expect("a program"));
    let hidden = code(read("cancellation_test_store").expect("a program"));
    assert!(shown.lines().count() > 60, "{shown}");
    assert_eq!(shown, hidden, "the tests use another helper than is shown");
}

/// Mutants are made of those that are called `fixed`.
#[test]
fn every_fragment_of_a_pitfall_is_broken_or_fixed() {
    let mut faults = Vec::new();
    for page in BOOK.pages.iter().filter(|page| is_recipe(page)) {
        let text = source(page);
        let pitfalls = section(&text, "Pitfalls");
        for line in pitfalls.lines() {
            let Some(include) = line.strip_prefix("{{#rustdoc_include ") else {
                continue;
            };
            let include = include.trim_end_matches("}}");
            let anchor = include.rsplit_once(':').map_or("", |(_, name)| name);
            if !["broken", "fixed"].iter().any(|of| anchor.starts_with(of)) {
                faults.push(format!(
                    "error: {}: the fragment {include} is neither broken nor \
                     fixed\nhelp: let the name of its anchor begin so",
                    page.file.display()
                ));
            }
        }
    }
    none(faults);
}

#[test]
fn every_page_can_be_read_in_twenty_minutes() {
    let mut faults = Vec::new();
    for page in BOOK.pages.iter().filter(|page| is_recipe(page)) {
        let name = page.file.display();
        let mut fault = |what: String, help: &str| {
            faults.push(format!("error: {name}: {what}\nhelp: {help}"));
        };
        let title = page.title.chars().count();
        if title > 60 {
            fault(
                format!("its title has {title} characters"),
                "say what the reader does, in at most 60",
            );
        }
        let rust = rust(page);
        let lines: usize = rust.iter().map(|(.., lines)| lines).sum();
        if lines > 200 {
            fault(
                format!("shows {lines} lines of Rust"),
                "show at most 200; move a question of its own to its own page",
            );
        }
        for (index, (file, anchor, _)) in rust.iter().enumerate() {
            let again = rust[..index]
                .iter()
                .any(|(other, name, _)| other == file && name == anchor);
            if again {
                fault(
                    format!("shows {} twice: {anchor}", file.display()),
                    "show a part once, and link to it",
                );
            }
        }
        for block in &page.blocks {
            let program = block.file().and_then(Path::file_stem);
            let Some(program) = program.and_then(|stem| stem.to_str()) else {
                continue;
            };
            let mut printed = page.blocks.iter().filter_map(Block::example);
            if block.kind == Kind::Rust && !printed.any(|p| p == program) {
                fault(
                    format!("does not show what {program} prints"),
                    "put ```console with `$ cargo run --example NAME` below it",
                );
            }
        }
        let text = source(page);
        let keywords = section(&text, "Keywords").trim();
        let (keywords, _) = keywords.split_once("\n\n").unwrap_or_default();
        if keywords.lines().count() != 1 {
            fault(
                "its keywords are not one line".into(),
                "write them into one line, with commas between them",
            );
        }
    }
    none(faults);
}

/// An empty line ends a table in Markdown, and each other line is a row of it.
/// A screen reader says a column's heading before each cell of it.
#[test]
fn every_row_belongs_to_a_table_with_headings() {
    let mut faults = Vec::new();
    for page in &BOOK.pages {
        let (mut code, mut table) = (false, Vec::new());
        let text = source(page);
        for line in text.lines().chain([""]) {
            code ^= line.starts_with("```");
            if line.is_empty() || code {
                let head = table.get(1).map(|row: &&str| row.replace(' ', ""));
                let is_table = head.is_some_and(|row| row.starts_with("|---"))
                    && table.iter().all(|row| row.starts_with('|'));
                let no_heading = table.first().is_some_and(|row| {
                    row.trim_matches('|')
                        .split('|')
                        .any(|it| it.trim().is_empty())
                });
                if !table.is_empty() && (!is_table || no_heading) {
                    faults.push(format!(
                        "{}: {}",
                        page.path.display(),
                        table[0]
                    ));
                }
                table.clear();
            } else if line.starts_with('|') || !table.is_empty() {
                table.push(line);
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
        let text = source(page);
        let section = section(&text, "Pitfalls");
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
    let opening = |page: &Page| page.path.with_file_name("README.md");
    let chapters: BTreeSet<_> = BOOK.pages.iter().map(|it| &it.path).collect();
    for page in &BOOK.pages {
        let name = page.file.display();
        if page.path.ends_with("README.md") {
            let text = fs::read_to_string(&page.file).expect("a page");
            let words = text.split_whitespace().count();
            if words < 60 {
                faults.push(format!("{name}: opens with {words} words"));
            }
        } else if page.path.components().count() > 1
            && page.parents.is_empty()
            && chapters.contains(&opening(page))
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
    let text = source(page);
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
        let of_page: Vec<_> = page
            .blocks
            .iter()
            .filter_map(|block| block.file()?.file_stem()?.to_str())
            .collect();
        for name in page.about.real_clock.iter().chain(&page.about.linux) {
            if !of_page.contains(&name.as_str()) {
                faults.push(format!(
                    "{}: shows no program {name}, which its comment \
                     `<!-- page` names",
                    page.file.display()
                ));
            }
        }
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
