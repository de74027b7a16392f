//! The plots and the lines are drawn from the results, and every sentence that
//! compares holds on every processor. `FIGURES=write cargo test --test checks
//! figures` writes both anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use std::{env, fs};

use figures::{CLEAR, Case, Figure, Figures, Kind, row, span};
use regex::{Captures, Regex};

use crate::BOOK;

static FIGURES: LazyLock<Figures> =
    LazyLock::new(|| Figures::read().expect("the results"));

/// A sentence that compares: `*std* is [2.6 to 9.5 times as
/// fast](ways.md#ways-locks) as *tokio*`, or `takes [9 times the memory](…) of`.
/// Behind it, sizes may stand in brackets: `(*10 tasks*, *100 tasks*)`. The link
/// names the case.
static COMPARISON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?s)\*([^*]+)\*\s+(?:is|are|takes?)\s+\[([\d.,]+(?:\s+to\s+[\d.,]+)?)\s+times\s+(as\s+fast|the\s+memory)\]\(([^)#]*)#((?:asyncio|ways)-[\w-]+)\)\s+(?:as|of)\s+\*([^*]+)\*(?:\s+\(((?:\*[^*]+\*,?\s*)+)\))?",
    )
});

/// A sentence that two ways do not compare: `whether *std* is faster than *tokio*
/// [depends on the processor](ways.md#ways-locks)`.
static DEPENDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\*([^*]+)\*\s+is\s+faster\s+than\s+\*([^*]+)\*\s+\[depends\s+on\s+the\s+processor\]\([^)#]*#([\w-]+)\)",
    )
});

/// Words that compare by speed, in any other sentence.
static FASTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(fast(er|est)|quick(er|est)|slow(er|est)|cheap(er|est)|costs (less|more|least|most|next to)|keeps up|ahead of|as (fast|slow)|[\d.]+ times)\b",
    )
});

/// A measured figure that compares, on any page.
static MEASURED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\d\s+times\s+(as (fast|slow)|faster|slower|the (time|memory))",
    )
});

fn pattern(of: &str) -> Regex {
    Regex::new(of).expect("a valid pattern")
}

fn read(file: &Path) -> String {
    let name = file.display();
    fs::read_to_string(file).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Compares a file with what it must be, or writes it.
fn compare(file: &Path, text: &str, faults: &mut Vec<String>) {
    if fs::read_to_string(file).is_ok_and(|found| found == text) {
        return;
    }
    if env::var_os("FIGURES").is_some_and(|wish| wish == "write") {
        fs::write(file, text).expect("a file that can be written");
    } else {
        faults.push(format!(
            "{} does not follow from the results\nhelp: FIGURES=write cargo \
             test --test checks figures",
            file.display()
        ));
    }
}

fn expect_none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_plot_is_drawn_from_the_results_and_shown() {
    let pages: String = BOOK.pages.iter().map(|it| read(&it.file)).collect();
    let mut faults = Vec::new();
    let mut drawn = BTreeSet::new();
    for (file, text) in FIGURES.draw() {
        compare(Path::new(&file), &text, &mut faults);
        if !pages.contains(&format!("/{file}}}}}")) {
            faults.push(format!("no page shows {file}"));
        }
        drawn.insert(file);
    }
    for page in ["asyncio", "ways"] {
        for entry in fs::read_dir(format!("benches/{page}")).expect("plots") {
            let file = entry.expect("a file").path().display().to_string();
            if !drawn.contains(&file) {
                faults.push(format!("{file} is drawn from nothing"));
            }
        }
    }
    expect_none(&faults);
}

/// A text on one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn case(id: &str) -> Result<&'static Case, String> {
    let case = FIGURES.cases.iter().find(|case| case.id() == id);
    case.ok_or_else(|| format!("no plot {id}"))
}

/// What is wrong with a sentence that two ways do not compare.
fn compares(found: &Captures) -> Result<(), String> {
    let [way, to, id] = [1, 2, 3].map(|group| words(&found[group]));
    let range = FIGURES.range(case(&id)?, Figure::Speed, &[], (&way, &to));
    let (least, most) = range.ok_or_else(|| format!("{id}: no such rows"))?;
    match least >= CLEAR || most <= 1.0 / CLEAR {
        true => Err(format!("it is {least:.2} to {most:.2} times; say so")),
        false => Ok(()),
    }
}

/// What a sentence must say in place of what it says, or why it is wrong.
fn corrected(found: &Captures) -> Result<String, String> {
    let [whole, way, figures, what, id, to] = [0, 1, 2, 3, 5, 6]
        .map(|group| found.get(group).expect("a group").as_str());
    let case = case(id)?;
    let sizes = found.get(7).map_or("", |sizes| sizes.as_str());
    let sizes: Vec<_> =
        sizes.split('*').skip(1).step_by(2).map(words).collect();
    let sizes: Vec<_> = sizes.iter().map(String::as_str).collect();
    if let Some(size) =
        sizes.iter().find(|&it| !case.sizes.iter().any(|of| of == it))
    {
        return Err(format!("{id} has no size {size:?}"));
    }
    let figure = match what.starts_with("as") {
        true => Figure::Speed,
        false => Figure::Memory,
    };
    let range = FIGURES.range(case, figure, &sizes, (&words(way), &words(to)));
    let (least, most) = range.ok_or_else(|| format!("{id}: no such rows"))?;
    if least < CLEAR {
        return Err(format!(
            "it is {least:.2} to {most:.2} times; say that it depends on the \
             processor, or nothing"
        ));
    }
    let said = span(Some((least, most)));
    let stated = found.get(2).expect("a group").range();
    let start = found.get_match().start();
    let mut right = whole.to_owned();
    if words(figures) != said {
        right.replace_range(stated.start - start..stated.end - start, &said);
    }
    Ok(right)
}

#[test]
fn every_sentence_that_compares_holds_on_every_processor() {
    let (mut count, mut faults) = (0, Vec::new());
    for page in &BOOK.pages {
        let text = read(&page.file);
        let right = COMPARISON.replace_all(&text, |found: &Captures| {
            count += 1;
            corrected(found).unwrap_or_else(|why| {
                faults.push(format!(
                    "{}: {:?}: {why}",
                    page.file.display(),
                    &found[0]
                ));
                found[0].to_owned()
            })
        });
        compare(&page.file, &right, &mut faults);
        for found in DEPENDS.captures_iter(&text) {
            if let Err(why) = compares(&found) {
                faults.push(format!("{:?}: {why}", &found[0]));
            }
        }
    }
    assert!(count > 15, "the sentences have gone");
    expect_none(&faults);
}

/// The prose of a page in paragraphs, rows of tables and items of lists, each
/// on one line; without fences, and without targets of links.
fn paragraphs(file: &Path) -> Vec<String> {
    let text = pattern(r"(?ms)^```.*?^```$|<!--.*?-->")
        .replace_all(&read(file), "")
        .into_owned();
    let text = text.replace("\n|", "\n\n|").replace("\n- ", "\n\n- ");
    text.split("\n\n").map(words).collect()
}

/// Beside a plot, only a sentence that is held against the results compares by
/// speed. The title of a page does not.
#[test]
fn no_other_sentence_beside_a_plot_compares() {
    let (mut beside, mut faults) = (0, Vec::new());
    let plot = pattern(r"benches/(asyncio|ways)/|(figures|ways)\.md#");
    for page in &BOOK.pages {
        let paragraphs = paragraphs(&page.file);
        let of_plots = page.file.ends_with("performance/figures.md")
            || page.file.ends_with("performance/ways.md");
        let (mut near, mut in_section) = (false, false);
        for paragraph in paragraphs {
            if paragraph.starts_with('#') {
                in_section = of_plots
                    && !paragraph.contains("{#how}")
                    && paragraph.contains("{#");
                near = false;
                continue;
            }
            let shows = plot.is_match(&paragraph);
            near = shows || near && !paragraph.starts_with("See also");
            if paragraph.starts_with('{') {
                continue;
            }
            let is_beside = in_section || near;
            beside += usize::from(is_beside);
            let compares = if is_beside { &FASTER } else { &MEASURED };
            let rest = COMPARISON.replace_all(&paragraph, "");
            let mut rest = DEPENDS.replace_all(&rest, "").into_owned();
            for page in &BOOK.pages {
                rest = rest.replace(&format!("[{}]", page.title), "");
            }
            if let Some(word) = compares.find(&rest) {
                faults.push(format!(
                    "{}: {:?} rests on no result, in {rest:?}",
                    page.file.display(),
                    word.as_str()
                ));
            }
        }
    }
    assert!(beside > 40, "the plots have gone");
    expect_none(&faults);
}

#[test]
fn the_results_are_of_what_is_measured() {
    assert!(FIGURES.results.len() > 1, "one processor says little");
    for case in &FIGURES.cases {
        let name = &case.name;
        let ways = case.ways();
        let is_python = ways[0].kind == Kind::Python;
        assert_eq!(
            is_python,
            case.page() == "asyncio",
            "{name}: the first way"
        );
        let known = FIGURES.of(case);
        assert!(!known.is_empty(), "{name} was never measured");
        for (machine, measured) in known {
            let on = format!("{name} on {}", machine.name());
            let rows = case
                .sizes
                .iter()
                .flat_map(|size| ways.iter().map(|way| row(size, &way.name)));
            let rows: BTreeSet<String> = rows.collect();
            let found: BTreeSet<_> = measured.ns.keys().cloned().collect();
            assert_eq!(rows, found, "{on}");
            assert!(measured.rounds >= 3, "{on}: a rough run");
            for ns in measured.ns.values() {
                let [median, .., most] = ns[..] else { continue };
                assert!(ns[1] <= median && median <= most, "{on}: {ns:?}");
            }
        }
        for way in ways {
            assert!(way.name.len() <= 40, "{}: too long for a phone", way.name);
        }
    }
    let names: BTreeSet<_> = FIGURES.cases.iter().map(|it| &it.name).collect();
    for results in &FIGURES.results {
        let unknown = results.case.keys().find(|it| !names.contains(it));
        assert_eq!(unknown, None, "no case has this name");
    }
}

/// In the prose beside `guard.txt`, a figure stands before the name of its row:
/// `2.00 s (*nothing changed*)`.
#[test]
fn every_figure_on_the_checks_is_that_of_its_row() {
    let table = read(Path::new("benches/guard.txt"));
    let prose = read(Path::new("book/how-it-is-tested.md"));
    let named = pattern(r"(?s)(\d+\.\d+)\s+s\b[^(*\d]*\(\*([^*]+)\*");
    let mut count = 0;
    for found in named.captures_iter(&prose) {
        count += 1;
        let words: Vec<_> = found[2].split_whitespace().collect();
        let line =
            table.lines().find_map(|it| it.strip_prefix(&words.join(" ")));
        let figures = line.unwrap_or_default().split_whitespace();
        assert!(figures.clone().any(|it| it == &found[1]), "{:?}", &found[0]);
    }
    assert!(count > 5, "{count}: a figure without its row");
}
