//! The recipes against asyncio, as ratios.
//!
//! Each way is a process of its own, and the ways of a case take turns. A
//! figure is the median of all rounds; its ratio is to that of the case's first
//! way, which is asyncio's. A turn in which other processes were busy is
//! repeated. Linux only.
//!
//! `cargo bench --bench asyncio` writes `benches/asyncio.toml` and the plots of
//! the page, after about twenty minutes. `… -- queue web` measures cases whose
//! names begin so, and writes nothing. `… -- --draw` draws the plots alone. With
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
use figures::{Bars, Case, Figures, Kind, Memory, PLOTS, RESULT, Way};
use runs::{
    Asked, ROOT, Server, asked, left_as_it_is, machine, output, postgres,
    rounded, rounds, rust_versions, write_plots, write_results,
};
use turns::median;

mod cases;
mod figures;
#[path = "../turns/memory.rs"]
mod memory;
#[path = "../turns/plots.rs"]
mod plots;
#[path = "../turns/recipes.rs"]
mod recipes;
#[path = "../turns/runs.rs"]
mod runs;
#[path = "../turns/mod.rs"]
mod turns;

/// A case before it is measured.
struct Plan {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    bars: Bars,
    memory: Memory,
    needs: Need,
    /// What is passed to each way, besides what the need gives.
    argument: &'static str,
    ways: &'static [(&'static str, Side)],
}

#[derive(Clone, Copy, PartialEq)]
enum Need {
    Nothing,
    /// A file of lines, a GB of it.
    File,
    /// A server of parcels.
    Courier,
    /// A program that asks a server.
    Load,
    Sqlite,
    Postgres,
}

/// How to run a way.
#[derive(Clone, Copy)]
enum Side {
    /// The script, its loop, its way.
    Python(&'static str, &'static str, &'static str),
    /// The runtime's threads, the case, the way.
    Rust(&'static str, &'static str, &'static str),
    /// The same, of what no way can be faster than.
    Limit(&'static str, &'static str, &'static str),
}
use Side::{Limit, Python, Rust};

const PLANS: [Plan; 21] = [
    Plan {
        name: "tasks",
        title: "200,000 tasks, spawned and joined",
        unit: "tasks",
        bars: Bars::Speed,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, gather", Python("tasks", "asyncio", "")),
            ("uvloop, gather", Python("tasks", "uvloop", "")),
            ("JoinSet, one thread", Rust("one", "tasks", "join_set")),
            ("JoinSet, all cores", Rust("all", "tasks", "join_set")),
            ("spawn and a Vec, one thread", Rust("one", "tasks", "spawn")),
            ("spawn and a Vec, all cores", Rust("all", "tasks", "spawn")),
            ("join_all, without tasks", Rust("one", "tasks", "join_all")),
        ],
    },
    Plan {
        name: "sleeping-10k",
        title: "10,000 sleeping tasks",
        unit: "tasks",
        bars: Bars::Memory,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "10000",
        ways: &SLEEPING,
    },
    Plan {
        name: "sleeping-1m",
        title: "1,000,000 sleeping tasks",
        unit: "tasks",
        bars: Bars::Memory,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "1000000",
        ways: &SLEEPING,
    },
    Plan {
        name: "queue-1",
        title: "A queue of 100, one producer, one consumer",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "1",
        ways: &[
            ("asyncio.Queue", Python("queue_items", "asyncio", "")),
            ("uvloop, asyncio.Queue", Python("queue_items", "uvloop", "")),
            ("mpsc, one thread", Rust("one", "queue", "mpsc")),
            ("mpsc, all cores", Rust("all", "queue", "mpsc")),
            (
                "async-channel, one thread",
                Rust("one", "queue", "async_channel"),
            ),
            ("async-channel, all cores", Rust("all", "queue", "async_channel")),
        ],
    },
    Plan {
        name: "queue-4",
        title: "A queue of 100, four producers, four consumers",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "4",
        ways: &[
            ("asyncio.Queue", Python("queue_items", "asyncio", "")),
            ("uvloop, asyncio.Queue", Python("queue_items", "uvloop", "")),
            ("mpsc in a Mutex, one thread", Rust("one", "queue", "mutex")),
            ("mpsc in a Mutex, all cores", Rust("all", "queue", "mutex")),
            (
                "async-channel, one thread",
                Rust("one", "queue", "async_channel"),
            ),
            ("async-channel, all cores", Rust("all", "queue", "async_channel")),
        ],
    },
    Plan {
        name: "semaphore",
        title: "100,000 calls, 100 at once",
        unit: "calls",
        bars: Bars::Speed,
        memory: Memory::Peak,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            (
                "asyncio, no permit, no task",
                Python("semaphore", "asyncio", "permits"),
            ),
            (
                "asyncio, all tasks at once",
                Python("semaphore", "asyncio", "tasks"),
            ),
            (
                "uvloop, no permit, no task",
                Python("semaphore", "uvloop", "permits"),
            ),
            (
                "no permit, no task, one thread",
                Rust("one", "semaphore", "permits"),
            ),
            (
                "no permit, no task, all cores",
                Rust("all", "semaphore", "permits"),
            ),
            (
                "all tasks at once, one thread",
                Rust("one", "semaphore", "tasks"),
            ),
            ("buffer_unordered", Rust("one", "semaphore", "buffer")),
        ],
    },
    Plan {
        name: "cancel",
        title: "100,000 sleeping tasks, cancelled",
        unit: "tasks",
        bars: Bars::Speed,
        memory: Memory::Each,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, Task.cancel", Python("cancel", "asyncio", "")),
            ("uvloop, Task.cancel", Python("cancel", "uvloop", "")),
            ("child tokens, one thread", Rust("one", "cancel", "token")),
            ("child tokens, all cores", Rust("all", "cancel", "token")),
            ("abort_all, one thread", Rust("one", "cancel", "abort")),
            ("abort_all, all cores", Rust("all", "cancel", "abort")),
        ],
    },
    Plan {
        name: "cache",
        title: "A known answer, asked for by four tasks",
        unit: "hits",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            (
                "asyncio, a dict and the time",
                Python("cache", "asyncio", "plain"),
            ),
            (
                "asyncio, the page's memoise",
                Python("cache", "asyncio", "memoise"),
            ),
            ("Memo with moka, one thread", Rust("one", "cache", "memo")),
            ("Memo with moka, all cores", Rust("all", "cache", "memo")),
            ("shared flights, one thread", Rust("one", "cache", "rates")),
            ("shared flights, all cores", Rust("all", "cache", "rates")),
        ],
    },
    Plan {
        name: "waiters",
        title: "10,000 who wait for one answer of 50 ms",
        unit: "waiters",
        bars: Bars::Speed,
        memory: Memory::Peak,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, shielded task", Python("waiters", "asyncio", "")),
            ("uvloop, shielded task", Python("waiters", "uvloop", "")),
            ("shared flights, one thread", Rust("one", "waiters", "rates")),
            ("shared flights, all cores", Rust("all", "waiters", "rates")),
            ("Memo with moka, one thread", Rust("one", "waiters", "memo")),
            ("Memo with moka, all cores", Rust("all", "waiters", "memo")),
            (
                "Memo, join_all in one task",
                Rust("one", "waiters", "memo_join_all"),
            ),
        ],
    },
    Plan {
        name: "stream",
        title: "Items of a stream",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            (
                "asyncio, async generator",
                Python("stream", "asyncio", "generator"),
            ),
            ("unfold", Rust("one", "stream", "unfold")),
            ("stream!", Rust("one", "stream", "macro")),
        ],
    },
    Plan {
        name: "stream-channel",
        title: "Items of a stream that a task of its own makes",
        unit: "items",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, Queue(100)", Python("stream", "asyncio", "queue")),
            ("uvloop, Queue(100)", Python("stream", "uvloop", "queue")),
            ("channel(100), one thread", Rust("one", "stream", "channel")),
            ("channel(100), all cores", Rust("all", "stream", "channel")),
            ("channel(1), one thread", Rust("one", "stream", "channel-1")),
            ("channel(1), all cores", Rust("all", "stream", "channel-1")),
        ],
    },
    Plan {
        name: "threads",
        title: "Four computations of 5,000,000 steps",
        unit: "steps",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Nothing,
        argument: "",
        ways: &[
            ("asyncio, processes", Python("threads", "asyncio", "processes")),
            ("asyncio, to_thread", Python("threads", "asyncio", "threads")),
            ("rayon's threads", Rust("one", "threads", "rayon")),
            ("spawn_blocking", Rust("one", "threads", "spawn_blocking")),
            ("one after the other", Rust("one", "threads", "serial")),
        ],
    },
    Plan {
        name: "lines",
        title: "The lines of a file of 1 GB, counted",
        unit: "lines",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::File,
        argument: "",
        ways: &[
            ("asyncio, one to_thread", Python("lines", "asyncio", "thread")),
            (
                "asyncio, to_thread each read",
                Python("lines", "asyncio", "chunks"),
            ),
            (
                "uvloop, to_thread each read",
                Python("lines", "uvloop", "chunks"),
            ),
            (
                "tokio::fs, 256 KiB at a time",
                Rust("one", "lines", "count_lines"),
            ),
            ("one spawn_blocking", Rust("one", "lines", "count_in_thread")),
            ("limit: read alone", Limit("one", "lines", "read_alone")),
        ],
    },
    Plan {
        name: "lines-parsed",
        title: "The lines of a file of 1 GB, parsed",
        unit: "lines",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::File,
        argument: "",
        ways: &[
            ("asyncio, one to_thread", Python("lines", "asyncio", "revenue")),
            ("tokio::fs, next_line", Rust("one", "lines", "revenue")),
            ("one spawn_blocking", Rust("one", "lines", "revenue_in_thread")),
        ],
    },
    Plan {
        name: "http",
        title: "JSON over HTTP, 64 requests at once",
        unit: "requests",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Courier,
        argument: "",
        ways: &[
            ("asyncio, aiohttp", Python("http_client", "asyncio", "")),
            ("uvloop, aiohttp", Python("http_client", "uvloop", "")),
            ("reqwest, a stream, one thread", Rust("one", "http", "buffer")),
            ("reqwest, a stream, all cores", Rust("all", "http", "buffer")),
            ("reqwest, tasks, one thread", Rust("one", "http", "tasks")),
            ("reqwest, tasks, all cores", Rust("all", "http", "tasks")),
            ("limit: sockets alone", Limit("one", "http", "sockets")),
        ],
    },
    Plan {
        name: "web",
        title: "An endpoint with JSON, 64 connections",
        unit: "requests",
        bars: Bars::Speed,
        memory: Memory::Peak,
        needs: Need::Load,
        argument: "",
        ways: &[
            ("FastAPI, uvicorn on asyncio", Python("web", "asyncio", "one")),
            ("FastAPI, uvicorn on uvloop", Python("web", "uvloop", "one")),
            (
                "the same, a process a core",
                Python("web", "uvloop", "processes"),
            ),
            ("axum, one thread", Rust("one", "web", "")),
            ("axum, all cores", Rust("all", "web", "")),
        ],
    },
    Plan {
        name: "sqlite-read",
        title: "SQLite: rows found by key, one after the other",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Sqlite,
        argument: "read",
        ways: &[
            (
                "asyncio, SQLAlchemy sessions",
                Python("database", "asyncio", "orm"),
            ),
            ("asyncio, SQLAlchemy Core", Python("database", "asyncio", "core")),
            (
                "asyncio, aiosqlite alone",
                Python("database", "asyncio", "driver"),
            ),
            ("sqlx, one thread", Rust("one", "sqlite", "")),
            ("sqlx, all cores", Rust("all", "sqlite", "")),
            ("limit: SQLite alone", Limit("one", "sqlite", "alone")),
        ],
    },
    Plan {
        name: "sqlite-insert",
        title: "SQLite: 10,000 rows inserted in one transaction",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Sqlite,
        argument: "insert",
        ways: &[
            ("asyncio, SQLAlchemy Core", Python("database", "asyncio", "core")),
            (
                "asyncio, aiosqlite alone",
                Python("database", "asyncio", "driver"),
            ),
            ("sqlx, one by one", Rust("one", "sqlite", "one_by_one")),
            ("sqlx, push_values", Rust("one", "sqlite", "values")),
            ("sqlx, json_each", Rust("one", "sqlite", "json")),
        ],
    },
    Plan {
        name: "postgres-read",
        title: "PostgreSQL: rows found by key, ten at once",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Postgres,
        argument: "read-10",
        ways: &[
            (
                "asyncio, SQLAlchemy sessions",
                Python("database", "asyncio", "orm"),
            ),
            ("asyncio, asyncpg alone", Python("database", "asyncio", "driver")),
            ("uvloop, asyncpg alone", Python("database", "uvloop", "driver")),
            ("sqlx, one thread", Rust("one", "postgres", "")),
            ("sqlx, all cores", Rust("all", "postgres", "")),
            ("sqlx, untested, one thread", Rust("one", "postgres", "untested")),
            ("sqlx, untested, all cores", Rust("all", "postgres", "untested")),
        ],
    },
    Plan {
        name: "postgres-one",
        title: "PostgreSQL: rows found by key, one after the other",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Postgres,
        argument: "read",
        ways: &[
            (
                "asyncio, SQLAlchemy sessions",
                Python("database", "asyncio", "orm"),
            ),
            ("asyncio, asyncpg alone", Python("database", "asyncio", "driver")),
            ("uvloop, asyncpg alone", Python("database", "uvloop", "driver")),
            ("sqlx, one thread", Rust("one", "postgres", "")),
            ("sqlx, untested, one thread", Rust("one", "postgres", "untested")),
        ],
    },
    Plan {
        name: "postgres-insert",
        title: "PostgreSQL: 10,000 rows inserted in one transaction",
        unit: "rows",
        bars: Bars::Speed,
        memory: Memory::None,
        needs: Need::Postgres,
        argument: "insert",
        ways: &[
            ("asyncio, SQLAlchemy Core", Python("database", "asyncio", "core")),
            (
                "asyncio, asyncpg, executemany",
                Python("database", "asyncio", "driver"),
            ),
            (
                "asyncio, asyncpg, UNNEST",
                Python("database", "asyncio", "unnest"),
            ),
            ("asyncio, asyncpg, COPY", Python("database", "asyncio", "copy")),
            ("sqlx, UNNEST", Rust("one", "postgres", "unnest")),
            ("sqlx, COPY", Rust("one", "postgres", "copy")),
        ],
    },
];

const SLEEPING: [(&str, Side); 4] = [
    ("asyncio", Python("sleeping", "asyncio", "")),
    ("uvloop", Python("sleeping", "uvloop", "")),
    ("tokio, one thread", Rust("one", "sleeping", "")),
    ("tokio, all cores", Rust("all", "sleeping", "")),
];

fn main() -> Result<()> {
    let (chosen, rough) = match asked(&PLANS.map(|plan| plan.name))? {
        Asked::Child(words) => return cases::child(&words),
        Asked::Draw => return draw(&figures::read(Path::new(ROOT))?),
        Asked::Measure { chosen, rough } => (chosen, rough),
    };
    let python = python()?;
    let versions = versions(&python)?;
    let mut measured = Vec::new();
    for plan in PLANS.iter().filter(|plan| chosen.contains(&plan.name)) {
        if let Some(given) = Given::to(plan)? {
            measured.push(compare(plan, &given, &python, rough)?);
        }
    }
    if measured.len() < PLANS.len() {
        left_as_it_is(RESULT);
        return Ok(());
    }
    let machine = machine(rough)?;
    let figures = Figures { machine, versions, case: measured };
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
    println!(
        "\n{:44}{:>12}/s{:>9}{:>9}",
        plan.title, plan.unit, "speed", "memory"
    );
    for way in &ways {
        let Way { name, rate, speed, .. } = way;
        let space = way.space.map(|space| format!("{space:.2}"));
        let space = space.unwrap_or_default();
        println!("  {name:42}{rate:>14.0}{speed:>9.2}{space:>9}");
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
    let mut command = match side {
        Python(script, on, way) => {
            let mut command = Command::new(python);
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
            let mut command = Command::new(env::current_exe()?);
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
    argument: Option<String>,
    _folder: Option<TempDir>,
    _server: Option<Server>,
    _runtime: Option<tokio::runtime::Runtime>,
}

impl Given {
    fn to(plan: &Plan) -> Result<Option<Self>> {
        let mut given = Self {
            argument: None,
            _folder: None,
            _server: None,
            _runtime: None,
        };
        match plan.needs {
            Need::Nothing => {}
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
            Need::Load => {
                if Command::new("wrk").arg("-v").output().is_err() {
                    let title = plan.title;
                    eprintln!("\n{title}: skipped; apt-get install wrk");
                    return Ok(None);
                }
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
                let Some((server, url)) = postgres()? else {
                    let title = plan.title;
                    eprintln!("{title}: skipped; apt-get install postgresql");
                    return Ok(None);
                };
                cases::runtime("one")?.block_on(cases::fill(&url))?;
                given.argument = Some(url);
                given._server = Some(server);
            }
        }
        Ok(Some(given))
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
        None => Path::new(ROOT).join(".venv/bin/python"),
    })
}

/// Of what is measured. Python's packages must be those of requirements.txt.
fn versions(python: &Path) -> Result<BTreeMap<String, String>> {
    let mut versions = rust_versions(&[
        "async-channel",
        "async-stream",
        "axum",
        "futures",
        "moka",
        "rayon",
        "reqwest",
        "sqlx",
        "tokio",
        "tokio-stream",
        "tokio-util",
    ])?;
    let code = "import platform; print(platform.python_version())";
    let version = output(Command::new(python).args(["-c", code]))?;
    versions.insert("CPython".to_owned(), version);
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
