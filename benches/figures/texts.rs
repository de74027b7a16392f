//! The results in words: lines, tables, and numbers.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{
    Bars, CLEAR, Case, Figure, Figures, Kind, Measured, Memory, Way, row,
};

impl Case {
    fn figure(&self) -> Figure {
        match self.bars {
            Bars::Speed => Figure::Speed,
            Bars::Memory => Figure::Memory,
        }
    }
}

impl Figures {
    /// What is measured with which Python, on which processors, and when.
    pub(crate) fn measured(&self, cases: &[&Case]) -> String {
        let mut on = BTreeSet::new();
        let mut pythons = BTreeSet::new();
        for (machine, measured) in cases.iter().flat_map(|it| self.of(it)) {
            let (name, cores) = (machine.name(), machine.cores);
            on.insert(format!("{name} ({cores} cores, {})", measured.date));
            pythons.extend(measured.of.get("CPython"));
        }
        let python: Vec<_> =
            pythons.iter().map(|of| format!("CPython {of} and ")).collect();
        let on: Vec<_> = on.into_iter().collect();
        format!(
            "These figures are of {}Rust in release mode, on {}.\n",
            python.join(""),
            on.join(" and ")
        )
    }

    /// What the page of a recipe says of a case, in one line.
    pub(crate) fn line(&self, case: &Case) -> String {
        let title = &case.title;
        if case.page() != "asyncio" {
            return self.line_of_ways(case);
        }
        let link = format!(
            "([figures](../performance/figures.md#{}))",
            case.section()
        );
        let ways = case.ways();
        let first = &ways[0].name;
        let rust = self.with_names(case);
        if case.bars == Bars::Memory {
            return format!(
                "{title}: {rust} of the memory of *{first}* {link}.\n"
            );
        }
        let python = match self.span(case, Kind::Python, Figure::Speed, true) {
            Some((_, most)) if most <= 1.0 => String::new(),
            python => format!("; the fastest Python {} times", span(python)),
        };
        let behind: Vec<_> = self.behind(case);
        let behind = match behind.as_slice() {
            [] => String::new(),
            rows => format!(
                "**no faster than the fastest Python: {}**; ",
                rows.join(", ")
            ),
        };
        format!(
            "{title}: {behind}Rust {rust} times as fast as *{first}*{python} \
             {link}.\n"
        )
    }

    /// The ways in Rust that are not clearly faster than the fastest in
    /// Python, each with the processors where that is so.
    fn behind(&self, case: &Case) -> Vec<String> {
        let ways = case.ways();
        let of = |kind| ways.iter().filter(move |way| way.kind == kind);
        let rust = of(Kind::Rust).filter_map(|way| {
            let behind = self.of(case).into_iter().filter(|(_, measured)| {
                let clear = |python: &Way| {
                    measured.ratio(Figure::Speed, &way.name, &python.name)
                        >= Some(CLEAR)
                };
                !of(Kind::Python).all(clear)
            });
            let on: Vec<_> = behind.map(|(it, _)| it.name()).collect();
            let way = &way.name;
            match on.len() {
                0 => None,
                all if all == self.of(case).len() => Some(format!("*{way}*")),
                _ => Some(format!("*{way}* on {}", on.join(" and "))),
            }
        });
        rust.collect()
    }

    /// The least and the greatest ratio to the first way, of all ways of a
    /// kind or of the best one on each processor.
    fn span(
        &self,
        case: &Case,
        kind: Kind,
        figure: Figure,
        best: bool,
    ) -> Option<(f64, f64)> {
        let ways = case.ways();
        let mut ends: Option<(f64, f64)> = None;
        for (_, measured) in self.of(case) {
            let ratios =
                ways.iter().filter(|way| way.kind == kind).filter_map(|way| {
                    measured.ratio(figure, &way.name, &ways[0].name)
                });
            let ratios: Vec<f64> = ratios.collect();
            let most = ratios.iter().copied().reduce(f64::max)?;
            let least = ratios.iter().copied().reduce(f64::min)?;
            let least = if best { most } else { least };
            let (low, high) = ends.unwrap_or((least, most));
            ends = Some((low.min(least), high.max(most)));
        }
        ends
    }

    /// For example, `5.28 (*mpsc, all cores*) to 22.33 (*mpsc, one thread*)`.
    fn with_names(&self, case: &Case) -> String {
        let ways = case.ways();
        let mut named = Vec::new();
        for (_, measured) in self.of(case) {
            for way in ways.iter().filter(|way| way.kind == Kind::Rust) {
                let to = &ways[0].name;
                let ratio = measured.ratio(case.figure(), &way.name, to);
                named.extend(ratio.map(|ratio| (ratio, &way.name)));
            }
        }
        named.sort_by(|one, other| one.0.total_cmp(&other.0));
        let show = |of: Option<&(f64, &String)>| {
            of.map(|(ratio, name)| format!("{} (*{name}*)", times(*ratio)))
                .unwrap_or_default()
        };
        format!("{} to {}", show(named.first()), show(named.last()))
    }

    /// The ways at the largest size, the fastest one first.
    fn line_of_ways(&self, case: &Case) -> String {
        let Case { title, unit, .. } = case;
        let size = case.sizes.last().expect("a size");
        let mut ways: Vec<_> =
            case.ways()
                .into_iter()
                .map(|way| {
                    let row = row(size, &way.name);
                    let ns = self.of(case).into_iter().filter_map(
                        |(_, measured)| measured.ns.get(&row).cloned(),
                    );
                    (way.name, ns.collect::<Vec<_>>())
                })
                .collect();
        let product =
            |ns: &[Vec<f64>]| ns.iter().map(|ns| ns[0]).product::<f64>();
        let show = |ns: Vec<f64>| match ns.len() {
            1 => format!("× {}", times(ns[0])),
            _ => time(ns[0]),
        };
        ways.sort_by(|a, b| product(&a.1).total_cmp(&product(&b.1)));
        let ways: Vec<_> = ways
            .into_iter()
            .map(|(name, ns)| {
                let ns: Vec<_> = ns.into_iter().map(show).collect();
                format!("{name} {}", ns.join(" or "))
            })
            .collect();
        let on: Vec<_> =
            self.of(case).iter().map(|(it, _)| it.name()).collect();
        let (size, link) = match size.as_str() {
            "" => (String::new(), "plot"),
            size => (format!(", {size}"), "at other sizes"),
        };
        format!(
            "{title}{size}, time for {unit}, on {}: {} \
             ([{link}](../performance/ways.md#{})).\n",
            on.join(" or "),
            ways.join("; "),
            case.section()
        )
    }

    /// On a phone the cells of a row stand below each other, so each cell says
    /// what it holds.
    pub(crate) fn overview(&self, cases: &[&Case]) -> String {
        let asyncio = cases[0].page() == "asyncio";
        let mut table = match asyncio {
            true => {
                "| Work | Rust, slowest to fastest | Python's fastest | \
                 Memory |\n| --- | --- | --- | --- |\n"
            }
            false => "| Work | Never far from the fastest |\n| --- | --- |\n",
        }
        .to_owned();
        for case in cases {
            let (title, section) = (&case.title, case.section());
            let cells = match asyncio {
                true => {
                    let speed = Figure::Speed;
                    let memory = Figure::Memory;
                    let rust = self.span(case, Kind::Rust, speed, false);
                    let python = self.span(case, Kind::Python, speed, true);
                    let memory = match case.memory {
                        Memory::None => String::new(),
                        _ => format!(
                            "memory × {}",
                            span(self.span(case, Kind::Rust, memory, false,))
                        ),
                    };
                    format!(
                        "Rust × {} | Python × {} | {memory}",
                        span(rust),
                        span(python)
                    )
                }
                false => {
                    let sizes = case.sizes.iter();
                    let cells: Vec<_> =
                        sizes.map(|size| self.near(case, size)).collect();
                    cells.join("<br>")
                }
            };
            writeln!(table, "| [{title}](#{section}) | {cells} |")
                .expect("a string");
        }
        table
    }

    /// The ways that are nearly as fast as the fastest on every processor; if
    /// there is none, the one that is never far from it, and how far.
    fn near(&self, case: &Case, size: &str) -> String {
        let measured = self.of(case);
        let worst = |way: &Way| {
            let times_of_best = measured.iter().map(|(_, measured)| {
                let of = |way: &Way| measured.ns[&row(size, &way.name)][0];
                let best = case.ways().iter().map(of).fold(f64::MAX, f64::min);
                of(way) / best
            });
            times_of_best.fold(1.0, f64::max)
        };
        let mut ways: Vec<_> =
            case.ways().into_iter().map(|way| (worst(&way), way)).collect();
        ways.sort_by(|a, b| a.0.total_cmp(&b.0));
        let near: Vec<_> = ways
            .iter()
            .take_while(|(worst, _)| *worst <= CLEAR)
            .map(|(_, way)| way.name.as_str())
            .collect();
        let near = match near.as_slice() {
            [] => {
                let (worst, way) = &ways[0];
                format!("{}, up to {} times the time", way.name, times(*worst))
            }
            near => near.join("; "),
        };
        match size {
            "" => near,
            size => format!("*{size}:* {near}"),
        }
    }
}

impl Measured {
    /// A row in words, on one processor.
    pub(crate) fn in_words(
        &self,
        case: &Case,
        row: &str,
        first: &str,
    ) -> Option<String> {
        let speed = times(self.ratio(Figure::Speed, row, first)?);
        let mut words = format!("{speed} times as fast");
        let ns = &self.ns[row];
        if let [median, least, most] = ns[..] {
            let of = |ns: f64| match case.unit.starts_with("a ")
                || case.unit.starts_with("an ")
            {
                true => time(ns),
                false => number(1e9 / ns),
            };
            let unit = match case.unit.starts_with("a ")
                || case.unit.starts_with("an ")
            {
                true => format!(" {}", case.unit),
                false => format!(" {}/s", case.unit),
            };
            let (low, high) = match case.unit.starts_with("a ")
                || case.unit.starts_with("an ")
            {
                true => (least, most),
                false => (most, least),
            };
            words = format!(
                "{}{unit} ({} to {}), {words}",
                of(median),
                of(low),
                of(high)
            );
        }
        if let Some(ms) = self.tail.get(row) {
            write!(words, ", 99 of 100 within {ms:.2} ms").expect("a string");
        }
        if let Some(space) = self.ratio(Figure::Memory, row, first) {
            let memory = self.memory[row];
            if ns.len() > 1 {
                write!(words, ", {}", bytes(memory)).expect("a string");
            }
            write!(words, ", {} times the memory", times(space))
                .expect("a string");
        }
        Some(words)
    }
}

/// A range of ratios: `8.50 to 22.33`.
fn span(ends: Option<(f64, f64)>) -> String {
    match ends.map(|(low, high)| (times(low), times(high))) {
        None => "not measured".to_owned(),
        Some((low, high)) if low == high => high,
        Some((low, high)) => format!("{low} to {high}"),
    }
}

/// A ratio with two decimal places, or three if it is small: `33.74`, `0.016`.
pub(crate) fn times(ratio: f64) -> String {
    let places = if ratio < 0.095 { 3 } else { 2 };
    format!("{ratio:.places$}")
}

/// A value with three digits, or with all digits before the decimal point.
fn digits(value: f64) -> String {
    let places = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.places$}")
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

/// A time with three digits: `1.47 µs`.
fn time(ns: f64) -> String {
    match ns {
        v if v >= 999.5e3 => format!("{} ms", digits(v / 1e6)),
        v if v >= 999.5 => format!("{} µs", digits(v / 1e3)),
        v => format!("{} ns", digits(v)),
    }
}

fn bytes(value: f64) -> String {
    let mib = 1024.0 * 1024.0;
    match value {
        v if v >= mib => format!("{} MiB", digits(v / mib)),
        v => format!("{} KiB", digits(v / 1024.0)),
    }
}
