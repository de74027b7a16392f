//! What could not run on this machine, said in a line that libtest does not
//! capture.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Mutex;

use super::record;

static SKIPPED: Mutex<(usize, BTreeSet<String>)> =
    Mutex::new((0, BTreeSet::new()));

/// Counts a check that did not run, and what it lacked.
pub(crate) fn note(missing: String) {
    record::skip();
    let mut skipped = SKIPPED.lock().unwrap_or_else(|p| p.into_inner());
    skipped.0 += 1;
    skipped.1.insert(missing);
}

pub(crate) fn report() {
    let skipped = SKIPPED.lock().unwrap_or_else(|p| p.into_inner());
    let (count, missing) = &*skipped;
    if *count > 0 {
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED {count} blocks: {}. README.md says what to install",
            missing.join(", ")
        );
    }
}
