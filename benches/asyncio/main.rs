//! `cargo bench --bench asyncio`: the recipes against asyncio, as ratios.
//!
//! Each round of a way is a process of its own, and the ways of a case take
//! turns. A figure is the median of a way's rounds. Its ratio is to the median
//! of the case's first way, which is asyncio's. A round in which other
//! processes were busy is repeated. Linux only.
//!
//! The benchmark writes `benches/asyncio.toml` and the plots in
//! `benches/asyncio`, after about twenty minutes. After `--` it takes
//!
//! - the beginnings of cases' names, such as `queue web`: only these cases are
//!   measured. They replace their old results in the file if the others in it
//!   are of the same day, machine and versions;
//! - `--rough`: one round, which counts whatever other processes do. The file
//!   says so;
//! - `--draw`: nothing is measured, and the plots are drawn from the file.
//!
//! Python is `.venv/bin/python`, or what `$PYTHON` names.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use figures::asyncio::{Case, Kind, Memory, Way};
use harness::runs::{Server, postgres, rounded, rounds};
use harness::turns::median;
use harness::versions::{database_versions, output, rust_versions};
use harness::{runs, runtime};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use cases::Cost;
use plans::{Limit, Need, PLANS, Plan, Python, Rust, Side};

mod cases;
mod plans;

fn main() -> Result<()> {
    runs::run(&PLANS, cases::child, versions)
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
        let given = Given::to(self)?;
        let python = python()?;
        let round = |(name, side): &(&str, Side)| {
            let cost = cost(self, *side, &given, &python);
            cost.with_context(|| format!("{}: {name}", self.title))
        };
        compare(self, &rounds(self.ways, rough, round)?)
    }
}

/// Compares the ways by the costs of their rounds, and prints a line for each.
fn compare(plan: &Plan, costs: &[Vec<Cost>]) -> Result<Case> {
    let mut ways: Vec<Way> = Vec::new();
    let mut first = None;
    for ((name, side), costs) in plan.ways.iter().zip(costs) {
        let rates = costs.iter().map(|cost| cost.work as f64 / cost.seconds);
        let rate = median(rates.clone());
        let memory = median(costs.iter().map(|cost| cost.memory as f64));
        let (first_rate, first_memory) = *first.get_or_insert((rate, memory));
        let grows = plan.memory != Memory::None;
        let tails: Vec<f64> = costs.iter().filter_map(|c| c.tail).collect();
        ways.push(Way {
            name: (*name).to_owned(),
            kind: match side {
                Python(..) => Kind::Python,
                Rust(..) => Kind::Rust,
                Limit(..) => Kind::Limit,
            },
            rate: rounded(rate),
            least: rounded(rates.clone().fold(f64::INFINITY, f64::min)),
            most: rounded(rates.fold(0.0, f64::max)),
            speed: rounded(rate / first_rate),
            memory: grows.then_some(memory),
            space: grows.then(|| rounded(memory / first_memory)),
            tail: (!tails.is_empty()).then(|| median(tails)),
        });
    }
    let count = costs[0][0].work;
    // A server does as much work as it can.
    let same = costs.iter().flatten().all(|cost| cost.work == count);
    ensure!(same || plan.needs == Need::Load, "{}: unequal work", plan.title);
    println!("\n{}", plan.title);
    println!(
        "  {:32}{:>12}/s{:>12}{:>12}{:>9}{:>9}",
        "", plan.unit, "least", "most", "speed", "memory"
    );
    for way in &ways {
        let Way { name, rate, least, most, speed, .. } = way;
        let space = way.space.map(|space| format!("{space:.2}"));
        let space = space.unwrap_or_default();
        println!(
            "  {name:32}{rate:>14.0}{least:>12.0}{most:>12.0}{speed:>9.2}\
             {space:>9}"
        );
    }
    Ok(Case {
        name: plan.name.to_owned(),
        title: plan.title.to_owned(),
        unit: plan.unit.to_owned(),
        count,
        bars: plan.bars,
        memory: plan.memory,
        way: ways,
    })
}

/// One round of a way.
fn cost(plan: &Plan, side: Side, given: &Given, python: &Path) -> Result<Cost> {
    let start = |program: &Path| {
        if plan.needs != Need::Sqlite {
            return Command::new(program);
        }
        // A query is handed to another thread. On a processor of its own, to
        // wake that thread would take longer than all the rest.
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", "0"]).arg(program);
        command
    };
    let mut command = match side {
        Python(script, on, way) => {
            let mut command = start(python);
            let script = format!("benches/python/{script}.py");
            command.args([&script, on, way]);
            match plan.needs {
                Need::Sqlite => _ = command.arg("sqlite"),
                Need::Postgres => _ = command.arg("postgres"),
                _ => {}
            }
            command
        }
        Rust(threads, case, way) | Limit(threads, case, way) => {
            let mut command = start(&given.program);
            command.args(["--child", threads, case, way]);
            command
        }
    };
    if !plan.argument.is_empty() {
        command.arg(plan.argument);
    }
    command.args(&given.argument).env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    if plan.needs == Need::Load {
        return cost_of_server(command);
    }
    let cost: Cost = serde_json::from_str(&output(&mut command)?)?;
    ensure!(cost.seconds > 0.0 && cost.work > 0, "no work: {cost:?}");
    Ok(cost)
}

fn cost_of_server(command: Command) -> Result<Cost> {
    let mut server = Server::start(command)?;
    let url =
        format!("http://127.0.0.1:{}/books/7", json(&mut server, "port")?);
    wrk(&url, "1s")?; // to warm up
    let (rate, tail) = wrk(&url, "4s")?;
    server.stdin.take();
    let memory = json(&mut server, "memory")?;
    let work = (rate * 4.0) as u64;
    Ok(Cost { seconds: 4.0, work, memory, tail: Some(tail) })
}

/// The number of this name in the JSON of the server's next line.
fn json(server: &mut Server, key: &str) -> Result<u64> {
    let line: Value = serde_json::from_str(&server.line()?)?;
    line[key].as_u64().with_context(|| format!("no {key} in {line}"))
}

/// Lets wrk send requests to the server. Returns the requests per second, and
/// the milliseconds within which 99 % of them were answered.
fn wrk(url: &str, duration: &str) -> Result<(f64, f64)> {
    let output = Command::new("wrk")
        .args(["-t1", "-c64", "--latency", "-d", duration, url])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "wrk: {text}");
    ensure!(!text.contains("Non-2xx") && !text.contains("errors"), "{text}");
    let after = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(str::trim).with_context(|| format!("no {name} in {text}"))
    };
    let rate = after("Requests/sec:")?.parse()?;
    let tail = after("99%")?;
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)];
    let ms = units.iter().find_map(|(unit, ms)| {
        let value: f64 = tail.strip_suffix(unit)?.parse().ok()?;
        Some(value * ms)
    });
    Ok((rate, ms.with_context(|| format!("no time: {tail}"))?))
}

/// What a case needs while it is measured. Dropped, it is gone.
struct Given {
    /// The program that the ways in Rust run.
    program: PathBuf,
    /// The path or the URL that each way is passed.
    argument: Option<String>,
    _folder: Option<TempDir>,
    _server: Option<Server>,
    _runtime: Option<Runtime>,
}

impl Given {
    fn to(plan: &Plan) -> Result<Self> {
        let mut given = Self {
            program: env::current_exe()?,
            argument: None,
            _folder: None,
            _server: None,
            _runtime: None,
        };
        match plan.needs {
            Need::Nothing => {}
            Need::Load => {
                // A copy, so that it shares no memory with this process.
                let folder = TempDir::new()?;
                let copy = folder.path().join("server");
                fs::copy(&given.program, &copy)?;
                given.program = copy;
                given._folder = Some(folder);
            }
            Need::File => {
                let folder = TempDir::new()?;
                let path = folder.path().join("orders");
                write_orders(&path)?;
                given.argument = Some(path.display().to_string());
                given._folder = Some(folder);
            }
            Need::Courier => {
                let runtime = runtime("all")?;
                let courier = runtime.block_on(cases::start_courier())?;
                given.argument = Some(courier);
                given._runtime = Some(runtime);
            }
            Need::Sqlite => {
                let folder = TempDir::new()?;
                let path = folder.path().join("library.db");
                // SQLAlchemy requires a third slash before the path's own.
                let url = format!("sqlite:///{}", path.display());
                runtime("one")?.block_on(cases::fill(&url))?;
                given.argument = Some(url);
                given._folder = Some(folder);
            }
            Need::Postgres => {
                let (server, url) = postgres()?;
                runtime("one")?.block_on(cases::fill(&url))?;
                given.argument = Some(url);
                given._server = Some(server);
            }
        }
        Ok(given)
    }
}

/// Writes 1 GB in lines of 100 bytes.
fn write_orders(path: &Path) -> Result<()> {
    let orders = format!("7;{:92};2499\n", "lamp").repeat(10_000);
    ensure!(orders.len() == 1_000_000);
    let mut file = fs::File::create(path)?;
    for _ in 0..1_000 {
        file.write_all(orders.as_bytes())?;
    }
    Ok(file.sync_all()?)
}

fn python() -> Result<PathBuf> {
    Ok(match env::var_os("PYTHON") {
        Some(python) => python.into(),
        None => {
            let python = PathBuf::from(".venv/bin/python");
            ensure!(
                python.exists(),
                "there is no {}\n\
                 help: python3 -m venv .venv, or set $PYTHON",
                python.display()
            );
            python
        }
    })
}

/// The versions of all that is measured. An error if wrk is missing and one of
/// the cases needs it, or if Python lacks a package of requirements.txt.
fn versions(plans: &[&Plan]) -> Result<BTreeMap<String, String>> {
    let python = python()?;
    let mut versions = rust_versions(&[
        "async-channel",
        "async-stream",
        "axum",
        "futures",
        "memchr",
        "moka",
        "rayon",
        "reqwest",
        "sqlx",
        "tokio",
        "tokio-stream",
        "tokio-util",
    ])?;
    versions.extend(database_versions()?);
    for (name, code) in [
        ("CPython", "import platform; print(platform.python_version())"),
        ("SQLite in Python", "import sqlite3; print(sqlite3.sqlite_version)"),
    ] {
        let version = output(Command::new(&python).args(["-c", code]))?;
        versions.insert(name.to_owned(), version);
    }
    // wrk debian/4.1.0-3+b2 [epoll] Copyright …
    if let Ok(about) = Command::new("wrk").arg("-v").output() {
        let about = String::from_utf8(about.stdout)?;
        let version = about.split(' ').nth(1).context("wrk's version")?;
        versions.insert("wrk".to_owned(), version.to_owned());
    }
    ensure!(
        versions.contains_key("wrk")
            || plans.iter().all(|plan| plan.needs != Need::Load),
        "wrk is not installed\nhelp: apt-get install wrk, or name other cases"
    );
    let requirements = "benches/python/requirements.txt";
    let pinned = fs::read_to_string(requirements)?;
    for (name, version) in pinned.lines().filter_map(|l| l.split_once("==")) {
        let code = format!(
            "import importlib.metadata as m; print(m.version({name:?}))"
        );
        let found = output(Command::new(&python).args(["-c", &code]));
        ensure!(
            found.is_ok_and(|found| found == version),
            "Python has no {name} {version}\n\
             help: {} -m pip install -r {requirements}",
            python.display()
        );
        versions.insert(name.to_owned(), version.to_owned());
    }
    Ok(versions)
}
