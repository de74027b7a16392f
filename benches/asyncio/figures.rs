//! The result file, and the plots that are drawn from it. Shared by the
//! benchmark, which writes both, and the test that compares them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::plots::{
    Bar, Group, Machine, Plot, digits, machine, results, times,
};

pub const RESULT: &str = "benches/asyncio.toml";
pub const PLOTS: &str = "benches/asyncio";

/// What a run has measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    pub machine: Machine,
    /// Of compilers, interpreters and packages.
    pub versions: BTreeMap<String, String>,
    pub case: Vec<Case>,
}

/// Ways of doing one thing, the first of which is asyncio's.
#[derive(Debug, Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub title: String,
    /// What is counted, and how much of it a round did.
    pub unit: String,
    pub count: u64,
    /// What a plot's bars show.
    pub bars: Bars,
    /// What is said of memory.
    pub memory: Memory,
    pub way: Vec<Way>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bars {
    /// How many times as fast as the first way.
    Speed,
    /// How many times the memory of the first way.
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Memory {
    /// Nothing: it does not grow with the work.
    None,
    /// What there is at the peak.
    Peak,
    /// How much of it each unit takes: all are there at once.
    Each,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Python,
    Rust,
    /// What is left when the work has been taken out: no way can be faster.
    Limit,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Way {
    pub name: String,
    pub kind: Kind,
    /// Units a second: the median of the rounds, the least, the most.
    pub rate: f64,
    pub least: f64,
    pub most: f64,
    /// Times as fast as the first way.
    pub speed: f64,
    /// Bytes at the peak, beyond what the process had at its start; of a
    /// server, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// Times the memory of the first way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<f64>,
    /// Milliseconds in which 99 of 100 answers were there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<f64>,
}

pub fn read(root: &Path) -> Result<Figures> {
    results(root, RESULT)
}

/// What the page includes, by the name of its file: the plots, all of them at a
/// glance, and on what they were measured.
pub fn draw(figures: &Figures) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for case in &figures.case {
        files.push((format!("{}.svg", case.name), plot(case, figures)));
        files.push((format!("{}.md", case.name), line(case)));
    }
    files.push(("overview.md".to_owned(), overview(figures)));
    let machine = machine(&figures.machine, &figures.versions);
    files.push(("machine.md".to_owned(), machine));
    files
}

/// What the ways of a case reach, as multiples of its first way.
struct Range<'a> {
    /// Of Rust's, with the name of the way.
    least: (f64, &'a str),
    most: (f64, &'a str),
    python: f64,
}

impl<'a> Range<'a> {
    fn of(case: &'a Case, figure: impl Fn(&Way) -> f64) -> Self {
        let figures = |kind| {
            let ways = case.way.iter().filter(|way| way.kind == kind);
            let named = ways.map(|way| (figure(way), way.name.as_str()));
            let mut named: Vec<_> = named.collect();
            named.sort_by(|one, other| one.0.total_cmp(&other.0));
            named
        };
        let (rust, python) = (figures(Kind::Rust), figures(Kind::Python));
        let (least, most) = (rust.first(), rust.last());
        Self {
            least: *least.expect("a way in Rust"),
            most: *most.expect("a way in Rust"),
            python: python.last().expect("a way in Python").0,
        }
    }

    fn in_rust(&self) -> String {
        match (times(self.least.0), times(self.most.0)) {
            (least, most) if least == most => most,
            (least, most) => format!("{least} to {most}"),
        }
    }

    /// `11.78 (*mpsc, all cores*) to 16.50 (*mpsc, one thread*)`.
    fn with_names(&self) -> String {
        let named = |(of, name)| format!("{} (*{name}*)", times(of));
        match (self.least, self.most) {
            (least, most) if least.1 == most.1 => named(most),
            (least, most) => format!("{} to {}", named(least), named(most)),
        }
    }
}

/// The section that a case stands in: its name begins so.
fn section(case: &Case) -> &str {
    case.name.split('-').next().unwrap_or_default()
}

/// Each cell says what it is: on a phone they stand below each other.
fn overview(figures: &Figures) -> String {
    let mut table = "\
        | Work | Rust, slowest to fastest | Python's fastest | Memory |\n\
        | --- | --- | --- | --- |\n"
        .to_owned();
    for case in &figures.case {
        let speed = Range::of(case, |way| way.speed);
        let space = |way: &Way| way.space.filter(|_| way.kind == Kind::Rust);
        let spaces = case.way.iter().filter_map(space);
        let memory = match spaces.reduce(f64::max) {
            Some(space) => format!("memory × {}", times(space)),
            None => String::new(),
        };
        let (title, section) = (&case.title, section(case));
        let (rust, python) = (speed.in_rust(), times(speed.python));
        writeln!(
            table,
            "| [{title}](#{section}) | Rust × {rust} | Python × {python} | \
             {memory} |"
        )
        .expect("a string");
    }
    table
}

fn limit(case: &Case) -> Option<&Way> {
    case.way.iter().find(|way| way.kind == Kind::Limit)
}

/// What the page of a recipe says of it, in one line.
fn line(case: &Case) -> String {
    let (title, section) = (&case.title, section(case));
    let first = &case.way[0].name;
    let link = format!("([figures](../performance/figures.md#{section}))");
    match case.bars {
        Bars::Speed => {
            let speed = Range::of(case, |way| way.speed);
            let python = match times(speed.python) {
                python if python == times(1.0) => String::new(),
                python => format!("; the fastest Python {python} times"),
            };
            let rust = speed.with_names();
            let limit = match limit(case) {
                Some(limit) => {
                    let name = limit.name.trim_start_matches("limit: ");
                    let share = digits(speed.most.0 / limit.speed);
                    format!("; {share} of the limit, *{name}*")
                }
                None => String::new(),
            };
            format!(
                "{title}: {rust} times as fast as *{first}*{python}{limit} \
                 {link}.\n"
            )
        }
        Bars::Memory => {
            let space = Range::of(case, |way| way.space.unwrap_or_default());
            let rust = space.with_names();
            format!("{title}: {rust} of the memory of *{first}* {link}.\n")
        }
    }
}

fn plot(case: &Case, figures: &Figures) -> String {
    let bar = |way: &Way| {
        let speed = case.bars == Bars::Speed;
        let space = way.space.unwrap_or_default();
        Bar {
            name: way.name.clone(),
            class: match way.kind {
                Kind::Python => "tl-waits",
                Kind::Rust => "tl-works",
                Kind::Limit => "tl-limit",
            },
            amount: match case.bars {
                Bars::Speed => rate(way.rate, &case.unit),
                Bars::Memory => each(case, way),
            },
            ratio: if speed { way.speed } else { space },
            range: speed.then(|| {
                let ratio = |rate| way.speed * rate / way.rate;
                (ratio(way.least), ratio(way.most))
            }),
            words: in_words(case, way),
        }
    };
    let plot = Plot {
        id: format!("figures-{}", case.name),
        title: &case.title,
        what: match case.bars {
            Bars::Speed => {
                "speed, as a multiple of the first bar's (longer is faster), \
                 and the range of the rounds"
            }
            Bars::Memory => {
                "memory at the peak, as a multiple of the first bar's (shorter \
                 is less)"
            }
        },
        groups: vec![Group {
            title: None,
            bars: case.way.iter().map(bar).collect(),
        }],
    };
    plot.draw(&figures.machine)
}

fn in_words(case: &Case, way: &Way) -> String {
    let median = rate(way.rate, &case.unit);
    let (least, most) = (number(way.least), number(way.most));
    let speed = times(way.speed);
    let tail = match way.tail {
        Some(ms) => format!("; 99 of 100 within {ms:.2} ms"),
        None => String::new(),
    };
    let memory = match (way.memory, way.space, case.memory) {
        (Some(memory), Some(space), of) => {
            let each = match of {
                Memory::Each => format!(", {}", each(case, way)),
                _ => String::new(),
            };
            let (memory, space) = (bytes(memory), times(space));
            format!("; {memory}{each}, {space} times the memory")
        }
        _ => String::new(),
    };
    let limit = match limit(case) {
        Some(limit) if way.kind != Kind::Limit => {
            format!(", {} of the limit", digits(way.rate / limit.rate))
        }
        _ => String::new(),
    };
    format!(
        "{median} ({least} to {most}), {speed} times as fast{limit}{tail}\
         {memory}"
    )
}

/// `1.47 M items/s`.
fn rate(rate: f64, unit: &str) -> String {
    format!("{} {unit}/s", number(rate))
}

/// Three digits: `1.47 M`.
fn number(value: f64) -> String {
    match value {
        v if v >= 999.5e6 => format!("{} G", digits(v / 1e9)),
        v if v >= 999.5e3 => format!("{} M", digits(v / 1e6)),
        v if v >= 999.5 => format!("{} k", digits(v / 1e3)),
        v => digits(v),
    }
}

/// The memory for one of many things, of which all are there at once.
fn each(case: &Case, way: &Way) -> String {
    let unit = case.unit.trim_end_matches('s');
    let each = way.memory.unwrap_or_default() / case.count as f64;
    format!("{each:.0} B a {unit}")
}

fn bytes(value: f64) -> String {
    let (kib, mib) = (1024.0, 1024.0 * 1024.0);
    match value {
        v if v >= mib => format!("{} MiB", digits(v / mib)),
        v => format!("{} KiB", digits(v / kib)),
    }
}
