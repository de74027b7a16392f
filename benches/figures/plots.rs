//! A plot of horizontal bars, as SVG, with the same in words below it.

use std::fmt::Write;

use super::Machine;

pub struct Bar {
    pub name: String,
    /// The class in `theme/timeline.css` that colours it.
    pub class: &'static str,
    /// The measured value with its unit, which stands above the bar.
    pub amount: String,
    /// The length of the bar, as a multiple of the first bar's.
    pub ratio: f64,
    /// The least and the greatest ratio of the rounds.
    pub range: Option<(f64, f64)>,
    /// The bar in words: a sentence that begins with its name.
    pub words: String,
}

/// Bars that are compared with each other. A plot of several groups gives each
/// a title.
pub struct Group {
    pub title: Option<String>,
    pub bars: Vec<Bar>,
}

pub struct Plot<'a> {
    pub id: String,
    pub title: &'a str,
    /// What the length of a bar means.
    pub what: &'a str,
    pub groups: Vec<Group>,
}

/// The height of a bar with its name above it, in pixels.
const ROW: usize = 36;
/// The height of a group's title, in pixels.
const TITLE: usize = 24;

impl Plot<'_> {
    /// The plot as HTML. All groups have the same scale.
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
        let median = if *rounds > 1 { ", the median," } else { "" };
        let rounds = machine.rounds();
        let busy = if *quiet { "" } else { ", while it had other work" };
        format!(
            "<figure class=\"plot\">\n\
             <svg class=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\" \
             role=\"img\" aria-labelledby=\"{id}\" width=\"100%\" \
             height=\"{height}\" font-size=\"11\" font-family=\"sans-serif\" \
             fill=\"currentColor\">\n\
             <title id=\"{id}\">{title}: {what}; the figures follow in \
             words</title>\n{svg}</svg>\n\
             <figcaption>{title}: {what}. Of {rounds}{median} on {cores} \
             cores, {date}{busy}.\n<details>\n<summary>The same in words</summary>\n\
             <ul>\n{words}</ul>\n</details>\n</figcaption>\n</figure>\n"
        )
    }
}

/// A ratio with two decimal places, or three if it is small: `33.74`, `0.016`.
pub fn times(ratio: f64) -> String {
    let places = if ratio < 0.095 { 3 } else { 2 };
    format!("{ratio:.places$}")
}

/// A value with three digits, or with all digits before the decimal point.
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
