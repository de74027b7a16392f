//! What a process has taken.

use std::fs;

use anyhow::{Context, Result};

/// The most memory that this process has had, as Linux counts it.
pub fn peak_kb() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    Ok(kb.context("no VmHWM")?.parse()?)
}
