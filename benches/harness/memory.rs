//! The memory of a process, as Linux counts it.

use std::fs;

use anyhow::{Context, Result};

/// The most memory that this process has had so far, in kB.
pub fn peak_kb() -> Result<u64> {
    kb("/proc/self/status", "VmHWM:")
}

/// The number of kB behind `name` in `file`, which has a line for each name:
/// `VmHWM:    2048 kB`.
pub fn kb(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file)?;
    let kb = text.lines().find_map(|line| line.strip_prefix(name));
    let kb = kb.and_then(|kb| kb.trim().strip_suffix(" kB"));
    Ok(kb.with_context(|| format!("no {name} in {file}"))?.parse()?)
}
