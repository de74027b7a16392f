//! The recipes against asyncio, as ratios.
//!
//! Each way is a process of its own, and the ways of a case take turns. A
//! figure is the median of all rounds; its ratio is to that of the case's first
//! way, which is asyncio's. A turn in which other processes were busy is
//! repeated. Linux only.
//!
//! `cargo bench --bench asyncio` writes `benches/asyncio.toml` and the plots of
//! the page, after about twenty minutes. `… -- queue web` measures cases whose
//! names begin so; they take their places in the file if the rest of it is of
//! the same day, machine and versions. `… -- --draw` draws the plots alone. With
//! `--rough` there is one turn, which counts whatever else is at work, and the
//! file says so. Python is `.venv`'s, or `$PYTHON`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use cases::Cost;
use figures::{Case, Figures, Kind, Memory, PLOTS, RESULT, Way};
use plans::{Limit, Need, PLANS, Plan, Python, Rust, Side};
use runs::{
    Asked, Server, asked, database_versions, in_place, left_as_it_is, machine,
    postgres, rounded, rounds, write_plots, write_results,
};
use turns::median;
use versions::{ROOT, output, rust_versions};

mod cases;
mod figures;
#[path = "../turns/memory.rs"]
mod memory;
mod plans;
#[path = "../turns/plots.rs"]
mod plots;
#[path = "../turns/recipes.rs"]
mod recipes;
#[path = "../turns/runs.rs"]
mod runs;
#[path = "../turns/mod.rs"]
mod turns;
#[path = "../turns/versions.rs"]
mod versions;

fn main() -> Result<()> {
    let (chosen, rough) = match asked(&PLANS.map(|plan| plan.name))? {
        Asked::Child(words) => return cases::child(&words),
        Asked::Draw => return draw(&figures::read(Path::new(ROOT))?),
        Asked::Measure { chosen, rough } => (chosen, rough),
    };
    let chosen = PLANS.iter().filter(|plan| chosen.contains(&plan.name));
    let python = python()?;
    let versions = versions(&python)?;
    if chosen.clone().any(|plan| plan.needs == Need::Load) {
        let wrk = Command::new("wrk").arg("-v").output();
        wrk.context("no wrk: apt-get install wrk, or name other cases")?;
    }
    if chosen.clone().any(|plan| plan.needs == Need::Postgres) {
        postgres()?; // rather now than halfway
    }
    let mut measured = Vec::new();
    for plan in chosen {
        let given = Given::to(plan)?;
        measured.push(compare(plan, &given, &python, rough)?);
    }
    let machine = machine(rough)?;
    let mut figures = Figures { machine, versions, case: measured };
    if figures.case.len() < PLANS.len() {
        let known = figures::read(Path::new(ROOT))?;
        if (&known.machine, &known.versions)
            != (&figures.machine, &figures.versions)
        {
            left_as_it_is(RESULT);
            return Ok(());
        }
        figures.case = in_place(known.case, figures.case, |case| &case.name);
    }
    write_results("asyncio", RESULT, &figures)?;
    draw(&figures)
}

/// Measures all ways, in turn, and prints a line for each.
fn compare(
    plan: &Plan,
    given: &Given,
    python: &Path,
    rough: bool,
) -> Result<Case> {
    let round = |(name, side): &(&str, Side)| {
        let cost = cost(plan, *side, given, python);
        cost.with_context(|| format!("{}: {name}", plan.title))
    };
    let costs = rounds(plan.ways, rough, round)?;
    let mut ways: Vec<Way> = Vec::new();
    let mut first = None;
    for ((name, side), costs) in plan.ways.iter().zip(&costs) {
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
    // A server answers as many as it can.
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
        // A query is a trip to another thread. If that one has a processor of
        // its own, to wake it takes longer than all the rest.
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", "0"]).arg(program);
        command
    };
    let mut command = match side {
        Python(script, on, way) => {
            let mut command = start(python);
            let script = format!("{ROOT}/benches/python/{script}.py");
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

/// A number of the line that it prints next.
fn json(server: &mut Server, key: &str) -> Result<u64> {
    let line: Value = serde_json::from_str(&server.line()?)?;
    line[key].as_u64().with_context(|| format!("no {key} in {line}"))
}

/// Requests a second, and the milliseconds of the slowest of 100.
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

/// What a case needs, while it is measured.
struct Given {
    /// What Rust's ways run.
    program: PathBuf,
    argument: Option<String>,
    _folder: Option<TempDir>,
    _server: Option<Server>,
    _runtime: Option<tokio::runtime::Runtime>,
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
                // A copy, which shares no page with this process.
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
                let runtime = cases::runtime("all")?;
                let courier = runtime.block_on(cases::start_courier())?;
                given.argument = Some(courier);
                given._runtime = Some(runtime);
            }
            Need::Sqlite => {
                let folder = TempDir::new()?;
                let path = folder.path().join("library.db");
                // SQLAlchemy wants a third slash before the path's own.
                let url = format!("sqlite:///{}", path.display());
                cases::runtime("one")?.block_on(cases::fill(&url))?;
                given.argument = Some(url);
                given._folder = Some(folder);
            }
            Need::Postgres => {
                let (server, url) = postgres()?;
                cases::runtime("one")?.block_on(cases::fill(&url))?;
                given.argument = Some(url);
                given._server = Some(server);
            }
        }
        Ok(given)
    }
}

/// A GB in lines of 100 bytes.
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
            let python = Path::new(ROOT).join(".venv/bin/python");
            ensure!(
                python.exists(),
                "no {}: python3 -m venv .venv, or say which in $PYTHON",
                python.display()
            );
            python
        }
    })
}

/// Of what is measured. Python's packages must be those of requirements.txt.
fn versions(python: &Path) -> Result<BTreeMap<String, String>> {
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
        let version = output(Command::new(python).args(["-c", code]))?;
        versions.insert(name.to_owned(), version);
    }
    // wrk debian/4.1.0-3+b2 [epoll] Copyright …
    if let Ok(about) = Command::new("wrk").arg("-v").output() {
        let about = String::from_utf8(about.stdout)?;
        let version = about.split(' ').nth(1).context("wrk's version")?;
        versions.insert("wrk".to_owned(), version.to_owned());
    }
    let requirements = "benches/python/requirements.txt";
    let pinned = fs::read_to_string(Path::new(ROOT).join(requirements))?;
    for (name, version) in pinned.lines().filter_map(|l| l.split_once("==")) {
        let code = format!(
            "import importlib.metadata as m; print(m.version({name:?}))"
        );
        let found = output(Command::new(python).args(["-c", &code]));
        ensure!(
            found.is_ok_and(|found| found == version),
            "no {name} {version}: {} -m pip install -r {requirements}",
            python.display()
        );
        versions.insert(name.to_owned(), version.to_owned());
    }
    Ok(versions)
}

fn draw(figures: &Figures) -> Result<()> {
    write_plots(PLOTS, figures::draw(figures))
}
