//! `cargo bench --bench ways`: ways of doing one thing, at three sizes.
//!
//! Each round of a way is a process of its own. The ways of a case take turns,
//! one size after the other. A figure is the median of a way's rounds. Its
//! ratio is to the median of the case's first way at the same size. A round in
//! which other processes were busy is repeated. Linux only.
//!
//! The benchmark writes `benches/ways.toml` and the plots in `benches/ways`,
//! after about ten minutes. After `--` it takes
//!
//! - the beginnings of cases' names, such as `queue locks`: only these cases
//!   are measured. They replace their old results in the file if the others in
//!   it are of the same day, machine and versions;
//! - `--rough`: one round, which counts whatever other processes do. The file
//!   says so;
//! - `--draw`: nothing is measured, and the plots are drawn from the file.

use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use figures::ways::{Case, Size, Way};
use harness::runs::{self, Server, postgres, rounded, rounds};
use harness::turns::median;
use harness::versions::{database_versions, output, rust_versions};
use tempfile::TempDir;

use cases::Cost;
use plans::{Need, PLANS, Plan};

mod cases;
mod plans;

fn main() -> Result<()> {
    runs::run(&PLANS, cases::child, |_| versions())
}

impl runs::Plan for Plan {
    type Case = Case;

    fn name(&self) -> &str {
        self.name
    }

    fn needs_postgres(&self) -> bool {
        self.needs == Need::Postgres
    }

    fn measure(&self, rough: bool) -> Result<Case> {
        compare(self, &Given::to(self)?, rough)
    }
}

/// The versions of all that is measured.
fn versions() -> Result<BTreeMap<String, String>> {
    let mut versions = rust_versions(&[
        "async-channel",
        "flume",
        "futures",
        "moka",
        "parking_lot",
        "rayon",
        "sqlx",
        "tokio",
    ])?;
    versions.extend(database_versions()?);
    Ok(versions)
}

/// Measures all ways at each size, and prints a line for each way.
fn compare(plan: &Plan, given: &Given, rough: bool) -> Result<Case> {
    println!("\n{}: {}, in ns", plan.title, plan.unit);
    let mut sizes = Vec::new();
    for (size_name, size) in plan.sizes {
        println!(
            "  {size_name:34}{:>12}{:>12}{:>12}{:>9}",
            "median", "least", "most", "speed"
        );
        let round = |(name, threads, way): &(&str, &str, &str)| {
            let mut command = Command::new(env::current_exe()?);
            command.args(["--child", threads, plan.name, way]);
            command.args([&size.to_string(), &given.argument]);
            command.stdin(Stdio::null());
            let cost = output(&mut command);
            let cost = cost.with_context(|| format!("{}: {name}", plan.title));
            let cost: Cost = serde_json::from_str(&cost?)?;
            ensure!(cost.seconds > 0.0 && cost.work > 0, "no work: {cost:?}");
            Ok(cost.seconds * 1e9 / cost.work as f64)
        };
        let costs = rounds(plan.ways, rough, round)?;
        let mut ways: Vec<Way> = Vec::new();
        for ((name, ..), costs) in plan.ways.iter().zip(costs) {
            let cost = median(costs.iter().copied());
            let first = ways.first().map_or(cost, |first| first.cost);
            let speed = rounded(first / cost);
            let least = rounded(costs.iter().copied().fold(cost, f64::min));
            let most = rounded(costs.iter().copied().fold(cost, f64::max));
            println!(
                "    {name:32}{cost:>12.1}{least:>12.1}{most:>12.1}\
                 {speed:>9.3}"
            );
            ways.push(Way {
                name: (*name).to_owned(),
                cost: rounded(cost),
                least,
                most,
                speed,
            });
        }
        sizes.push(Size { name: size_name.to_owned(), way: ways });
    }
    Ok(Case {
        name: plan.name.to_owned(),
        title: plan.title.to_owned(),
        unit: plan.unit.to_owned(),
        size: sizes,
    })
}

/// What a case needs while it is measured. Dropped, it is gone.
struct Given {
    /// The path or the URL that each way is passed.
    argument: String,
    _folder: Option<TempDir>,
    _server: Option<Server>,
}

impl Given {
    fn to(plan: &Plan) -> Result<Self> {
        let mut given =
            Self { argument: String::new(), _folder: None, _server: None };
        match plan.needs {
            Need::Nothing => {}
            Need::Folder => {
                let folder = TempDir::new()?;
                given.argument = folder.path().display().to_string();
                given._folder = Some(folder);
            }
            Need::Postgres => {
                let (server, url) = postgres()?;
                given.argument = url;
                given._server = Some(server);
            }
        }
        Ok(given)
    }
}
