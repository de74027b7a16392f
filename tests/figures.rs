//! A measured figure in the prose is one of the file that the page shows, what
//! a sentence compares rests on results, and a plot is drawn from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use figures::{Case, Figures, asyncio, ways};
use regex::{Captures, Regex};
use serde::Deserialize;

use crate::BOOK;

static ASYNCIO: LazyLock<Figures<asyncio::Case>> =
    LazyLock::new(|| Figures::read().expect("the results"));
static WAYS: LazyLock<Figures<ways::Case>> =
    LazyLock::new(|| Figures::read().expect("the results"));

/// `1.53`, `12 times`, `× 2`, `3x`, `129 k`, `34.5 MiB`, `250 ns`.
static FIGURE: LazyLock<Regex> = LazyLock::new(|| {
    let units = "times|x|k|M|G|KiB|MiB|kB|MB|GB|B|ns|µs|ms|s|%";
    pattern(&format!(r"\b(\d+\.\d+)|× ?(\d+)\b|\b(\d+) ?(?:{units})(?:\W|$)"))
});

/// A figure in words.
static SHARE: LazyLock<Regex> = LazyLock::new(|| {
    let numbers = "two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|\
                   twenty|thirty|forty|fifty|sixty|hundred|thousand|many";
    pattern(&format!(
        r"(?i)\b(half|halves|twice|thrice|doubles?|triples?|tenths?|ninths?|eighths?|fifths?|thirds?|quarters?|dozens?|times as|(?:{numbers}|\d+)-?fold|(?:{numbers}) times)\b"
    ))
});

/// What compares.
static COMPARES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(fast(er|est)|as fast|quick(er|est)|slow(er|est)|cheap(er|est)?|costs?|price|more|most|less|least|soon(er|est)|ahead|better|best|worse|keeps up|beats?|wins?|out(runs?|paces?|performs?|does))\b",
    )
});

/// A comparison with a figure, which only what is measured has.
static MEASURED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(\d|\btimes|x|×) (as (fast|slow|cheap)|faster|slower|quicker|cheaper)\b",
    )
});

fn pattern(of: &str) -> Regex {
    Regex::new(of).expect("a valid pattern")
}

/// The figures of a text, and where each ends.
fn figures(text: &str) -> impl Iterator<Item = (String, usize)> {
    FIGURE.captures_iter(text).map(|found| {
        let figure = found.iter().skip(1).flatten().next();
        let figure = figure.expect("one of the branches");
        (figure.as_str().to_owned(), figure.end())
    })
}

/// The figures of a file of results, by the names of row and column.
fn table(file: &Path) -> BTreeMap<(String, String), String> {
    let gap = pattern(" {2,}");
    let mut columns: Vec<String> = Vec::new();
    let mut table = BTreeMap::new();
    for line in read(file).lines() {
        let cells: Vec<_> = gap.split(line.trim()).map(str::to_owned).collect();
        let Some((name, cells)) = cells.split_first() else { continue };
        if cells.iter().all(|cell| cell.parse::<f64>().is_err()) {
            columns = cells.to_vec();
            continue;
        }
        for (column, cell) in columns.iter().zip(cells) {
            let at = (name.clone(), column.clone());
            let known = table.insert(at, cell.clone());
            assert!(known.is_none(), "{}: two rows {name}", file.display());
        }
    }
    table
}

/// The column that a figure is of, by the words behind it. What it is compared
/// with is the first row of its group: nothing else may follow.
fn column(behind: &str) -> Option<&'static str> {
    [
        (" times the time", "time"),
        (" times the memory", "memory"),
        (" s a block", "a block"),
        (" s each", "each"),
        (" s", "seconds"),
    ]
    .into_iter()
    .find_map(|(words, column)| Some((behind.strip_prefix(words)?, column)))
    .filter(|(rest, _)| {
        rest.starts_with([' ', ',']) && !rest.starts_with(" of ")
    })
    .map(|(_, column)| column)
}

/// In the prose beside a file of results, a figure stands before the name of
/// its row: `1.41 times the time (*a thread each*)`.
#[test]
fn every_figure_in_the_prose_is_that_of_its_row() {
    let emphasis = pattern(r"\*\*[^*]+\*\*|\*([^*]+)\*");
    let mut pages = 0;
    for page in &BOOK.pages {
        let files = page.blocks.iter().flat_map(|block| &block.files);
        let results = files.filter(|file| {
            file.extension().is_some_and(|of| of == "txt")
                && file.starts_with("benches")
        });
        let table: BTreeMap<_, _> =
            results.flat_map(|file| table(file)).collect();
        if table.is_empty() {
            continue;
        }
        pages += 1;
        let (name, mut named) = (page.file.display(), 0);
        for section in in_prose(&page.file).split("\n## ") {
            if figures(section).next().is_none() {
                continue;
            }
            // Its heading asks, and says nothing.
            let section = section.split_once('\n').unwrap_or_default().1;
            // Made from tests/mutants.toml, and compared with it.
            let of_mutants = pattern(r"(?m)^\| Page \| Caught .*\n(\|.*\n)*");
            let section = &of_mutants.replace(section, "");
            for paragraph in paragraphs(section) {
                let loose = [&*SHARE, &*COMPARES].into_iter();
                let mut loose = loose.filter_map(|it| it.find(&paragraph));
                if let Some(word) = loose.next() {
                    panic!(
                        "{name}: {:?} rests on no row, in {paragraph:?}",
                        word.as_str()
                    );
                }
                let names: Vec<_> =
                    emphasis.captures_iter(&paragraph).collect();
                let of_name = |at| {
                    let span = |name: &Captures| name.get_match().range();
                    names.iter().any(|name| span(name).contains(&at))
                };
                for (figure, end) in figures(&paragraph) {
                    if of_name(end) {
                        continue;
                    }
                    named += 1;
                    let behind = &paragraph[end..];
                    let row = emphasis.captures(behind);
                    let row = row.and_then(|row| Some(row.get(1)?.as_str()));
                    let column = column(behind);
                    let at = (
                        row.unwrap_or_default().to_owned(),
                        column.unwrap_or_default().to_owned(),
                    );
                    assert!(
                        table.get(&at) == Some(&figure),
                        "{name}: {figure} is no figure of the row and the \
                         column {at:?}; take it from the page's file of \
                         results, as in `1.41 times the time (*a thread \
                         each*)`"
                    );
                }
            }
        }
        assert!(named > 3, "{name}: names no figures");
    }
    assert!(pages > 1, "the pages with figures have gone");
}

/// A figure that compares is beside a plot or a file of results, or in no
/// sentence.
#[test]
fn no_page_compares_by_figures_of_its_own() {
    let mut faults = Vec::new();
    for page in &BOOK.pages {
        for paragraph in paragraphs(&in_prose(&page.file)) {
            if MEASURED.is_match(&paragraph) {
                faults.push(format!("{}: {paragraph:?}", page.file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "measured where? {}", faults.join("\n"));
}

/// The pages of plots, by their names in a link.
const PAGES: [&str; 2] = ["figures.md", "ways.md"];

fn text(page: &str) -> String {
    read(&Path::new("book/performance").join(page))
}

/// Paragraphs, rows of tables and items of lists, each on one line.
fn paragraphs(prose: &str) -> Vec<String> {
    let prose = prose.replace("\n|", "\n\n|").replace("\n- ", "\n\n- ");
    let words = |it: &str| it.split_whitespace().collect::<Vec<_>>().join(" ");
    prose.split("\n\n").map(words).filter(|it| !it.is_empty()).collect()
}

fn id_of(heading: &str) -> &str {
    let (_, id) = heading.split_once("{#").unwrap_or_default();
    id.trim_end_matches('}')
}

/// What stands beside a plot, below a line that is drawn with one, or links to
/// one: paragraphs, with their page.
fn beside_plots() -> Vec<(String, String)> {
    let line =
        pattern(r"\{\{#include \.\./\.\./benches/(?:asyncio|ways)/.*\}\}");
    let end = pattern(r"(?m)^(?:#|See also:)");
    let mut found = Vec::new();
    for page in &BOOK.pages {
        let name = page.file.strip_prefix("book").unwrap_or(&page.file);
        let name = name.display().to_string();
        let mut beside = Vec::new();
        if PAGES.iter().any(|page| name.ends_with(page)) {
            // What explains how to read them is no such.
            let mut of_plots = false;
            for paragraph in paragraphs(&in_prose(&page.file)) {
                if paragraph.starts_with("## ") {
                    let id = id_of(&paragraph);
                    of_plots = !["", "how"].contains(&id);
                } else if of_plots {
                    beside.push(paragraph);
                }
            }
        } else {
            beside = paragraphs(&in_prose(&page.file));
            beside.retain(|paragraph| {
                PAGES.iter().any(|page| paragraph.contains(&format!("{page}#")))
            });
            for below in line.split(&read(&page.file)).skip(1) {
                let below = end.split(below).next().unwrap_or_default();
                for paragraph in paragraphs(below) {
                    if paragraph != "-" && !beside.contains(&paragraph) {
                        beside.push(paragraph);
                    }
                }
            }
        }
        found.extend(beside.into_iter().map(|it| (name.clone(), it)));
    }
    assert!(found.len() > 40, "the plots have gone");
    found
}

/// The plot has them, drawn from the results.
#[test]
fn no_figure_is_written_by_hand_beside_a_plot() {
    let names = ASYNCIO.case.iter().flat_map(|case| {
        case.way.iter().map(|way| &way.name).chain([&case.title])
    });
    let sizes = WAYS.case.iter().flat_map(|case| &case.size);
    let names = names.chain(sizes.flat_map(|size| {
        size.way.iter().map(|way| &way.name).chain([&size.name])
    }));
    // `8 KiB` is how a way is called.
    let set_up: BTreeSet<_> =
        names.flat_map(|name| figures(name)).map(|(of, _)| of).collect();
    for (page, paragraph) in beside_plots() {
        let written = figures(&paragraph).map(|(figure, _)| figure);
        let mut written = written.filter(|figure| !set_up.contains(figure));
        let share = SHARE.find(&paragraph).map(|it| it.as_str().to_owned());
        if let Some(figure) = written.next().or(share) {
            panic!(
                "{page}: {figure:?} is written by hand in {paragraph:?}; let \
                 the plot say it"
            );
        }
    }
}

/// What a sentence beside a plot rests on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    page: String,
    /// The sentence, as the page has it, up to a colon, a semicolon or its end.
    says: String,
    rests: Vec<Comparison>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparison {
    /// Its folder and its case: `ways/locks`.
    plot: String,
    /// Of a plot in three sizes, those that it is about; if none, all.
    #[serde(default)]
    sizes: Vec<String>,
    /// In all rounds, each of these is faster than each of the others;
    faster: Vec<String>,
    than: Vec<String>,
    /// in the median, so many times at least. Below 1, rounds may overlap.
    #[serde(default = "any")]
    by: f64,
}

fn any() -> f64 {
    1.0
}

#[derive(Deserialize)]
struct Claims {
    claim: Vec<Claim>,
}

/// What one costs: the median, the least, the most.
type Cost = [f64; 3];

/// By each way: of each size, or once.
type Costs = Vec<(String, BTreeMap<String, Cost>)>;

fn costs(plot: &str) -> Costs {
    let (folder, name) = plot.split_once('/').unwrap_or_default();
    if folder == "ways" {
        let case = WAYS.case.iter().find(|case| case.name == name);
        let case = case.unwrap_or_else(|| panic!("no plot {plot}"));
        let cost = |way: &ways::Way| {
            (way.name.clone(), [way.cost, way.least, way.most])
        };
        let of = |size: &ways::Size| {
            (size.name.clone(), size.way.iter().map(cost).collect())
        };
        case.size.iter().map(of).collect()
    } else {
        let case = ASYNCIO.case.iter().find(|case| case.name == name);
        let case = case.unwrap_or_else(|| panic!("no plot {plot}"));
        let cost = |way: &asyncio::Way| {
            let rates = [way.rate, way.most, way.least];
            (way.name.clone(), rates.map(|rate| 1.0 / rate))
        };
        vec![(String::new(), case.way.iter().map(cost).collect())]
    }
}

impl Comparison {
    /// What of it is not so.
    fn faults(&self) -> Vec<String> {
        let Self { plot, sizes, faster, than, by } = self;
        assert!(!faster.is_empty() && !than.is_empty(), "{plot}: compare");
        let mut costs = costs(plot);
        for size in sizes {
            let known = costs.iter().any(|(name, _)| name == size);
            assert!(known, "{plot}: there is no size {size:?}");
        }
        costs.retain(|(name, _)| sizes.is_empty() || sizes.contains(name));
        let pairs = || {
            faster.iter().flat_map(|one| than.iter().map(move |it| (one, it)))
        };
        let mut faults = Vec::new();
        for (size, costs) in &costs {
            let cost = |way: &String| {
                let cost = costs.get(way).copied();
                cost.unwrap_or_else(|| panic!("{plot}: no way {way:?}"))
            };
            for (one, other) in pairs() {
                let ([cost_of_one, _, most], [cost_of_other, least, _]) =
                    (cost(one), cost(other));
                let ratio = cost_of_other / cost_of_one;
                if ratio <= *by || *by >= 1.0 && most >= least {
                    faults.push(format!(
                        "{plot} {size}: {one:?} is {ratio:.2} times as fast as \
                         {other:?}, in the best round of that one {:.2}",
                        least / most
                    ));
                }
            }
        }
        faults
    }
}

/// What compares rests on a claim, and each claim holds.
#[test]
fn what_is_said_of_a_plot_is_so() {
    let claims: Claims = toml::from_str(&read(Path::new("tests/claims.toml")))
        .expect("a list of claims");
    let mut beside = beside_plots();
    let mut faults = Vec::new();
    let begins = pattern(r"(^|[.:;]\*{0,2}|^[-|]) *$");
    let ends = pattern(r"^($| )");
    for Claim { page, says, rests } in &claims.claim {
        let whole = |paragraph: &str| {
            paragraph.match_indices(says.as_str()).any(|(at, _)| {
                let end = at + says.len();
                begins.is_match(&paragraph[..at])
                    && ends.is_match(&paragraph[end..])
                    && says.ends_with(['.', ':', ';'])
            })
        };
        let mut found = beside
            .iter_mut()
            .filter(|(of, paragraph)| of == page && whole(paragraph));
        let (Some((_, paragraph)), None) = (found.next(), found.next()) else {
            faults
                .push(format!("{page}: no sentence beside a plot is {says:?}"));
            continue;
        };
        *paragraph = paragraph.replacen(says, " ", 1);
        assert!(!rests.is_empty(), "{page}: {says:?} rests on nothing");
        let wrong = rests.iter().flat_map(Comparison::faults);
        faults.extend(wrong.map(|why| format!("{page} says {says:?}; {why}")));
    }
    // Neither the title of a page compares, nor where a link leads.
    let target = pattern(r"\]\([^)]*\)");
    for (page, paragraph) in &beside {
        let mut said = target.replace_all(paragraph, "]").into_owned();
        for page in &BOOK.pages {
            said = said.replace(&format!("[{}]", page.title), "");
        }
        for word in COMPARES.find_iter(&said) {
            faults.push(format!(
                "{page}: {:?} rests on no measurement, in {paragraph:?}; add \
                 what it rests on to tests/claims.toml",
                word.as_str()
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Two plots that measure one program had better agree.
#[test]
fn what_is_measured_twice_is_measured_well() {
    for (one, other, pairs) in [(
        ("ways/queue-in", "1 producer"),
        ("ways/queue-shared", "1 producer, 1 consumer"),
        [
            "async-channel, one thread",
            "async-channel, all cores",
            "flume, one thread",
            "flume, all cores",
        ],
    )] {
        let at = |(plot, size): (&str, &str)| {
            let found = costs(plot).into_iter().find(|(name, _)| name == size);
            found.expect("its size").1
        };
        let (one, other) = (at(one), at(other));
        for way in pairs {
            let ratio = one[way][0] / other[way][0];
            assert!(
                (0.8..1.25).contains(&ratio),
                "{way}: {ratio:.2} times, in one run; measure it again"
            );
        }
    }
}

#[test]
fn every_plot_is_drawn_from_the_results_and_shown() {
    let plots = BOOK.pages.iter().flat_map(|page| &page.plots);
    let mut shown: BTreeMap<_, _> = plots
        .map(|plot| (plot.file.display().to_string(), &plot.text))
        .collect();
    let benches = [
        (asyncio::Case::BENCH, ASYNCIO.draw(), PAGES[0]),
        (ways::Case::BENCH, WAYS.draw(), PAGES[1]),
    ];
    for (bench, drawn, page) in benches {
        let page = text(page);
        for (name, text) in &drawn {
            let file = format!("benches/{bench}/{name}");
            let included = page.contains(&include(&file))
                || recipes_that_show(&file).next().is_some();
            let own = included.then(|| read(Path::new(&file)));
            let shown = shown.remove(&file).or(own.as_ref());
            assert!(
                shown.unwrap_or_else(|| panic!("no page shows {file}")) == text,
                "{file} is not drawn from benches/{bench}.toml; `cargo bench \
                 --bench {bench} -- --draw` draws it anew"
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
    let names = |way: &asyncio::Way| way.name.clone();
    let measured = ASYNCIO.case.iter().map(|case| {
        (case.name.clone(), case.way.iter().map(names).collect::<Vec<_>>())
    });
    let way = r#"\(\s*"([^"]+)",\s*(?:Python|Rust|Limit)\("#;
    let plans = planned("benches/asyncio/plans.rs", way);
    assert_eq!(measured.collect::<Vec<_>>(), plans);

    for size in 0..3 {
        let measured = WAYS.case.iter().map(|case| {
            let names = case.size[size].way.iter().map(|way| way.name.clone());
            (case.name.clone(), names.collect::<Vec<_>>())
        });
        let way = r#"\(\s*"([^"]+)",\s*"(?:one|all)""#;
        let plans = planned("benches/ways/plans.rs", way);
        assert_eq!(measured.collect::<Vec<_>>(), plans);
    }
    for machine in [&ASYNCIO.machine, &WAYS.machine] {
        assert!(machine.quiet && machine.rounds >= 3, "a rough run");
    }
}

fn near(ratio: f64, of: f64) -> bool {
    (ratio / of - 1.0).abs() < 0.01
}

/// The first way is what the others are compared with.
#[test]
fn every_ratio_is_that_of_its_case() {
    for case in &ASYNCIO.case {
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
    for case in &WAYS.case {
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
