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

pub const RESULT: &str = "benches/ways.toml";
pub const PLOTS: &str = "benches/ways";

/// What a run has measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures {
    pub machine: Machine,
    /// Of the compiler, and of packages.
    pub versions: BTreeMap<String, String>,
    pub case: Vec<Case>,
}

/// Ways of doing one thing, at three sizes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub title: String,
    /// What is counted: `a task`.
    pub unit: String,
    pub size: Vec<Size>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Size {
    pub name: String,
    /// In each size the same, and in the same order.
    pub way: Vec<Way>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Way {
    pub name: String,
    /// Nanoseconds for one: the median of the rounds, the least, the most.
    pub cost: f64,
    pub least: f64,
    pub most: f64,
    /// Times as fast as the first way at this size.
    pub speed: f64,
}

pub fn read(root: &Path) -> Result<Figures> {
    results(root, RESULT)
}

/// What the page includes, by the name of its file.
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

/// What is as fast as the fastest, but for noise.
const AS_FAST: f64 = 1.1;

/// The section that a case stands in: its name begins so.
fn section(case: &Case) -> &str {
    case.name.split('-').next().unwrap_or_default()
}

/// What other pages say of it, in one line: the largest size, the fastest way
/// first.
fn line(case: &Case) -> String {
    let Case { title, unit, .. } = case;
    let size = case.size.last().expect("three sizes");
    let mut ways: Vec<&Way> = size.way.iter().collect();
    ways.sort_by(|one, other| one.cost.total_cmp(&other.cost));
    let cost = |way: &&Way| format!("{} {}", way.name, time(way.cost));
    let ways: Vec<String> = ways.iter().map(cost).collect();
    let (size, ways, section) = (&size.name, ways.join("; "), section(case));
    format!(
        "{title}, {size}, {unit}: {ways} ([at other \
         sizes](../performance/ways.md#{section})).\n"
    )
}

/// Each cell says what it is: on a phone they stand below each other.
fn overview(figures: &Figures) -> String {
    let mut table = "\
        | Work | Fastest | At ten times the size | At a hundred times |\n\
        | --- | --- | --- | --- |\n"
        .to_owned();
    for case in &figures.case {
        let section = section(case);
        write!(table, "| [{}](#{section}) |", case.title).expect("a string");
        for size in &case.size {
            let costs = size.way.iter().map(|way| way.cost);
            let least = costs.fold(f64::INFINITY, f64::min);
            let fastest = size.way.iter();
            let fastest: Vec<&str> = fastest
                .filter(|way| way.cost <= least * AS_FAST)
                .map(|way| way.name.as_str())
                .collect();
            let fastest = fastest.join("; ");
            write!(table, " *{}:* {fastest} |", size.name).expect("a string");
        }
        table.push('\n');
    }
    table
}

fn plot(case: &Case, figures: &Figures) -> String {
    let group = |size: &Size| Group {
        title: Some(size.name.clone()),
        bars: size
            .way
            .iter()
            .enumerate()
            .map(|(index, way)| bar(case, way, index == 0))
            .collect(),
    };
    let plot = Plot {
        id: format!("ways-{}", case.name),
        title: &case.title,
        what: "speed, as a multiple of the first bar's at the same size \
               (longer is faster), the range of the rounds, and the time for \
               one",
        groups: case.size.iter().map(group).collect(),
    };
    plot.draw(&figures.machine)
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

/// Three digits: `1.47 µs`.
fn time(ns: f64) -> String {
    match ns {
        v if v >= 999.5e3 => format!("{} ms", digits(v / 1e6)),
        v if v >= 999.5 => format!("{} µs", digits(v / 1e3)),
        v => format!("{} ns", digits(v)),
    }
}
