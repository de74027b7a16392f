//! The results of `cargo bench --bench asyncio`.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::plots::{Bar, Group, Plot, digits, times};

/// Ways of doing one thing. The first one is asyncio's.
#[derive(Debug, Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub title: String,
    /// What is counted: `tasks`.
    pub unit: String,
    /// How many of these units a round has done.
    pub count: u64,
    pub bars: Bars,
    pub memory: Memory,
    pub way: Vec<Way>,
}

/// What the bars of a plot show, as a multiple of the first way's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bars {
    /// The work per second.
    Speed,
    /// The memory at the peak.
    Memory,
}

/// What a plot says about memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Memory {
    /// Nothing, because memory does not grow with the work.
    None,
    /// The memory of the process at its peak.
    Peak,
    /// The peak, and the share of each unit, because all units exist at once.
    Each,
}

/// What a way is written in, or that it is a limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Python,
    Rust,
    /// The case without the work that the ways do. No way can be faster.
    Limit,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Way {
    pub name: String,
    pub kind: Kind,
    /// Units per second: the median of the rounds.
    pub rate: f64,
    /// Units per second in the slowest round.
    pub least: f64,
    /// Units per second in the fastest round.
    pub most: f64,
    /// The rate, as a multiple of the first way's.
    pub speed: f64,
    /// The memory at the peak in bytes, less what the process had at its
    /// start. A server's is its whole memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// The memory, as a multiple of the first way's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<f64>,
    /// The time within which a server has sent 99 % of its responses, in
    /// milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<f64>,
}

impl super::Case for Case {
    const BENCH: &'static str = "asyncio";

    fn name(&self) -> &str {
        &self.name
    }

    fn plot(&self) -> Plot<'_> {
        Plot {
            id: format!("figures-{}", self.name),
            title: &self.title,
            what: match self.bars {
                Bars::Speed => {
                    "speed, as a multiple of the first bar's (longer is \
                     faster), and the range of the rounds"
                }
                Bars::Memory => {
                    "memory at the peak, as a multiple of the first bar's \
                     (shorter is less)"
                }
            },
            groups: vec![Group {
                title: None,
                bars: self.way.iter().map(|way| bar(self, way)).collect(),
            }],
        }
    }

    fn line(&self) -> String {
        let (title, section) = (&self.title, self.section());
        let first = &self.way[0].name;
        let link = format!("([figures](../performance/figures.md#{section}))");
        match self.bars {
            Bars::Speed => {
                let speed = Range::of(self, |way| way.speed);
                let python = match times(speed.python) {
                    python if python == times(1.0) => String::new(),
                    python => format!("; the fastest Python {python} times"),
                };
                let rust = speed.with_names();
                let limit = match limit(self) {
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
                let space = |way: &Way| way.space.unwrap_or_default();
                let rust = Range::of(self, space).with_names();
                format!("{title}: {rust} of the memory of *{first}* {link}.\n")
            }
        }
    }

    /// On a phone the cells of a row stand below each other, so each cell says
    /// what it holds.
    fn overview(cases: &[Self]) -> String {
        let mut table = "\
            | Work | Rust, slowest to fastest | Python's fastest | Memory |\n\
            | --- | --- | --- | --- |\n"
            .to_owned();
        for case in cases {
            let speed = Range::of(case, |way| way.speed);
            let of_rust = |way: &&Way| way.kind == Kind::Rust;
            let spaces = case.way.iter().filter(of_rust);
            let spaces = spaces.filter_map(|way| way.space);
            let memory = match spaces.reduce(f64::max) {
                Some(space) => format!("memory × {}", times(space)),
                None => String::new(),
            };
            let (title, section) = (&case.title, case.section());
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
}

fn bar(case: &Case, way: &Way) -> Bar {
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
        ratio: match case.bars {
            Bars::Speed => way.speed,
            Bars::Memory => way.space.unwrap_or_default(),
        },
        range: (case.bars == Bars::Speed).then(|| {
            let ratio = |rate| way.speed * rate / way.rate;
            (ratio(way.least), ratio(way.most))
        }),
        words: in_words(case, way),
    }
}

/// From where to where the ways of a case reach, as multiples of its first way.
struct Range<'a> {
    /// The least ratio of a way in Rust, with the name of that way.
    least: (f64, &'a str),
    /// The greatest ratio of a way in Rust, with the name of that way.
    most: (f64, &'a str),
    /// The greatest ratio of a way in Python.
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

    /// For example, `11.78 (*mpsc, all cores*) to 16.50 (*mpsc, one thread*)`.
    fn with_names(&self) -> String {
        let named = |(of, name)| format!("{} (*{name}*)", times(of));
        match (self.least, self.most) {
            (least, most) if least.1 == most.1 => named(most),
            (least, most) => format!("{} to {}", named(least), named(most)),
        }
    }
}

fn limit(case: &Case) -> Option<&Way> {
    case.way.iter().find(|way| way.kind == Kind::Limit)
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

/// A rate with its unit: `1.47 M items/s`.
fn rate(rate: f64, unit: &str) -> String {
    format!("{} {unit}/s", number(rate))
}

/// A number with three digits: `1.47 M`.
fn number(value: f64) -> String {
    match value {
        v if v >= 999.5e6 => format!("{} G", digits(v / 1e9)),
        v if v >= 999.5e3 => format!("{} M", digits(v / 1e6)),
        v if v >= 999.5 => format!("{} k", digits(v / 1e3)),
        v => digits(v),
    }
}

/// The memory of one unit, where all units exist at once.
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
