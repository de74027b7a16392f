//! Ways of doing one thing against each other, at three sizes.
//!
//! Each way is a process of its own, and the ways of a case take turns, a size
//! at a time. A figure is the median of all rounds; its ratio is to that of the
//! case's first way at the same size. A turn in which other processes were busy
//! is repeated. Linux only.
//!
//! `cargo bench --bench ways` writes `benches/ways.toml` and the plots of the
//! page, after about ten minutes. `… -- queue locks` measures cases whose names
//! begin so; they take their places in the file if the rest of it is of the same
//! day, machine and versions. `… -- --draw` draws the plots alone. With
//! `--rough` there is one turn, which counts whatever else is at work, and the
//! file says so.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use cases::Cost;
use figures::{Case, Figures, PLOTS, RESULT, Size, Way};
use runs::{
    Asked, Server, asked, database_versions, in_place, left_as_it_is, machine,
    postgres, rounded, rounds, write_plots, write_results,
};
use turns::median;
use versions::{ROOT, output, rust_versions};

mod cases;
mod figures;
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

/// A case before it is measured.
struct Plan {
    name: &'static str,
    title: &'static str,
    unit: &'static str,
    needs: Need,
    sizes: [(&'static str, u64); 3],
    /// The name, the runtime's threads, and what the case calls it.
    ways: &'static [(&'static str, &'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq)]
enum Need {
    Nothing,
    /// For files.
    Folder,
    Postgres,
}

const FUTURES: [(&str, u64); 3] = [
    ("100 futures", 100),
    ("1,000 futures", 1_000),
    ("10,000 futures", 10_000),
];

const FILE: [(&str, u64); 3] =
    [("10 kB", 100), ("100 kB", 1_000), ("1 MB", 10_000)];

const ROWS: [(&str, u64); 3] =
    [("10 rows", 10), ("100 rows", 100), ("1,000 rows", 1_000)];

const COMPUTE: [(&str, u64); 3] = [
    ("10,000 steps", 10_000),
    ("100,000 steps", 100_000),
    ("1,000,000 steps", 1_000_000),
];

const PLANS: [Plan; 15] = [
    Plan {
        name: "many",
        title: "Futures that wait once",
        unit: "a future",
        needs: Need::Nothing,
        sizes: FUTURES,
        ways: &[
            ("join_all", "one", "join_all"),
            ("FuturesUnordered", "one", "unordered"),
            ("FuturesOrdered", "one", "ordered"),
            ("buffer_unordered(100)", "one", "buffer_unordered"),
            ("buffered(100)", "one", "buffered"),
            ("JoinSet, one thread", "one", "join_set"),
            ("JoinSet, all cores", "all", "join_set"),
        ],
    },
    Plan {
        name: "many-computing",
        title: "Futures that compute 10,000 steps",
        unit: "a future",
        needs: Need::Nothing,
        sizes: [
            ("10 futures", 10),
            ("100 futures", 100),
            ("1,000 futures", 1_000),
        ],
        ways: &[
            ("join_all", "one", "join_all"),
            ("FuturesUnordered", "one", "unordered"),
            ("FuturesOrdered", "one", "ordered"),
            ("buffer_unordered(100)", "one", "buffer_unordered"),
            ("buffered(100)", "one", "buffered"),
            ("JoinSet, one thread", "one", "join_set"),
            ("JoinSet, all cores", "all", "join_set"),
        ],
    },
    Plan {
        name: "queue-in",
        title: "A queue of 100, one consumer",
        unit: "an item",
        needs: Need::Nothing,
        sizes: [
            ("1 producer", 1),
            ("10 producers", 10),
            ("100 producers", 100),
        ],
        ways: &[
            ("mpsc, one thread", "one", "mpsc"),
            ("mpsc, all cores", "all", "mpsc"),
            ("async-channel, one thread", "one", "async_channel"),
            ("async-channel, all cores", "all", "async_channel"),
            ("flume, one thread", "one", "flume"),
            ("flume, all cores", "all", "flume"),
        ],
    },
    Plan {
        name: "queue-shared",
        title: "A queue of 100, many consumers",
        unit: "an item",
        needs: Need::Nothing,
        sizes: [
            ("1 producer, 1 consumer", 1),
            ("10 producers, 10 consumers", 10),
            ("100 producers, 100 consumers", 100),
        ],
        ways: &[
            ("mpsc in a Mutex, one thread", "one", "mutex"),
            ("mpsc in a Mutex, all cores", "all", "mutex"),
            ("async-channel, one thread", "one", "async_channel"),
            ("async-channel, all cores", "all", "async_channel"),
            ("flume, one thread", "one", "flume"),
            ("flume, all cores", "all", "flume"),
        ],
    },
    Plan {
        name: "news-every",
        title: "Every consumer gets every value",
        unit: "a delivery",
        needs: Need::Nothing,
        sizes: [
            ("1 consumer", 1),
            ("10 consumers", 10),
            ("100 consumers", 100),
        ],
        ways: &[
            ("broadcast, one thread", "one", "broadcast"),
            ("broadcast, all cores", "all", "broadcast"),
            ("an mpsc for each, one thread", "one", "mpsc"),
            ("an mpsc for each, all cores", "all", "mpsc"),
        ],
    },
    Plan {
        name: "news-latest",
        title: "Every consumer has seen the value before the next",
        unit: "a delivery",
        needs: Need::Nothing,
        sizes: [
            ("1 consumer", 1),
            ("10 consumers", 10),
            ("100 consumers", 100),
        ],
        ways: &[
            ("watch, one thread", "one", "watch"),
            ("watch, all cores", "all", "watch"),
            ("broadcast, one thread", "one", "broadcast"),
            ("broadcast, all cores", "all", "broadcast"),
            ("an mpsc for each, one thread", "one", "mpsc"),
            ("an mpsc for each, all cores", "all", "mpsc"),
        ],
    },
    Plan {
        name: "locks",
        title: "Tasks that take a lock for an addition",
        unit: "a turn",
        needs: Need::Nothing,
        sizes: [("1 task", 1), ("10 tasks", 10), ("100 tasks", 100)],
        ways: &[
            ("std, one thread", "one", "std"),
            ("std, all cores", "all", "std"),
            ("parking_lot, one thread", "one", "parking_lot"),
            ("parking_lot, all cores", "all", "parking_lot"),
            ("tokio, one thread", "one", "tokio"),
            ("tokio, all cores", "all", "tokio"),
        ],
    },
    Plan {
        name: "once",
        title: "Tasks that wait for one answer",
        unit: "a task",
        needs: Need::Nothing,
        sizes: [
            ("100 tasks", 100),
            ("1,000 tasks", 1_000),
            ("10,000 tasks", 10_000),
        ],
        ways: &[
            ("shared flights, one thread", "one", "flights"),
            ("shared flights, all cores", "all", "flights"),
            ("moka, one thread", "one", "moka"),
            ("moka, all cores", "all", "moka"),
            ("a OnceCell a key, one thread", "one", "cells"),
            ("a OnceCell a key, all cores", "all", "cells"),
        ],
    },
    Plan {
        name: "once-known",
        title: "Known answers, asked for by four tasks",
        unit: "a hit",
        needs: Need::Nothing,
        sizes: [
            ("100 keys", 100),
            ("1,000 keys", 1_000),
            ("10,000 keys", 10_000),
        ],
        ways: &[
            ("shared flights, one thread", "one", "flights"),
            ("shared flights, all cores", "all", "flights"),
            ("moka, one thread", "one", "moka"),
            ("moka, all cores", "all", "moka"),
            ("a OnceCell a key, one thread", "one", "cells"),
            ("a OnceCell a key, all cores", "all", "cells"),
        ],
    },
    Plan {
        name: "computing-one",
        title: "Computations, one after the other",
        unit: "a call",
        needs: Need::Nothing,
        sizes: COMPUTE,
        ways: &[
            ("in place", "all", "in_place"),
            ("block_in_place", "all", "block_in_place"),
            ("spawn_blocking, one thread", "one", "spawn_blocking"),
            ("spawn_blocking, all cores", "all", "spawn_blocking"),
            ("rayon and oneshot, one thread", "one", "rayon"),
            ("rayon and oneshot, all cores", "all", "rayon"),
        ],
    },
    Plan {
        name: "computing-many",
        title: "64 computations at once",
        unit: "a call",
        needs: Need::Nothing,
        sizes: COMPUTE,
        ways: &[
            ("in place, in one task", "all", "one_task"),
            ("in place, in 64 tasks", "all", "in_place"),
            ("block_in_place, in 64 tasks", "all", "block_in_place"),
            ("spawn_blocking, one thread", "one", "spawn_blocking"),
            ("spawn_blocking, all cores", "all", "spawn_blocking"),
            ("rayon and oneshot, one thread", "one", "rayon"),
            ("rayon and oneshot, all cores", "all", "rayon"),
        ],
    },
    Plan {
        name: "files-read",
        title: "The lines of a file, read",
        unit: "a line",
        needs: Need::Folder,
        sizes: FILE,
        ways: &[
            ("spawn_blocking, whole", "all", "whole_in_thread"),
            ("spawn_blocking, lines, 8 KiB", "all", "lines_8_in_thread"),
            ("spawn_blocking, lines, 256 KiB", "all", "lines_256_in_thread"),
            ("tokio::fs, whole", "all", "whole"),
            ("tokio::fs, lines, 8 KiB", "all", "lines_8"),
            ("tokio::fs, lines, 256 KiB", "all", "lines_256"),
            ("in place, whole", "all", "in_place"),
        ],
    },
    Plan {
        name: "files-written",
        title: "The lines of a file, written",
        unit: "a line",
        needs: Need::Folder,
        sizes: FILE,
        ways: &[
            ("spawn_blocking, whole", "all", "whole_in_thread"),
            ("spawn_blocking, lines, 8 KiB", "all", "lines_8_in_thread"),
            ("spawn_blocking, lines, 256 KiB", "all", "lines_256_in_thread"),
            ("tokio::fs, whole", "all", "whole"),
            ("tokio::fs, lines, 8 KiB", "all", "lines_8"),
            ("tokio::fs, lines, 256 KiB", "all", "lines_256"),
            ("tokio::fs, lines, no buffer", "all", "lines"),
        ],
    },
    Plan {
        name: "rows-postgres",
        title: "PostgreSQL: rows inserted",
        unit: "a row",
        needs: Need::Postgres,
        sizes: ROWS,
        ways: &[
            ("one by one", "one", "alone"),
            ("one by one in a transaction", "one", "one_by_one"),
            ("push_values", "one", "values"),
            ("UNNEST", "one", "unnest"),
            ("COPY", "one", "copy"),
        ],
    },
    Plan {
        name: "rows-sqlite",
        title: "SQLite: rows inserted",
        unit: "a row",
        needs: Need::Folder,
        sizes: ROWS,
        ways: &[
            ("one by one", "one", "alone"),
            ("one by one in a transaction", "one", "one_by_one"),
            ("push_values", "one", "values"),
            ("json_each", "one", "json"),
        ],
    },
];

fn main() -> Result<()> {
    let (chosen, rough) = match asked(&PLANS.map(|plan| plan.name))? {
        Asked::Child(words) => return cases::child(words),
        Asked::Draw => return draw(&figures::read(Path::new(ROOT))?),
        Asked::Measure { chosen, rough } => (chosen, rough),
    };
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
    let chosen = PLANS.iter().filter(|plan| chosen.contains(&plan.name));
    if chosen.clone().any(|plan| plan.needs == Need::Postgres) {
        postgres()?; // rather now than halfway
    }
    let mut measured = Vec::new();
    for plan in chosen {
        measured.push(compare(plan, &Given::to(plan)?, rough)?);
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
    write_results("ways", RESULT, &figures)?;
    draw(&figures)
}

/// Measures all ways, in turn, and prints a line for each.
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

/// What a case needs, while it is measured.
struct Given {
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

fn draw(figures: &Figures) -> Result<()> {
    write_plots(PLOTS, figures::draw(figures))
}
