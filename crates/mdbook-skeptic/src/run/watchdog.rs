//! Kills what does not end, and lists what took longest.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, Once};
use std::thread;
use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::{cache, record, skipped};
use crate::toolchain;

#[derive(Default)]
struct State {
    /// The limits of the checks that are under way.
    limits: Vec<Duration>,
    killed: BTreeSet<PathBuf>,
    times: Vec<(Duration, String)>,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// While one of these lives, children of this process that have run for longer
/// than the limit are killed, together with their children. With several, the
/// shortest limit counts: a book has one.
pub(crate) struct Watch(Duration);

/// Watches the executables that `is_ours` says.
pub(crate) fn watch(limit: Duration, is_ours: fn(&Path) -> bool) -> Watch {
    static START: Once = Once::new();
    state().limits.push(limit);
    START.call_once(|| {
        thread::spawn(move || {
            let mut system =
                System::new().expect("this system does not list its processes");
            loop {
                let limit = state().limits.iter().min().copied();
                if let Some(limit) = limit {
                    kill_overdue(&mut system, limit, is_ours);
                }
                let pause = limit.unwrap_or_default() / 10;
                thread::sleep(pause.max(Duration::from_millis(200)));
            }
        });
    });
    Watch(limit)
}

impl Drop for Watch {
    fn drop(&mut self) {
        let limits = &mut state().limits;
        if let Some(at) = limits.iter().position(|limit| *limit == self.0) {
            limits.swap_remove(at);
        }
    }
}

/// Whether this program was killed for not ending.
pub(crate) fn was_killed(binary: &Path) -> bool {
    state().killed.contains(binary)
}

fn kill_overdue(
    system: &mut System,
    limit: Duration,
    is_ours: fn(&Path) -> bool,
) {
    let what = ProcessRefreshKind::nothing().with_exe(UpdateKind::OnlyIfNotSet);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let this = Pid::from_u32(std::process::id());
    for process in system.processes().values() {
        let Some(exe) = process.exe() else { continue };
        if is_ours(exe)
            && process.parent() == Some(this)
            && process.run_time() >= limit.as_secs()
        {
            state().killed.insert(exe.to_owned());
            kill_tree(system, process.pid());
        }
    }
}

fn kill_tree(system: &System, root: Pid) {
    // Threads are listed as processes; killing one kills its process.
    let children: Vec<Pid> = system
        .processes()
        .values()
        .filter(|process| {
            process.parent() == Some(root) && process.pid() != root
        })
        .map(sysinfo::Process::pid)
        .collect();
    if let Some(process) = system.process(root) {
        process.kill();
    }
    for child in children {
        kill_tree(system, child);
    }
}

/// Notes how long a check took; the slowest are listed when the run ends.
fn took(place: &str, time: Duration) {
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(|| {
        // libtest has no hook for the end of a run. nextest gives every test
        // a process of its own, where a list of one would be noise.
        let alone = std::env::var_os("NEXTEST").is_some();
        if !alone && !toolchain::is_child() {
            // SAFETY: `report` is an `extern "C" fn()` that does not unwind:
            // it neither indexes nor unwraps, and ignores failed writes.
            unsafe { libc::atexit(report) };
        }
    });
    state().times.push((time, place.to_owned()));
}

extern "C" fn report() {
    let mut times = std::mem::take(&mut state().times);
    times.sort_by(|a, b| b.cmp(a));
    cache::report();
    skipped::report();
    record::write();
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "\nslowest of {}:", times.len());
    for (time, place) in times.iter().take(5) {
        let _ = writeln!(stderr, "{:8.2} s  {place}", time.as_secs_f64());
    }
}

/// Notes how long a check took, for the list of the slowest.
pub(crate) struct Timed {
    place: String,
    start: Instant,
}

impl Timed {
    pub(crate) fn start(place: &str) -> Timed {
        Timed { place: place.to_owned(), start: Instant::now() }
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        took(&self.place, self.start.elapsed());
    }
}
