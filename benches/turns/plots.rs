//! What the pages of figures share: on what was measured, and plots of bars
//! with the same in words.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub date: String,
    pub cores: usize,
    pub processor: String,
    pub memory: String,
    pub system: String,
    pub rounds: usize,
    /// Whether nothing else was at work.
    pub quiet: bool,
}

/// A file of results.
pub fn results<T: DeserializeOwned>(root: &Path, file: &str) -> Result<T> {
    let text = fs::read_to_string(root.join(file));
    toml::from_str(&text.with_context(|| file.to_owned())?)
        .with_context(|| file.to_owned())
}

/// What the page says of the machine, and of the versions on it.
pub fn machine(
    machine: &Machine,
    versions: &BTreeMap<String, String>,
) -> String {
    let Machine { date, cores, processor, memory, system, rounds, quiet } =
        machine;
    let alone = match quiet {
        true => "while nothing else was at work",
        false => "while the machine had other work",
    };
    let rounds = match rounds {
        1 => "one round".to_owned(),
        rounds => format!("{rounds} rounds"),
    };
    let versions: Vec<_> = versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    format!(
        "- **Machine**: {cores} cores of {processor}, {memory}, {system}\n\
         - **Run**: {date}, {rounds}, {alone}\n\
         - **Versions**: {}\n",
        versions.join(", ")
    )
}

pub struct Bar {
    pub name: String,
    /// Its colour: that of `theme/timeline.css`.
    pub class: &'static str,
    pub amount: String,
    pub ratio: f64,
    /// The ratios of the least and the most of the rounds.
    pub range: Option<(f64, f64)>,
    /// What a sentence says of the bar, after its name.
    pub words: String,
}

/// Bars that are compared with each other, below a heading if there are more
/// such groups.
pub struct Group {
    pub title: Option<String>,
    pub bars: Vec<Bar>,
}

pub struct Plot<'a> {
    pub id: String,
    pub title: &'a str,
    /// What the bars show.
    pub what: &'a str,
    pub groups: Vec<Group>,
}

/// The height of a bar, with its name above.
const ROW: usize = 36;
/// That of a group's title.
const TITLE: usize = 24;

impl Plot<'_> {
    /// All groups have one scale.
    pub fn draw(&self, machine: &Machine) -> String {
        let bars = self.groups.iter().flat_map(|group| &group.bars);
        let end = |bar: &Bar| bar.range.map_or(bar.ratio, |(_, most)| most);
        let scale = bars.map(end).fold(0.0, f64::max);
        let percent = |part: f64| (part / scale * 100_000.0).round() / 1_000.0;
        let (mut svg, mut words) = (String::new(), String::new());
        let mut top = 0;
        for group in &self.groups {
            let mut whose = String::new();
            if let Some(title) = &group.title {
                let title = escape(title);
                let (text, line) = (top + 16, top + 20);
                writeln!(
                    svg,
                    "<text x=\"0%\" y=\"{text}\" font-size=\"13\">{title}\
                     </text>\n<line x1=\"0%\" x2=\"100%\" y1=\"{line}\" \
                     y2=\"{line}\" stroke=\"currentColor\" \
                     stroke-opacity=\"0.4\"/>"
                )
                .expect("a string");
                whose = format!("{title}, ");
                top += TITLE;
            }
            for bar in &group.bars {
                let class = bar.class;
                let (text, y, middle) = (top + 13, top + 18, top + 24);
                let width = percent(bar.ratio);
                let name = escape(&bar.name);
                let (amount, ratio) = (&bar.amount, times(bar.ratio));
                writeln!(
                    svg,
                    "<g><text x=\"0%\" y=\"{text}\" font-weight=\"bold\">\
                     {name}</text><text x=\"100%\" y=\"{text}\" \
                     text-anchor=\"end\">{amount}, × {ratio}</text>\
                     <rect class=\"{class}\" x=\"0%\" width=\"{width}%\" \
                     y=\"{y}\" height=\"12\" fill-opacity=\"0.35\"/>"
                )
                .expect("a string");
                if let Some((least, most)) = bar.range {
                    let (from, to) = (percent(least), percent(most));
                    writeln!(
                        svg,
                        "<line x1=\"{from}%\" x2=\"{to}%\" y1=\"{middle}\" \
                         y2=\"{middle}\" stroke=\"currentColor\"/>"
                    )
                    .expect("a string");
                }
                svg.push_str("</g>\n");
                writeln!(words, "<li>{whose}{name}: {}.</li>", bar.words)
                    .expect("a string");
                top += ROW;
            }
        }
        let height = top + 4;
        let (id, what) = (&self.id, self.what);
        let title = escape(self.title);
        let Machine { date, cores, rounds, quiet, .. } = machine;
        let rounds = match rounds {
            1 => "one round".to_owned(),
            rounds => format!("{rounds} rounds, the median,"),
        };
        let busy = if *quiet { "" } else { ", while it had other work" };
        format!(
            "<figure class=\"plot\">\n\
             <svg class=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\" \
             role=\"img\" aria-labelledby=\"{id}\" width=\"100%\" \
             height=\"{height}\" font-size=\"11\" font-family=\"sans-serif\" \
             fill=\"currentColor\">\n\
             <title id=\"{id}\">{title}: {what}; the figures follow in \
             words</title>\n{svg}</svg>\n\
             <figcaption>{title}: {what}. Of {rounds} on {cores} cores, \
             {date}{busy}.\n<details>\n<summary>The same in words</summary>\n\
             <ul>\n{words}</ul>\n</details>\n</figcaption>\n</figure>\n"
        )
    }
}

/// Two places, and more where two say little: `33.74`, `0.016`.
pub fn times(ratio: f64) -> String {
    let places = if ratio < 0.095 { 3 } else { 2 };
    format!("{ratio:.places$}")
}

/// Three digits, or all those before the point.
pub fn digits(value: f64) -> String {
    let places = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.places$}")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
