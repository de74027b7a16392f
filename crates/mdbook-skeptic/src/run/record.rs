//! Which checks have passed on this machine, and when: what the pages say of
//! themselves in their feet.
//!
//! Unlike [`cache`](super::cache), which saves time, this is kept with
//! `CI=true` too. An entry is a check as the book shows it, with the locked
//! crates, the compiler and the interpreter: when one of these changes, the
//! check has passed no longer.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use super::workspace::Workspace;
use crate::hash::{content, hash};
use crate::model::{Check, What};
use crate::toolchain;

/// The seconds since 1970 at which each check passed, by [`key`].
type Record = BTreeMap<u64, u64>;

static PASSED: Mutex<Record> = Mutex::new(Record::new());

thread_local! {
    static SKIPPED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a check, and notes that it has passed, unless it was skipped.
pub(crate) fn during(workspace: &Workspace, check: &Check, run: impl FnOnce()) {
    SKIPPED.set(false);
    run();
    if !SKIPPED.get() && !toolchain::is_child() {
        let mut passed = PASSED.lock().unwrap_or_else(|p| p.into_inner());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        passed.insert(key(workspace, check), now.map_or(0, |it| it.as_secs()));
    }
}

/// The check of this thread does not run.
pub(crate) fn skip() {
    SKIPPED.set(true);
}

/// A check as it is now.
fn key(workspace: &Workspace, check: &Check) -> u64 {
    let what = serde_json::to_string(&check.what).ok();
    let file = match &check.what {
        What::Output { file, .. } | What::Python { file: Some(file), .. } => {
            content(workspace.root.join(file))
        }
        _ => None,
    };
    let beside = check.beside.as_ref().map(|beside| beside.hash);
    hash((what, file, beside, workspace.versions()))
}

/// When a check, as it is now, last passed.
#[derive(Debug)]
pub(crate) struct Known(Record);

impl Known {
    pub(crate) fn read() -> Known {
        Known(file().map(|file| read(&file)).unwrap_or_default())
    }

    pub(crate) fn passed(
        &self,
        workspace: &Workspace,
        check: &Check,
    ) -> Option<SystemTime> {
        let seconds = *self.0.get(&key(workspace, check))?;
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }
}

fn file() -> Option<PathBuf> {
    Some(toolchain::profile_folder()?.join(".skeptic-record.json"))
}

fn read(file: &Path) -> Record {
    let text = fs::read(file).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Adds what has passed in this process to what is known.
pub(crate) fn write() {
    let passed = PASSED.lock().unwrap_or_else(|p| p.into_inner());
    let Some(file) = file() else { return };
    let mut known = read(&file);
    known.extend(passed.iter());
    // What cannot be written is not known to have passed, and the pages say so.
    let written = serde_json::to_vec(&known).map(|text| {
        let new = file.with_extension(std::process::id().to_string());
        fs::write(&new, text).and_then(|()| fs::rename(&new, &file))
    });
    drop(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_passed_is_known_until_it_changes() {
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let workspace = Workspace::new(folder.path());
        let check = |text: &str| {
            let (file, text) = (None, text.to_owned());
            Check::new("page.md:3", What::Python { file, text })
        };
        let now = format!("at = {:?}", SystemTime::now());
        let (passes, is_skipped) = (check(&now), check(&(now + " # skipped")));
        let known = |check| Known::read().passed(&workspace, check);
        assert_eq!(known(&passes), None);
        during(&workspace, &is_skipped, skip);
        during(&workspace, &passes, || {});
        write();
        assert!(known(&passes).is_some());
        assert_eq!(known(&is_skipped), None);
        fs::write(folder.path().join("Cargo.lock"), "").expect("a file");
        let workspace = Workspace::new(folder.path());
        let known = Known::read().passed(&workspace, &passes);
        assert_eq!(known, None, "other crates are locked");
    }
}
