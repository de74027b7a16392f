//! The results of the benchmarks, and what the book shows of them: plots, and
//! lines of text. A benchmark writes both, and a test of the book compares
//! them. All paths are relative to the repository's root, which must be the
//! current directory.

pub mod asyncio;
mod plots;
pub mod ways;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use plots::Plot;

/// The results of one run of a benchmark, as its TOML file holds them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figures<C> {
    pub machine: Machine,
    /// The versions of compilers, interpreters and packages, by name.
    pub versions: BTreeMap<String, String>,
    pub case: Vec<C>,
}

/// The machine that a benchmark has run on, and how it has run.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub date: String,
    pub cores: usize,
    pub processor: String,
    pub memory: String,
    pub system: String,
    pub rounds: usize,
    /// Whether other processes left the machine alone.
    pub quiet: bool,
}

/// Ways of doing one thing, compared in one plot.
pub trait Case: Serialize + DeserializeOwned {
    /// The name of the benchmark, of its file of results, and of the folder of
    /// its plots.
    const BENCH: &'static str;

    fn name(&self) -> &str;

    /// The bars, and what they mean.
    fn plot(&self) -> Plot<'_>;

    /// What the page of a recipe says of the case, in one line.
    fn line(&self) -> String;

    /// A table of all cases, one a row.
    fn overview(cases: &[Self]) -> String;

    /// The id of the section that shows the plot: the first word of the name.
    fn section(&self) -> &str {
        self.name().split('-').next().unwrap_or_default()
    }
}

impl<C: Case> Figures<C> {
    /// The path of the file of results.
    pub fn file() -> String {
        format!("{}.toml", Self::folder())
    }

    /// The path of the folder of the plots.
    pub fn folder() -> String {
        format!("benches/{}", C::BENCH)
    }

    pub fn read() -> Result<Self> {
        let file = Self::file();
        let text = fs::read_to_string(&file).context(file.clone())?;
        toml::from_str(&text).context(file)
    }

    pub fn write(&self) -> Result<()> {
        let text = toml::to_string(self)?;
        let head =
            format!("What `cargo bench --bench {}` has measured", C::BENCH);
        Ok(fs::write(Self::file(), format!("# {head}.\n{text}"))?)
    }

    /// The files that the book includes, as names and texts: a plot and a line
    /// for each case, the table of all cases, and the machine.
    pub fn draw(&self) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for case in &self.case {
            let plot = case.plot().draw(&self.machine);
            files.push((format!("{}.svg", case.name()), plot));
            files.push((format!("{}.md", case.name()), case.line()));
        }
        files.push(("overview.md".to_owned(), C::overview(&self.case)));
        files.push(("machine.md".to_owned(), self.about_machine()));
        files
    }

    /// What the page says about the machine and the versions.
    fn about_machine(&self) -> String {
        let Machine { date, cores, processor, memory, system, quiet, .. } =
            &self.machine;
        let rounds = self.machine.rounds();
        let alone = match quiet {
            true => "while nothing else was at work",
            false => "while the machine had other work",
        };
        let versions: Vec<_> = self
            .versions
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
}

impl Machine {
    fn rounds(&self) -> String {
        match self.rounds {
            1 => "one round".to_owned(),
            rounds => format!("{rounds} rounds"),
        }
    }
}
