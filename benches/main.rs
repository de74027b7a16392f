//! `cargo bench -p benches -- [NAME…] [--rough]`: measures the cases of
//! `cases.toml` whose names begin so, such as `asyncio` or `ways/queue`.
//!
//! The ways of a case take turns: in each round, every way does the work once,
//! in a process of its own, and asserts its result. A round in which other
//! processes were at work is repeated. The results replace those in the file of
//! this processor, in `results`; the plots are drawn anew, and the ratios are
//! compared with those of the other processors. `--rough` does a tenth of the
//! work once, whatever else is at work, and writes nothing. Linux only.
//!
//! Python is `.venv/bin/python`, or what `$PYTHON` names.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs, thread};

use anyhow::{Context, Result, bail, ensure};
use figures::{
    Case, Figure, Figures, Kind, Machine, Measured, Results, Way, row,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use quiet::{QUIET, take_turns};
use work::{Cost, runtime};

mod quiet;
mod work;

/// A median of three is of one that is neither the best nor the worst.
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    ensure!(
        !cfg!(debug_assertions),
        "a program that is not optimised measures nothing\n\
         help: use `cargo bench`"
    );
    // Every path is relative to the root; cargo starts this in its package.
    env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))?;
    let mut words: Vec<String> = env::args().skip(1).collect();
    if let [flag, words @ ..] = words.as_slice()
        && flag == "--child"
    {
        return work::child(words);
    }
    words.retain(|word| word != "--bench"); // cargo adds it
    let rough = words.iter().any(|word| word == "--rough");
    words.retain(|word| word != "--rough");

    let mut figures = Figures::read()?;
    let chosen = |case: &&Case| {
        words.is_empty() || words.iter().any(|it| case.name.starts_with(it))
    };
    let cases: Vec<_> = figures.cases.iter().filter(chosen).collect();
    ensure!(!cases.is_empty(), "no case in cases.toml begins with {words:?}");
    let machine = machine()?;
    let mut results = Results::read(&machine.file())
        .unwrap_or(Results { machine, case: BTreeMap::new() });
    let versions = versions(&cases)?;
    let others = |it: &&Results| it.machine.name() != results.machine.name();
    let others: Vec<_> = figures.results.iter().filter(others).collect();
    let mut measured = BTreeMap::new();
    for case in cases {
        let new = measure(case, rough, &figures, &versions)?;
        print(case, &new, &others);
        measured.insert(case.name.clone(), new);
    }
    if rough {
        println!("\nrough: nothing is written");
        return Ok(());
    }
    results.case.extend(measured);
    results.write()?;
    println!("\n{} is new", results.machine.file());
    figures = Figures::read()?;
    for (file, text) in figures.draw() {
        fs::write(file, text)?;
    }
    println!("help: FIGURES=write cargo test --test checks figures");
    Ok(())
}

/// Measures all ways of a case at each size.
fn measure(
    case: &Case,
    rough: bool,
    figures: &Figures,
    versions: &BTreeMap<String, String>,
) -> Result<Measured> {
    let given = Given::to(case, rough)?;
    let (rounds, limit) =
        if rough { (1, f64::INFINITY) } else { (ROUNDS, QUIET) };
    let mut of = versions.clone();
    for name in case.of.iter().map(String::as_str).chain(["tokio"]) {
        of.insert(name.to_owned(), figures.versions.of(name));
    }
    let mut measured = Measured {
        date: output(Command::new("date").args(["-u", "+%F"]))?,
        commit: output(Command::new("git").args([
            "rev-parse",
            "--short",
            "HEAD",
        ]))?,
        rounds,
        of,
        ns: BTreeMap::new(),
        memory: BTreeMap::new(),
        tail: BTreeMap::new(),
    };
    let ways = case.ways();
    for size in &case.sizes {
        let mut costs: Vec<Vec<Cost>> = ways.iter().map(|_| vec![]).collect();
        for _ in 0..rounds {
            let round = |way: &Way| {
                let cost = cost(case, size, way, &given, rough);
                cost.with_context(|| row(size, &way.name))
            };
            let turn = take_turns(&ways, limit, round)?;
            for (cost, of_way) in turn.into_iter().zip(&mut costs) {
                of_way.push(cost);
            }
        }
        for (way, costs) in ways.iter().zip(costs) {
            let row = row(size, &way.name);
            let of = |figure: fn(&Cost) -> f64| -> Vec<f64> {
                let mut all: Vec<_> = costs.iter().map(figure).collect();
                all.sort_by(f64::total_cmp);
                let (least, most) = (all[0], all[all.len() - 1]);
                [all[all.len() / 2], least, most].map(rounded).to_vec()
            };
            let ns = of(|cost| cost.seconds * 1e9 / cost.work as f64);
            if case.memory {
                let memory = of(|cost| cost.memory as f64)[0];
                measured.memory.insert(row.clone(), memory);
            }
            if costs[0].tail.is_some() {
                let tail = of(|cost| cost.tail.unwrap_or_default())[0];
                measured.tail.insert(row.clone(), tail);
            }
            measured.ns.insert(row, ns);
        }
    }
    Ok(measured)
}

/// Prints the rows of a case: the time, the ratio to the first way, and how
/// many times as large that is as the ratios of the others.
fn print(case: &Case, measured: &Measured, others: &[&Results]) {
    println!("\n{}: {} ({})", case.name, case.title, case.unit);
    for size in &case.sizes {
        let ways = case.ways();
        let first = row(size, &ways[0].name);
        for way in &ways {
            let row = row(size, &way.name);
            let ratio = measured.ratio(Figure::Speed, &row, &first);
            let ratio = ratio.unwrap_or_default();
            print!(
                "  {row:60}{:>14.1} ns × {ratio:<8.3}",
                measured.ns[&row][0]
            );
            for other in others {
                let theirs = other.case.get(&case.name).and_then(|of_case| {
                    of_case.ratio(Figure::Speed, &row, &first)
                });
                if let Some(theirs) = theirs {
                    let name = other.machine.name();
                    print!("  {:.2} × that of {name}", ratio / theirs);
                }
            }
            println!();
        }
    }
}

/// One round of a way.
fn cost(
    case: &Case,
    size: &str,
    way: &Way,
    given: &Given,
    rough: bool,
) -> Result<Cost> {
    let (run, argument) = case.run(size);
    let python = way.kind == Kind::Python;
    let program = if python { python_path() } else { given.program.clone() };
    let mut command = match case.needs.as_str() {
        // A query is handed to another thread. On a processor of its own, to
        // wake that thread would take longer than all the rest.
        "sqlite" => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", "0"]).arg(program);
            command
        }
        _ => Command::new(program),
    };
    if python {
        command.arg(format!("benches/python/{run}.py"));
        command.args([way.runner, &way.way]);
    } else {
        command.args(["--child", way.runner, &run, &way.way]);
    }
    command.args([&argument, &given.data]).stdin(Stdio::null());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    if rough {
        command.env("ROUGH", "1");
    }
    if case.needs == "load" {
        return cost_of_server(command, rough);
    }
    let cost: Cost = serde_json::from_str(&output(&mut command)?)?;
    ensure!(cost.seconds > 0.0 && cost.work > 0, "no work: {cost:?}");
    Ok(cost)
}

fn cost_of_server(command: Command, rough: bool) -> Result<Cost> {
    let mut server = Server::start(command)?;
    let url =
        format!("http://127.0.0.1:{}/books/7", json(&mut server, "port")?);
    let seconds = if rough { 1 } else { 4 };
    wrk(&url, 1)?; // to warm up
    let (rate, tail) = wrk(&url, seconds)?;
    server.stdin.take();
    let memory = json(&mut server, "memory")? as i64;
    let seconds = seconds as f64;
    let work = (rate * seconds) as u64;
    Ok(Cost { seconds, work, memory, tail: Some(tail) })
}

/// The number of this name in the JSON of the server's next line.
fn json(server: &mut Server, key: &str) -> Result<u64> {
    let line: Value = serde_json::from_str(&server.line()?)?;
    line[key].as_u64().with_context(|| format!("no {key} in {line}"))
}

/// Lets wrk send requests to the server. Returns the requests per second, and
/// the milliseconds within which 99 % of them were answered.
fn wrk(url: &str, seconds: u64) -> Result<(f64, f64)> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c64", "--latency", url]);
    let text = output(command.arg(format!("-d{seconds}s")))?;
    ensure!(!text.contains("Non-2xx") && !text.contains("errors"), "{text}");
    let after = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(str::trim).with_context(|| format!("no {name} in {text}"))
    };
    let tail = after("99%")?;
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)];
    let ms = units.iter().find_map(|(unit, ms)| {
        let value: f64 = tail.strip_suffix(unit)?.parse().ok()?;
        Some(value * ms)
    });
    Ok((after("Requests/sec:")?.parse()?, ms.context("no time")?))
}

/// What a case needs while it is measured. Dropped, it is gone.
struct Given {
    /// The program that the ways in Rust run.
    program: PathBuf,
    /// The path or the URL that each way is passed.
    data: String,
    _folder: TempDir,
    _server: Option<Server>,
    _runtime: Option<Runtime>,
}

impl Given {
    fn to(case: &Case, rough: bool) -> Result<Self> {
        let folder = TempDir::new()?;
        let path = |name: &str| folder.path().join(name);
        let mut program = env::current_exe()?;
        let (mut server, mut of_server) = (None, None);
        let data = match case.needs.as_str() {
            "" => String::new(),
            "load" => {
                // A copy, so that it shares no memory with this process.
                fs::copy(&program, path("server"))?;
                program = path("server");
                String::new()
            }
            "folder" => folder.path().display().to_string(),
            "file" => {
                let mb = if rough { 100 } else { 1_000 };
                work::write_orders(&path("orders"), mb)?;
                path("orders").display().to_string()
            }
            "courier" | "echo" => {
                let runtime = of_server.insert(runtime("all")?);
                match case.needs.as_str() {
                    "echo" => runtime.block_on(work::start_echo())?,
                    _ => runtime.block_on(work::start_courier())?,
                }
            }
            "sqlite" => {
                // SQLAlchemy requires a third slash before the path's own.
                let url = format!("sqlite:///{}", path("library.db").display());
                runtime("one")?.block_on(work::fill(&url))?;
                url
            }
            "postgres" => {
                let script = Command::new("tests/throwaway-postgres");
                let server = server.insert(Server::start(script)?);
                let url = server.line()?;
                ensure!(!url.is_empty(), "help: apt-get install postgresql");
                runtime("one")?.block_on(work::fill(&url))?;
                url
            }
            other => bail!("nothing is called {other}"),
        };
        let (_server, _runtime) = (server, of_server);
        Ok(Self { program, data, _folder: folder, _server, _runtime })
    }
}

/// A child process that serves until its standard input ends.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("its output")?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    /// The next line of its standard output.
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stdin.take();
        let _ = self.child.wait();
    }
}

/// Rounds to four digits, because no more are the same in the next run.
fn rounded(figure: f64) -> f64 {
    let factor = 10_f64.powi(3 - figure.abs().log10().floor() as i32);
    (figure * factor).round() / factor
}

/// Runs a command, and returns its standard output. If it fails, the error is
/// what it has written to standard error.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output();
    let output = output.with_context(|| format!("{command:?}"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn python_path() -> PathBuf {
    env::var_os("PYTHON").map_or(".venv/bin/python".into(), PathBuf::from)
}

/// The versions that neither Cargo.lock nor requirements.txt has, or an error
/// if something is missing.
fn versions(cases: &[&Case]) -> Result<BTreeMap<String, String>> {
    let mut versions = BTreeMap::new();
    let mut add = |name: &str, program: &str, arguments: &[&str], word| {
        let text = output(Command::new(program).args(arguments))?;
        let version =
            text.split_whitespace().nth(word).context(text.clone())?;
        anyhow::Ok(versions.insert(name.to_owned(), version.to_owned()))
    };
    add("rustc", "rustc", &["--version"], 1)?;
    if cases.iter().any(|case| case.page() == "asyncio") {
        let packages = fs::read_to_string("benches/python/requirements.txt")?;
        let code = "import sys, platform; from importlib.metadata import \
                    version\nfor line in sys.argv[1].split():\n  name, of = \
                    line.split('==')\n  assert version(name) == of, line\n\
                    print(platform.python_version())";
        let python = python_path().display().to_string();
        add("CPython", &python, &["-c", code, &packages], 0)
            .context("help: install benches/python/requirements.txt")?;
    }
    if cases.iter().any(|case| case.needs == "load") {
        // It prints its usage, and fails.
        ensure!(
            Command::new("wrk").arg("-v").output().is_ok(),
            "help: apt-get install wrk"
        );
    }
    if cases.iter().any(|case| case.needs == "postgres") {
        let script = "for folder in /usr/lib/postgresql/*/bin; do \
                      PATH=$PATH:$folder; done; postgres --version";
        add("PostgreSQL", "sh", &["-c", script], 2)
            .context("help: apt-get install postgresql")?;
    }
    Ok(versions)
}

/// The machine that this process runs on.
fn machine() -> Result<Machine> {
    let line = |file: &str, name: &str| -> Result<String> {
        let text = fs::read_to_string(file)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let line = line.with_context(|| format!("no {name} in {file}"))?;
        Ok(line.trim_matches([' ', '\t', ':', '=', '"']).to_owned())
    };
    let kb = line("/proc/meminfo", "MemTotal:")?;
    let kb: f64 = kb.trim_end_matches(" kB").parse()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel = kernel.split(['-', '+']).next().unwrap_or_default().trim();
    let system = line("/etc/os-release", "PRETTY_NAME")?;
    Ok(Machine {
        cores: thread::available_parallelism()?.get(),
        processor: line("/proc/cpuinfo", "model name")?,
        memory: format!("{:.0} GiB", kb / 1024.0 / 1024.0),
        system: format!("{system}, Linux {kernel}"),
    })
}
