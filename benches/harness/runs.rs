//! A benchmark in which each round of a way is a process of its own: its
//! command line, its rounds, its children, and the files that it writes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs, thread};

use anyhow::{Context, Result, bail, ensure};
use figures::{Case, Figures, Machine};

use crate::enter_root;
use crate::turns::{QUIET, take_turns};
use crate::versions::today;

const ROUNDS: usize = 5;

/// A case before it is measured.
pub trait Plan {
    /// What the measured case becomes in the file of results.
    type Case: Case;

    fn name(&self) -> &str;

    fn needs_postgres(&self) -> bool;

    /// Measures all ways, and prints a line for each. With `rough` there is
    /// one round, which counts whatever other processes do.
    fn measure(&self, rough: bool) -> Result<Self::Case>;
}

/// The `main` of a benchmark. The command line asks for one of three things: to
/// run one round of a way, by `child`; to draw the plots from the file of
/// results; or to measure cases, write the results and draw the plots.
/// `versions` returns the versions of all that the chosen cases need, or an
/// error if something is missing.
pub fn run<P: Plan>(
    plans: &[P],
    child: fn(&[String]) -> Result<()>,
    versions: fn(&[&P]) -> Result<BTreeMap<String, String>>,
) -> Result<()> {
    ensure!(
        !cfg!(debug_assertions),
        "a program that is not optimised measures nothing\n\
         help: use `cargo bench`"
    );
    enter_root()?;
    let mut words: Vec<String> = env::args().skip(1).collect();
    if let [flag, words @ ..] = words.as_slice()
        && flag == "--child"
    {
        return child(words);
    }
    words.retain(|word| word != "--bench"); // cargo adds it
    if words == ["--draw"] {
        return write_plots(&Figures::<P::Case>::read()?);
    }
    let rough = words.iter().any(|word| word == "--rough");
    words.retain(|word| word != "--rough");
    let chosen = choose(plans, &words)?;
    let versions = versions(&chosen)?;
    if chosen.iter().any(|plan| plan.needs_postgres()) {
        postgres()?; // fails now rather than halfway
    }
    let case: Result<_> =
        chosen.iter().map(|plan| plan.measure(rough)).collect();
    let mut figures =
        Figures { machine: machine(rough)?, versions, case: case? };
    if chosen.len() < plans.len() {
        let known = Figures::read()?;
        if (&known.machine, &known.versions)
            != (&figures.machine, &figures.versions)
        {
            let file = Figures::<P::Case>::file();
            eprintln!(
                "\n{file} is left as it is: not all cases were measured, and \
                 the others in it are of another day, machine or version"
            );
            return Ok(());
        }
        figures.case = in_place(known.case, figures.case);
    }
    figures.write()?;
    println!("\n{} is new", Figures::<P::Case>::file());
    write_plots(&figures)
}

/// The cases whose names begin with one of the words, or all if there is none.
fn choose<'a, P: Plan>(plans: &'a [P], words: &[String]) -> Result<Vec<&'a P>> {
    let begins = |plan: &P, word: &String| plan.name().starts_with(word);
    for word in words {
        if !plans.iter().any(|plan| begins(plan, word)) {
            let names: Vec<_> = plans.iter().map(Plan::name).collect();
            let names = names.join(", ");
            bail!("no case begins with {word:?}\nhelp: the cases are {names}");
        }
    }
    let chosen = |plan: &&P| {
        words.is_empty() || words.iter().any(|word| begins(plan, word))
    };
    Ok(plans.iter().filter(chosen).collect())
}

/// The known cases, in which each measured case replaces the one of its name.
fn in_place<C: Case>(mut known: Vec<C>, measured: Vec<C>) -> Vec<C> {
    for case in measured {
        match known.iter_mut().find(|known| known.name() == case.name()) {
            Some(known) => *known = case,
            None => known.push(case),
        }
    }
    known
}

fn write_plots<C: Case>(figures: &Figures<C>) -> Result<()> {
    let folder = Figures::<C>::folder();
    for (name, text) in figures.draw() {
        fs::write(format!("{folder}/{name}"), text)?;
    }
    Ok(())
}

/// Runs all rounds. Returns a list for each way: what its rounds have cost.
pub fn rounds<W, T>(
    ways: &[W],
    rough: bool,
    round: impl Fn(&W) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let (rounds, limit) =
        if rough { (1, f64::INFINITY) } else { (ROUNDS, QUIET) };
    let mut costs: Vec<Vec<T>> = Vec::new();
    costs.resize_with(ways.len(), Vec::new);
    for _ in 0..rounds {
        let turn = take_turns(ways, limit, &round)?;
        for (cost, of_way) in turn.into_iter().zip(&mut costs) {
            of_way.push(cost);
        }
    }
    Ok(costs)
}

/// A child process that serves until its standard input ends.
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

    /// The next line of its standard output.
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

/// Rounds to four digits, because no more are the same in the next run.
pub fn rounded(figure: f64) -> f64 {
    let digits = 3 - figure.abs().log10().floor() as i32;
    let factor = 10_f64.powi(digits);
    (figure * factor).round() / factor
}

/// Starts a PostgreSQL server with an empty database, and returns the server
/// and the URL of the database.
pub fn postgres() -> Result<(Server, String)> {
    let script = "tests/throwaway-postgres";
    let mut server = Server::start(Command::new(script))?;
    let url = server.line()?;
    ensure!(
        !url.is_empty(),
        "PostgreSQL is not installed\n\
         help: apt-get install postgresql, or name other cases"
    );
    Ok((server, url))
}

/// The machine that this process runs on.
fn machine(rough: bool) -> Result<Machine> {
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
