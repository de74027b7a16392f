//! The results in words: lines, tables, and numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{CLEAR, Case, Figure, Figures, Kind, Measured, Way, row};

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
        let (title, section) = (&case.title, case.section());
        if case.page() != "asyncio" {
            return self.line_of_ways(case);
        }
        let rust = span(self.ends(case, case.bars));
        let first = &case.ways()[0].name;
        let section = format!("../performance/figures.md#{section}");
        let older = self.older(case);
        if case.bars == Figure::Memory {
            return format!(
                "[{title}]({section}): memory, *{first}* 1, Rust {rust}.{older}\n"
            );
        }
        let mut python = String::new();
        let best = self.best_python(case);
        if best.1 > CLEAR {
            python = format!(", other Python {}", span(Some(best)));
        }
        let mut behind = self.behind(case);
        if !behind.is_empty() {
            let (ways, are) = match behind.matches('*').count() {
                2 => ("way", "is"),
                _ => ("ways", "are"),
            };
            behind = format!(
                " **The Rust {ways} {behind} {are} less than {:.0} % faster than \
                 Python's fastest way, or slower.**",
                (CLEAR - 1.0) * 100.0
            );
        }
        format!(
            "[{title}]({section}): *{first}* 1{python}, Rust {rust}.{behind}{older}\n"
        )
    }

    /// The least and the greatest ratio of all ways in Rust.
    fn ends(&self, case: &Case, figure: Figure) -> Option<(f64, f64)> {
        let ratios = self.ratios(case, figure, Kind::Rust);
        Some((ratios.first()?.0, ratios.last()?.0))
    }

    /// The ratios of all ways of a kind to the first way, in order, each with
    /// its way and its processor.
    fn ratios(
        &self,
        case: &Case,
        figure: Figure,
        kind: Kind,
    ) -> Vec<(f64, String, String)> {
        let (ways, mut ratios) = (case.ways(), Vec::new());
        for (machine, measured) in self.of(case) {
            for way in ways.iter().filter(|way| way.kind == kind) {
                let ratio = measured.ratio(figure, &way.name, &ways[0].name);
                let named = |of| (of, way.name.clone(), machine.name());
                ratios.extend(ratio.map(named));
            }
        }
        ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
        ratios
    }

    /// The speed of the fastest Python on each processor, from where to where.
    fn best_python(&self, case: &Case) -> (f64, f64) {
        let mut best = BTreeMap::new();
        for (ratio, _, on) in self.ratios(case, Figure::Speed, Kind::Python) {
            best.insert(on, ratio); // the last one is the greatest
        }
        let least = best.values().copied().fold(f64::MAX, f64::min);
        (least, best.into_values().fold(0.0, f64::max))
    }

    /// The ways in Rust that are not clearly faster than the fastest in Python.
    pub(crate) fn behind(&self, case: &Case) -> String {
        let python = self.ratios(case, Figure::Speed, Kind::Python);
        let mut behind: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (ratio, way, on) in self.ratios(case, Figure::Speed, Kind::Rust) {
            let best = python.iter().rfind(|python| python.2 == on);
            if best.is_some_and(|best| ratio < CLEAR * best.0) {
                behind.entry(way).or_default().push(on);
            }
        }
        let ways: Vec<_> = behind
            .into_iter()
            .map(|(way, on)| match on.len() == self.of(case).len() {
                true => format!("*{way}*"),
                false => format!("*{way}* (on {})", on.join(" and ")),
            })
            .collect();
        ways.join(", ")
    }

    /// The ways at the largest size, the fastest one first.
    fn line_of_ways(&self, case: &Case) -> String {
        let Case { title, unit, .. } = case;
        let size = case.sizes.last().expect("a size");
        let measured = self.of(case);
        let of = |way: &Way| -> Vec<&Vec<f64>> {
            let row = row(size, &way.name);
            measured.iter().map(|(_, measured)| &measured.ns[&row]).collect()
        };
        let mut ways = case.ways();
        let product =
            |way: &Way| of(way).iter().map(|ns| ns[0]).product::<f64>();
        ways.sort_by(|a, b| product(a).total_cmp(&product(b)));
        let show = |ns: &Vec<f64>| match ns.len() {
            1 => format!("× {}", times(ns[0])),
            _ => time(ns[0]),
        };
        let ways: Vec<_> = ways
            .iter()
            .map(|way| {
                let ns: Vec<_> = of(way).into_iter().map(show).collect();
                format!("{} {}", way.name, ns.join(" and "))
            })
            .collect();
        let on: Vec<_> = measured.iter().map(|(it, _)| it.name()).collect();
        let (size, link) = match size.as_str() {
            "" => (String::new(), "plot"),
            size => (format!(", {size}"), "at other sizes"),
        };
        format!(
            "{title}{size}, time for {unit}, on {}: {} \
             ([{link}](../performance/ways.md#{})).{}\n",
            on.join(" and "),
            ways.join("; "),
            case.section(),
            self.older(case)
        )
    }

    /// Which results are older than a program or a package.
    fn older(&self, case: &Case) -> String {
        let older =
            self.of(case).into_iter().map(|(machine, measured)| match measured
                .older_than(case, &self.versions)
                .as_slice()
            {
                [] => String::new(),
                names => format!(
                    " (Measured on {} with earlier versions of {}.)",
                    machine.name(),
                    names.join(" and ")
                ),
            });
        older.collect()
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
            let cells = if asyncio {
                let memory = match case.memory {
                    true => format!(
                        "memory × {}",
                        span(self.ends(case, Figure::Memory))
                    ),
                    false => String::new(),
                };
                let python = span(Some(self.best_python(case)));
                let rust = span(self.ends(case, Figure::Speed));
                format!("Rust × {rust} | Python × {python} | {memory}")
            } else {
                let sizes = case.sizes.iter();
                let cells: Vec<_> =
                    sizes.map(|size| self.near(case, size)).collect();
                cells.join("<br>")
            };
            let (title, section) = (&case.title, case.section());
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
        let unit = &case.unit;
        let ns = &self.ns[row];
        if let [median, least, most] = ns[..] {
            let [median, least, most] =
                match unit.starts_with("a ") || unit.starts_with("an ") {
                    true => [
                        format!("{} {unit}", time(median)),
                        time(least),
                        time(most),
                    ],
                    false => {
                        let rate = |ns: f64| number(1e9 / ns);
                        [
                            format!("{} {unit}/s", rate(median)),
                            rate(most),
                            rate(least),
                        ]
                    }
                };
            words = format!("{median} ({least} to {most}), {words}");
        }
        if let Some(ms) = self.tail.get(row) {
            words.push_str(&format!(", 99 of 100 within {ms:.2} ms"));
        }
        if let Some(space) = self.ratio(Figure::Memory, row, first) {
            if ns.len() > 1 {
                let mib = self.memory[row] / 1024.0 / 1024.0;
                words.push_str(&format!(", {} MiB", digits(mib)));
            }
            words.push_str(&format!(", {} times the memory", times(space)));
        }
        Some(words)
    }
}

/// A range of ratios: `8.5 to 22`.
pub fn span(ends: Option<(f64, f64)>) -> String {
    match ends.map(|(low, high)| (short(low), short(high))) {
        None => "not measured".to_owned(),
        Some((low, high)) if low == high => high,
        Some((low, high)) => format!("{low} to {high}"),
    }
}

/// A ratio with two digits: `1.27`, `8.9`, `334`.
fn short(ratio: f64) -> String {
    let places = match ratio {
        of if of < 1.995 => 2,
        of if of < 9.95 => 1,
        _ => 0,
    };
    format!("{ratio:.places$}")
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
