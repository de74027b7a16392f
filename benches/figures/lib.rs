//! The cases that `cargo bench` measures, the results by processor, and what
//! the book shows of them. All paths are relative to the repository's root,
//! which must be the current directory.

mod plots;
mod texts;

pub use texts::span;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Up to this ratio, one of two ways is not called the faster one: another
/// processor, or another day, has the other order.
pub const CLEAR: f64 = 1.15;

/// Ways of doing one thing, as `cases.toml` lists them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The page that plots it, and its name on that page: `ways/locks`.
    pub name: String,
    pub title: String,
    /// What is counted, `tasks`, or what one cost is for, `a task`.
    pub unit: String,
    /// The Python script and the Rust function, and an argument of both.
    #[serde(default)]
    pub run: String,
    #[serde(default)]
    pub needs: String,
    /// What the bars of the plot show.
    #[serde(default)]
    pub bars: Figure,
    /// Whether the plot says what memory the ways take: not if that does not
    /// grow with the work, or if they do other work.
    #[serde(default)]
    pub memory: bool,
    #[serde(default = "one_size")]
    pub sizes: Vec<String>,
    /// The programs and the packages that the results are of.
    #[serde(default)]
    pub of: Vec<String>,
    ways: Vec<String>,
}

fn one_size() -> Vec<String> {
    vec![String::new()]
}

/// What a way is written in, or that it is a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Python,
    Rust,
    /// The case without the work that the ways do. No way can be faster.
    Limit,
}

#[derive(Debug)]
pub struct Way {
    pub name: String,
    pub kind: Kind,
    /// `asyncio` or `uvloop`; `one` thread or `all` cores.
    pub runner: &'static str,
    /// What the script or the Rust function calls it.
    pub way: String,
}

impl Case {
    /// The page that plots it.
    pub fn page(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// The id of its plot.
    pub fn id(&self) -> String {
        self.name.replace('/', "-")
    }

    /// The id of the section that shows the plot.
    fn section(&self) -> &str {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        name.split('-').next().unwrap_or_default()
    }

    pub fn ways(&self) -> Vec<Way> {
        let expanded = self.ways.iter().flat_map(|line| {
            let (name, run) = line.split_once(" = ").expect("NAME = RUNNER");
            let (runner, way) = run.split_once(' ').unwrap_or((run, ""));
            let kind = match runner {
                "asyncio" | "uvloop" => Kind::Python,
                _ if name.starts_with("limit: ") => Kind::Limit,
                _ => Kind::Rust,
            };
            let new = |runner, threads| Way {
                name: format!("{name}{threads}"),
                kind,
                runner,
                way: way.to_owned(),
            };
            match runner {
                "asyncio" => vec![new("asyncio", "")],
                "uvloop" => vec![new("uvloop", "")],
                "one" => vec![new("one", "")],
                "all" => vec![new("all", "")],
                "both" => {
                    vec![new("one", ", one thread"), new("all", ", all cores")]
                }
                _ => panic!("no runner {runner}"),
            }
        });
        expanded.collect()
    }

    /// What `run` names, and the argument for a size.
    pub fn run(&self, size: &str) -> (String, String) {
        let (run, argument) = match self.run.split_once(' ') {
            Some((run, argument)) => (run, argument.to_owned()),
            None => (self.run.as_str(), number(size)),
        };
        let name = self.name.rsplit('/').next().unwrap_or_default();
        (if run.is_empty() { name } else { run }.to_owned(), argument)
    }
}

/// The number that a size begins with: `1,000 rows`.
fn number(size: &str) -> String {
    let digit = |c: &char| c.is_ascii_digit() || *c == ',';
    size.chars().take_while(digit).filter(|c| *c != ',').collect()
}

/// The name of a row: a way at a size.
pub fn row(size: &str, way: &str) -> String {
    match size {
        "" => way.to_owned(),
        size => format!("{size}: {way}"),
    }
}

/// What was measured on one processor: a file in `results`.
#[derive(Serialize, Deserialize)]
pub struct Results {
    pub machine: Machine,
    pub case: BTreeMap<String, Measured>,
}

#[derive(Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory: String,
    pub system: String,
}

/// The results of a case.
#[derive(Serialize, Deserialize)]
pub struct Measured {
    pub date: String,
    /// The last commit at that time.
    pub commit: String,
    pub rounds: usize,
    /// The programs, by their digests, and the versions.
    pub of: BTreeMap<String, String>,
    /// Nanoseconds for one unit: the median of the rounds, the least and the
    /// most. Or a single number: the median as a multiple of the first way's.
    pub ns: BTreeMap<String, Vec<f64>>,
    /// The memory at the peak in bytes, less what the process had at its
    /// start. A server's is its whole memory.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub memory: BTreeMap<String, f64>,
    /// The milliseconds within which a server has sent 99 % of its responses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tail: BTreeMap<String, f64>,
}

impl Machine {
    /// The processor's name without marks: `Intel Xeon`.
    pub fn name(&self) -> String {
        let name = self.processor.replace("(R)", "").replace("(TM)", "");
        let name = name.split(" Processor").next().unwrap_or_default();
        let name = name.split(" @").next().unwrap_or_default();
        name.trim().to_owned()
    }

    /// The path of its file.
    pub fn file(&self) -> String {
        let name = self.name().to_lowercase();
        let name = name.replace(|c: char| !c.is_alphanumeric(), "-");
        format!("benches/results/{name}.toml")
    }
}

impl Results {
    pub fn read(file: &str) -> Result<Self> {
        let text = fs::read_to_string(file).context(file.to_owned())?;
        toml::from_str(&text).context(file.to_owned())
    }

    pub fn write(&self) -> Result<()> {
        let head = "\
            # What `cargo bench` has measured on this processor. A row has \
            nanoseconds\n# for one unit: the median of the rounds, the least \
            and the most. A single\n# number is the median as a multiple of \
            the first way's.\n";
        let text = toml::to_string(self)?;
        Ok(fs::write(self.machine.file(), format!("{head}{text}"))?)
    }
}

/// What a ratio compares.
#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Figure {
    #[default]
    Speed,
    /// The memory at the peak.
    Memory,
}

impl Measured {
    /// How many times as fast one row is as the other, in the median, or how
    /// many times its memory it takes.
    pub fn ratio(&self, figure: Figure, row: &str, to: &str) -> Option<f64> {
        Some(match figure {
            Figure::Speed => self.ns.get(to)?[0] / self.ns.get(row)?[0],
            Figure::Memory => self.memory.get(row)? / self.memory.get(to)?,
        })
    }

    /// The programs and packages of the case that have changed since, or that
    /// were not measured.
    fn older_than(&self, case: &Case, now: &Versions) -> Vec<String> {
        let mut changed = Vec::new();
        for name in case.of.iter().map(String::as_str).chain(["tokio"]) {
            if self.of.get(name) != Some(&now.of(name)) {
                let name = name.rsplit('/').next().unwrap_or_default();
                changed.push(name.to_owned());
            }
        }
        changed
    }
}

/// The versions of packages, as the repository pins them.
pub struct Versions(BTreeMap<String, String>);

impl Versions {
    pub fn read() -> Result<Self> {
        let mut versions = BTreeMap::new();
        let pinned = fs::read_to_string("benches/python/requirements.txt")?;
        for (name, version) in pinned.lines().filter_map(|l| l.split_once("=="))
        {
            versions.insert(name.to_owned(), version.to_owned());
        }
        let lock: toml::Table = fs::read_to_string("Cargo.lock")?.parse()?;
        for package in lock["package"].as_array().context("packages")? {
            let text = |key| package[key].as_str().unwrap_or_default();
            versions.insert(text("name").to_owned(), text("version").into());
        }
        Ok(Self(versions))
    }

    /// The version of a package, or the digest of a program: of its part to
    /// keep, if it has one, because its scenario is not measured. Comments do
    /// not count.
    pub fn of(&self, name: &str) -> String {
        if !name.contains('/') {
            return self.0.get(name).cloned().unwrap_or_default();
        }
        // FNV-1a: std's hashes may be others in the next release.
        let fold = |hash: u64, &byte: &u8| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        };
        let text = fs::read_to_string(name).unwrap_or_default();
        let kept = text.split_once("ANCHOR: keep\n");
        let kept =
            kept.and_then(|(_, text)| text.split_once("ANCHOR_END: keep"));
        let mark = if name.ends_with(".py") { "# " } else { "// " };
        let lines = kept.map_or(&text[..], |(kept, _)| kept).lines();
        let code = lines.map(|line| line.split(mark).next().unwrap_or(line));
        let code: String =
            code.flat_map(|line| [line.trim_end(), "\n"]).collect();
        format!(
            "{:016x}",
            code.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold)
        )
    }
}

/// All cases, and the results of all processors.
pub struct Figures {
    pub cases: Vec<Case>,
    pub results: Vec<Results>,
    pub versions: Versions,
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

impl Figures {
    pub fn read() -> Result<Self> {
        let cases = fs::read_to_string("benches/cases.toml")?;
        let cases: Cases = toml::from_str(&cases).context("cases.toml")?;
        let mut files = Vec::new();
        for entry in fs::read_dir("benches/results")? {
            files.push(entry?.path().display().to_string());
        }
        files.sort();
        let results = files.iter().map(|file| Results::read(file));
        Ok(Self {
            cases: cases.case,
            results: results.collect::<Result<_>>()?,
            versions: Versions::read()?,
        })
    }

    /// The results of a case on each processor that has measured it.
    pub fn of(&self, case: &Case) -> Vec<(&Machine, &Measured)> {
        let measured = self.results.iter().filter_map(|results| {
            Some((&results.machine, results.case.get(&case.name)?))
        });
        measured.collect()
    }

    /// The least and the greatest ratio of two ways, on all processors. Each is
    /// a way's whole name, or what `one thread` and `all cores` of it have in
    /// common: then like is compared with like. If no size is named, all are.
    pub fn range(
        &self,
        case: &Case,
        figure: Figure,
        sizes: &[&str],
        (way, to): (&str, &str),
    ) -> Option<(f64, f64)> {
        let ways = case.ways();
        let variants = |name: &str| -> Vec<(String, String)> {
            let of = ways.iter().filter_map(|way| {
                let rest = way.name.strip_prefix(name)?;
                let known = ["", ", one thread", ", all cores"];
                known.contains(&rest).then(|| (way.name.clone(), rest.into()))
            });
            of.collect()
        };
        let mut ratios = Vec::new();
        for (_, measured) in self.of(case) {
            for size in &case.sizes {
                if !sizes.is_empty() && !sizes.contains(&size.as_str()) {
                    continue;
                }
                for (one, kind) in variants(way) {
                    for (other, of) in variants(to) {
                        if kind == of || kind.is_empty() || of.is_empty() {
                            let rows = (row(size, &one), row(size, &other));
                            let ratio =
                                measured.ratio(figure, &rows.0, &rows.1);
                            ratios.push(ratio?);
                        }
                    }
                }
            }
        }
        Some((
            ratios.iter().copied().reduce(f64::min)?,
            ratios.iter().copied().reduce(f64::max)?,
        ))
    }

    /// The files that the book includes, as paths and texts: a plot and a line
    /// for each case, and for each page a table and the sentence on what, when
    /// and where.
    pub fn draw(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        let mut pages: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
        for case in &self.cases {
            pages.entry(case.page()).or_default().push(case);
            let name = &case.name;
            files.push((format!("benches/{name}.svg"), self.plot(case)));
            files.push((format!("benches/{name}.md"), self.line(case)));
        }
        for (page, cases) in pages {
            let file = |name: &str| format!("benches/{page}/{name}.md");
            files.push((file("measured"), self.measured(&cases)));
            files.push((file("overview"), self.overview(&cases)));
        }
        files
    }
}
