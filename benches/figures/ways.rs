//! The results of `cargo bench --bench ways`.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::plots::{Bar, Group, Plot, digits, times};

/// Ways of doing one thing, at three sizes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub title: String,
    /// What one cost is for: `a task`.
    pub unit: String,
    pub size: Vec<Size>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Size {
    pub name: String,
    /// The same ways in each size, in the same order.
    pub way: Vec<Way>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Way {
    pub name: String,
    /// Nanoseconds for one unit: the median of the rounds.
    pub cost: f64,
    /// Nanoseconds for one unit in the fastest round.
    pub least: f64,
    /// Nanoseconds for one unit in the slowest round.
    pub most: f64,
    /// The speed, as a multiple of the first way's at this size.
    pub speed: f64,
}

/// Up to this multiple of the least cost, a way counts as one of the fastest:
/// the difference is noise.
const AS_FAST: f64 = 1.1;

impl super::Case for Case {
    const BENCH: &'static str = "ways";

    fn name(&self) -> &str {
        &self.name
    }

    fn plot(&self) -> Plot<'_> {
        let group = |size: &Size| Group {
            title: Some(size.name.clone()),
            bars: size
                .way
                .iter()
                .enumerate()
                .map(|(index, way)| bar(self, way, index == 0))
                .collect(),
        };
        Plot {
            id: format!("ways-{}", self.name),
            title: &self.title,
            what: "speed, as a multiple of the first bar's at the same size \
                   (longer is faster), the range of the rounds, and the time \
                   for one",
            groups: self.size.iter().map(group).collect(),
        }
    }

    /// The ways at the largest size, the fastest one first.
    fn line(&self) -> String {
        let Case { title, unit, .. } = self;
        let size = self.size.last().expect("three sizes");
        let mut ways: Vec<&Way> = size.way.iter().collect();
        ways.sort_by(|one, other| one.cost.total_cmp(&other.cost));
        let cost = |way: &&Way| format!("{} {}", way.name, time(way.cost));
        let ways: Vec<String> = ways.iter().map(cost).collect();
        let (size, ways, section) =
            (&size.name, ways.join("; "), self.section());
        format!(
            "{title}, {size}, {unit}: {ways} ([at other \
             sizes](../performance/ways.md#{section})).\n"
        )
    }

    /// On a phone the cells of a row stand below each other, so each cell says
    /// what it holds.
    fn overview(cases: &[Self]) -> String {
        let mut table = "\
            | Work | Fastest | At ten times the size | At a hundred times |\n\
            | --- | --- | --- | --- |\n"
            .to_owned();
        for case in cases {
            let section = case.section();
            write!(table, "| [{}](#{section}) |", case.title)
                .expect("a string");
            for size in &case.size {
                let costs = size.way.iter().map(|way| way.cost);
                let least = costs.fold(f64::INFINITY, f64::min);
                let fastest = size.way.iter();
                let fastest: Vec<&str> = fastest
                    .filter(|way| way.cost <= least * AS_FAST)
                    .map(|way| way.name.as_str())
                    .collect();
                let fastest = fastest.join("; ");
                write!(table, " *{}:* {fastest} |", size.name)
                    .expect("a string");
            }
            table.push('\n');
        }
        table
    }
}

fn bar(case: &Case, way: &Way, first: bool) -> Bar {
    let ratio = |cost: f64| way.speed * way.cost / cost;
    let amount = format!("{} {}", time(way.cost), case.unit);
    let (least, most) = (time(way.least), time(way.most));
    let speed = times(way.speed);
    Bar {
        name: way.name.clone(),
        class: if first { "tl-waits" } else { "tl-works" },
        words: format!("{amount} ({least} to {most}), {speed} times as fast"),
        amount,
        ratio: way.speed,
        range: Some((ratio(way.most), ratio(way.least))),
    }
}

/// A time with three digits: `1.47 µs`.
fn time(ns: f64) -> String {
    match ns {
        v if v >= 999.5e3 => format!("{} ms", digits(v / 1e6)),
        v if v >= 999.5 => format!("{} µs", digits(v / 1e3)),
        v => format!("{} ns", digits(v)),
    }
}
