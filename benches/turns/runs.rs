//! What the benchmarks of processes share: what is asked for, rounds of
//! children, and the files that are written.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs, thread};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::plots::Machine;
use super::turns::{QUIET, take_turns};
use super::versions::{ROOT, output, today};

const ROUNDS: usize = 5;

/// What the command's words ask for.
pub enum Asked {
    /// To be one way, by the words that follow.
    Child(Vec<String>),
    Draw,
    Measure {
        chosen: Vec<&'static str>,
        /// Once, whatever else is at work.
        rough: bool,
    },
}

pub fn asked(cases: &[&'static str]) -> Result<Asked> {
    ensure!(
        !cfg!(debug_assertions),
        "unoptimised, it would measure nothing: cargo bench"
    );
    let mut words: Vec<String> = env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "--child") {
        return Ok(Asked::Child(words.split_off(1)));
    }
    words.retain(|word| word != "--bench"); // cargo's
    if words == ["--draw"] {
        return Ok(Asked::Draw);
    }
    let rough = words.iter().any(|word| word == "--rough");
    words.retain(|word| word != "--rough");
    let known = |word: &str| cases.iter().any(|case| case.starts_with(word));
    if let Some(word) = words.iter().find(|word| !known(word)) {
        bail!("there is no case {word:?}, but {}", cases.join(", "));
    }
    let mut chosen = cases.to_vec();
    if !words.is_empty() {
        chosen.retain(|case| words.iter().any(|word| case.starts_with(word)));
    }
    Ok(Asked::Measure { chosen, rough })
}

pub fn left_as_it_is(file: &str) {
    eprintln!(
        "\n{file} is left as it is: it is of another day, machine or version, \
         and not all cases were measured"
    );
}

/// What was measured again takes the place of what a file has of that name.
pub fn in_place<C>(
    mut known: Vec<C>,
    measured: Vec<C>,
    name: impl Fn(&C) -> &str,
) -> Vec<C> {
    for case in measured {
        match known.iter_mut().find(|known| name(known) == name(&case)) {
            Some(known) => *known = case,
            None => known.push(case),
        }
    }
    known
}

/// What all rounds cost, by way.
pub fn rounds<W, T>(
    ways: &[W],
    rough: bool,
    round: impl Fn(&W) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let (rounds, others_may) =
        if rough { (1, f64::INFINITY) } else { (ROUNDS, QUIET) };
    let mut costs: Vec<Vec<T>> = Vec::new();
    costs.resize_with(ways.len(), Vec::new);
    for _ in 0..rounds {
        let turn = take_turns(ways, others_may, &round)?;
        for (cost, of_way) in turn.into_iter().zip(&mut costs) {
            of_way.push(cost);
        }
    }
    Ok(costs)
}

/// A child that serves until its standard input ends.
pub struct Server {
    child: Child,
    pub stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::inherit()).spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("its output")?;
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    pub fn line(&mut self) -> Result<String> {
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

/// To four digits, which is more than a run repeats.
pub fn rounded(figure: f64) -> f64 {
    let digits = 3 - figure.abs().log10().floor() as i32;
    let factor = 10_f64.powi(digits);
    (figure * factor).round() / factor
}

/// A PostgreSQL server of our own, and its URL.
pub fn postgres() -> Result<(Server, String)> {
    let script = format!("{ROOT}/tests/throwaway-postgres");
    let mut server = Server::start(Command::new(script))?;
    let url = server.line()?;
    ensure!(
        !url.is_empty(),
        "no PostgreSQL: apt-get install postgresql, or name other cases"
    );
    Ok((server, url))
}

/// Of SQLite in sqlx, and of PostgreSQL if it is installed.
pub fn database_versions() -> Result<BTreeMap<String, String>> {
    let sqlite = libsqlite3_sys::SQLITE_VERSION.to_str()?.to_owned();
    let mut versions = BTreeMap::from([("SQLite in sqlx".to_owned(), sqlite)]);
    let script = "for folder in /usr/lib/postgresql/*/bin; do \
                  PATH=$PATH:$folder; done; postgres --version";
    // postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
    if let Ok(text) = output(Command::new("sh").args(["-c", script])) {
        let postgres = text.split(' ').nth(2).context("its version")?;
        versions.insert("PostgreSQL".to_owned(), postgres.to_owned());
    }
    Ok(versions)
}

/// This one.
pub fn machine(rough: bool) -> Result<Machine> {
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
        date: today()?,
        cores: thread::available_parallelism()?.get(),
        processor: line("/proc/cpuinfo", "model name")?,
        memory: format!("{:.0} GiB", kb / 1024.0 / 1024.0),
        system: format!("{system}, Linux {kernel}"),
        rounds: if rough { 1 } else { ROUNDS },
        quiet: !rough,
    })
}

pub fn write_results(
    bench: &str,
    file: &str,
    results: &impl Serialize,
) -> Result<()> {
    let head = format!("# What `cargo bench --bench {bench}` has measured.\n");
    let text = format!("{head}{}", toml::to_string(results)?);
    fs::write(Path::new(ROOT).join(file), text)?;
    println!("\n{file} is new");
    Ok(())
}

pub fn write_plots(folder: &str, files: Vec<(String, String)>) -> Result<()> {
    for (name, text) in files {
        fs::write(Path::new(ROOT).join(folder).join(name), text)?;
    }
    Ok(())
}
