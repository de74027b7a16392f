//! A round, in which the ways take turns while the machine has no other work.

use std::collections::HashMap;
use std::fs;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The share of the machine's processor time that other processes may take in
/// a round that counts.
pub const QUIET: f64 = 0.05;

/// Runs each way once, and returns what each has cost. If other processes take
/// more than the share `limit` of the processor time meanwhile, all ways run
/// again.
pub fn take_turns<W, T>(
    ways: &[W],
    limit: f64,
    round: impl Fn(&W) -> Result<T>,
) -> Result<Vec<T>> {
    let ticks_a_second = 100.0 * thread::available_parallelism()?.get() as f64;
    for attempt in 0..1_000 {
        let (start, before) = (Instant::now(), ticks_of_others()?);
        let costs = ways.iter().map(&round).collect();
        let others = ticks_of_others()? - before;
        let ticks = start.elapsed().as_secs_f64() * ticks_a_second;
        if others as f64 <= limit * ticks {
            return costs;
        }
        if attempt == 0 {
            eprintln!("other processes are at work: repeating the round");
        }
        thread::sleep(Duration::from_secs(1));
    }
    bail!("other processes never left the machine alone for a round");
}

/// The processor time, since the machine has started, of all processes but
/// this one and its descendants. 100 ticks are a second of one processor.
/// Interrupts are left out: most of them are for the measured programs' own
/// packets.
fn ticks_of_others() -> Result<i64> {
    // cpu, user, nice, system, idle, iowait, irq, softirq, steal
    let all = fs::read_to_string("/proc/stat")?;
    let all = figures(all.lines().next().context("no processors")?)?;
    let busy: i64 = all[..3].iter().sum::<i64>() + all[7];
    Ok(busy - ticks_of_family()?)
}

/// The processor time of this process and of its descendants.
fn ticks_of_family() -> Result<i64> {
    let mut children: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut ticks = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|id| id.parse().ok()) else {
            continue;
        };
        // A process that has ended meanwhile is counted at its parent.
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else {
            continue;
        };
        // (name) state, parent, nine others, utime, stime, cutime, cstime
        let (_, stat) = stat.rsplit_once(')').context("no name")?;
        let stat = figures(stat)?;
        children.entry(stat[0]).or_default().push(id);
        ticks.insert(id, stat[10..14].iter().sum::<i64>());
    }
    let mut family = vec![i64::from(process::id())];
    let mut sum = 0;
    while let Some(id) = family.pop() {
        sum += ticks.get(&id).unwrap_or(&0);
        family.extend(children.remove(&id).unwrap_or_default());
    }
    Ok(sum)
}

/// The first numbers of a line, after its first word.
fn figures(line: &str) -> Result<Vec<i64>> {
    let words = line.split_whitespace().take(16).skip(1);
    Ok(words.map(str::parse).collect::<Result<_, _>>()?)
}
