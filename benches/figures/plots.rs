//! A plot of horizontal bars, as SVG, with the same in words below it.

use std::fmt::Write;

use super::texts::times;
use super::{Case, Figure, Figures, Kind, row};

/// The height of a name, of a bar below it, and of a size's title, in pixels.
const NAME: usize = 18;
const BAR: usize = 11;
const TITLE: usize = 24;

impl Figures {
    /// The plot as HTML: a bar for each processor. All sizes have one scale.
    pub(crate) fn plot(&self, case: &Case) -> String {
        let (ways, measured) = (case.ways(), self.of(case));
        let ratio = |on: usize, size: &str, way: &str| {
            let first = row(size, &ways[0].name);
            measured[on].1.ratio(case.bars, &row(size, way), &first)
        };
        let mut scale = 0.0_f64;
        for on in 0..measured.len() {
            for size in &case.sizes {
                for way in &ways {
                    let ratio = ratio(on, size, &way.name).unwrap_or_default();
                    scale = scale.max(ratio);
                }
            }
        }
        let percent = |part: f64| (part / scale * 10_000.0).round() / 100.0;
        let (mut svg, mut words) = (String::new(), String::new());
        let mut top = 0;
        for size in &case.sizes {
            if !size.is_empty() {
                let (text, line) = (top + 16, top + 20);
                writeln!(
                    svg,
                    "<text x=\"0%\" y=\"{text}\" font-size=\"13\">{}</text>\n\
                     <line x1=\"0%\" x2=\"100%\" y1=\"{line}\" y2=\"{line}\" \
                     stroke=\"currentColor\" stroke-opacity=\"0.4\"/>",
                    escape(size)
                )
                .expect("a string");
                top += TITLE;
            }
            for (index, way) in ways.iter().enumerate() {
                let class = match way.kind {
                    Kind::Limit => "tl-limit",
                    Kind::Rust if index > 0 => "tl-works",
                    _ => "tl-waits",
                };
                let (mut bars, mut ratios) = (String::new(), Vec::new());
                let text = top + 13;
                top += NAME;
                for on in 0..measured.len() {
                    let ratio = ratio(on, size, &way.name);
                    if let Some(ratio) = ratio {
                        let (width, height) = (percent(ratio), BAR - 1);
                        write!(
                            bars,
                            "<rect class=\"{class}\" x=\"0%\" \
                             width=\"{width}%\" y=\"{top}\" \
                             height=\"{height}\" fill-opacity=\"0.35\"/>"
                        )
                        .expect("a string");
                    }
                    ratios.push(ratio.map_or("?".to_owned(), times));
                    top += BAR;
                }
                top += 5;
                let (name, ratios) = (escape(&way.name), ratios.join(", "));
                writeln!(
                    svg,
                    "<g><text x=\"0%\" y=\"{text}\" font-weight=\"bold\">\
                     {name}</text><text x=\"100%\" y=\"{text}\" \
                     text-anchor=\"end\">× {ratios}</text>{bars}</g>"
                )
                .expect("a string");
                let first = row(size, &ways[0].name);
                let row = row(size, &way.name);
                let each = measured.iter().filter_map(|(machine, measured)| {
                    let words = measured.in_words(case, &row, &first)?;
                    Some(format!("{}: {words}", machine.name()))
                });
                let each: Vec<_> = each.collect();
                writeln!(
                    words,
                    "<li>{}. {}.</li>",
                    escape(&row),
                    escape(&each.join("; "))
                )
                .expect("a string");
            }
        }
        let on: Vec<_> = measured
            .iter()
            .map(|(machine, measured)| {
                let older = measured.older_than(case, &self.versions);
                let older = match older.as_slice() {
                    [] => String::new(),
                    names => {
                        format!(", <b>before {} changed</b>", names.join(", "))
                    }
                };
                let (name, cores) = (machine.name(), machine.cores);
                format!("{name} ({cores} cores, {}{older})", measured.date)
            })
            .collect();
        let what = match case.bars {
            Figure::Speed => "speed, where longer is faster",
            Figure::Memory => "memory at the peak, where shorter is less",
        };
        let behind = match self.behind(case).replace('*', "") {
            behind if behind.is_empty() => behind,
            behind => format!(" Not clearly faster than Python: {behind}."),
        };
        let what = format!(
            "{}: {what}, as a multiple of the first way's{}.{behind} The bars of \
             a way, from the top: {}",
            escape(&case.title),
            if case.sizes.len() > 1 { " at the same size" } else { "" },
            on.join("; ")
        );
        let id = case.id();
        let title = escape(&case.title);
        format!(
            "<figure class=\"plot\">\n\
             <svg class=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\" \
             role=\"img\" aria-labelledby=\"{id}\" width=\"100%\" \
             height=\"{top}\" font-size=\"11\" font-family=\"sans-serif\" \
             fill=\"currentColor\">\n\
             <title id=\"{id}\">{title}; the figures follow in words</title>\n\
             {svg}</svg>\n\
             <figcaption>{what}.\n<details>\n\
             <summary>The same in words: medians, and the range of the rounds\
             </summary>\n<ul>\n{words}</ul>\n</details>\n</figcaption>\n\
             </figure>\n"
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
