//! Runs a program shut off from everything but a folder and the loopback.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use tempfile::TempDir;

/// Marks every process that descends from a run, whatever it does to hide.
const MARK: &str = "MDBOOK_SKEPTIC_RUN";

/// How a run ended.
pub(crate) struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// A temporary folder, removed when this is dropped.
pub(crate) fn folder() -> Result<TempDir, String> {
    TempDir::with_prefix("mdbook-skeptic-")
        .map_err(|error| format!("cannot make a temporary folder: {error}"))
}

/// Runs a command to its end in an empty folder of its own.
///
/// On Linux it can write nowhere else and reach no other machine.
///
/// # Errors
///
/// Why it cannot be trusted: it does not start, does not end in time, or
/// leaves a process or a file behind. Whatever it left is ended and removed.
pub(crate) fn run(
    mut command: Command,
    limit: Duration,
) -> Result<Ended, String> {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let mark = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Relaxed));
    let folder = folder()?;
    let io = |error| format!("cannot keep its output: {error}");
    let stdout = tempfile::tempfile().map_err(io)?;
    let stderr = tempfile::tempfile().map_err(io)?;
    // Nothing of this process's surroundings, but what was asked for.
    let asked: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LANG", "C.UTF-8")
        .envs(asked)
        .current_dir(folder.path())
        .env("TMPDIR", folder.path())
        .env("HOME", folder.path())
        .env("RUST_BACKTRACE", "0")
        .env(MARK, &mark)
        .stdin(Stdio::null())
        .stdout(stdout.try_clone().map_err(io)?)
        .stderr(stderr.try_clone().map_err(io)?);
    seal(&mut command, folder.path());
    let start = SystemTime::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let ended = wait(&mut child, limit);
    let left = end_all(&mark, start);
    let ended = match ended.map_err(|error| format!("lost it: {error}"))? {
        Some(status) => {
            Ended { status, stdout: read(stdout)?, stderr: read(stderr)? }
        }
        None => {
            return Err(format!(
                "killed: it did not end within {} s\n{}",
                limit.as_secs(),
                read(stderr)?
            ));
        }
    };
    if let Some(left) = left {
        return Err(format!(
            "it leaves a process behind: {left}; wait for it, or kill it"
        ));
    }
    let mut files = folder.path().read_dir().into_iter().flatten().flatten();
    match files.next() {
        Some(file) if ended.status.success() => Err(format!(
            "it leaves {:?} behind; remove it, tempfile does so by itself",
            file.file_name()
        )),
        _ => Ok(ended),
    }
}

fn read(mut file: File) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read its output: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "its output is not UTF-8".into())
}

/// `None` when it had to be killed.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            // One that ended too late, before anybody looked, did not end.
            return Ok((start.elapsed() < limit).then_some(status));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends what a run left behind, and names one of it.
fn end_all(mark: &str, start: SystemTime) -> Option<String> {
    let mark = format!("{MARK}={mark}");
    // The clock of a process has whole seconds.
    let start =
        start.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs() - 2;
    let mut system = System::new().ok()?;
    let mut left = None;
    // What is killed may have started another in the meantime.
    for _ in 0..10 {
        let nothing = ProcessRefreshKind::nothing().without_tasks();
        let all = ProcessesToUpdate::All;
        system.refresh_processes_specifics(all, true, nothing);
        let processes = system.processes().values();
        let since: Vec<Pid> = processes
            .filter(|process| process.start_time() >= start)
            .map(sysinfo::Process::pid)
            .collect();
        let since = ProcessesToUpdate::Some(&since);
        let environment = nothing.with_environ(UpdateKind::Always);
        system.refresh_processes_specifics(since, true, environment);
        let of_run: Vec<_> = system
            .processes()
            .values()
            .filter(|process| {
                process.environ().iter().any(|v| *v == mark.as_str())
            })
            .collect();
        if of_run.is_empty() {
            break;
        }
        for process in of_run {
            left = Some(process.name().to_string_lossy().into_owned());
            process.kill();
        }
        thread::sleep(Duration::from_millis(1));
    }
    left
}

#[cfg(not(target_os = "linux"))]
fn seal(_: &mut Command, _: &Path) {}

/// The program may read everything, write below `folder` only, and talk to no
/// machine but this one. A kernel that cannot do so lets it run as it is.
#[cfg(target_os = "linux")]
fn seal(command: &mut Command, folder: &Path) {
    use std::os::unix::process::CommandExt as _;

    let mut rules = writing_below(folder).ok();
    let ids = format!("{0} {0} 1", {
        // SAFETY: getuid always succeeds and touches no memory.
        unsafe { libc::getuid() }
    });
    // SAFETY: between fork and exec only system calls are made, on values
    // prepared before; errors are returned, nothing unwinds.
    unsafe {
        command.pre_exec(move || {
            libc::setsid();
            // Nobody else ends it when this process is ended.
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            own_network(&ids);
            if let Some(rules) = rules.take() {
                let _ = rules.restrict_self();
            }
            Ok(())
        });
    }
}

#[cfg(target_os = "linux")]
fn writing_below(
    folder: &Path,
) -> Result<landlock::RulesetCreated, landlock::RulesetError> {
    use landlock::{
        ABI, AccessFs, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
        path_beneath_rules,
    };

    let writes = AccessFs::from_write(ABI::V3);
    Ruleset::default().handle_access(writes)?.create()?.add_rules(
        path_beneath_rules(
            [folder, Path::new("/dev"), Path::new("/proc/self")],
            writes,
        ),
    )
}

/// Moves this process into a network that has nothing but the loopback.
#[cfg(target_os = "linux")]
fn own_network(ids: &str) {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    // SAFETY: plain system calls; the request is a zeroed struct that outlives
    // the call, its name is shorter than the field and ends with a zero.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNET) != 0 {
            // Without privileges it takes a user namespace of its own.
            if libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) != 0 {
                return;
            }
            for (file, text) in [("setgroups", "deny"), ("uid_map", ids)] {
                let path = format!("/proc/self/{file}");
                if let Ok(mut file) = OpenOptions::new().write(true).open(path)
                {
                    let _ = file.write_all(text.as_bytes());
                }
            }
        }
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM, 0);
        if socket >= 0 {
            let mut request: libc::ifreq = std::mem::zeroed();
            for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
                *to = *from as libc::c_char;
            }
            request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
            libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &request);
            libc::close(socket);
        }
    }
}
