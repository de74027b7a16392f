//! What a process has taken.

use std::fs;

use anyhow::{Context, Result};

/// The most memory that this process has had, as Linux counts it.
pub fn peak_kb() -> Result<u64> {
    kb("/proc/self/status", "VmHWM:")
}

/// A figure in kB of a file in which each has a line and a name.
pub fn kb(file: &str, name: &str) -> Result<u64> {
    let text = fs::read_to_string(file)?;
    let kb = text.lines().find_map(|line| line.strip_prefix(name));
    let kb = kb.and_then(|kb| kb.trim().strip_suffix(" kB"));
    Ok(kb.with_context(|| format!("no {name} in {file}"))?.parse()?)
}
