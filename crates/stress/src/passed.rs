//! A test that has passed need not run again until it is built again.

use std::path::PathBuf;
use std::{env, fs};

/// Runs a test, unless the same build of it has passed. With `CI=true`,
/// `SKEPTIC_FRESH`, `STRESS_ROUNDS` or `STRESS_SEED` it always runs.
pub(crate) fn once(test: &str, run: impl FnOnce()) {
    let asked = ["SKEPTIC_FRESH", "STRESS_ROUNDS", "STRESS_SEED"];
    let is_asked = asked.into_iter().any(|name| env::var_os(name).is_some());
    if is_asked || env::var("CI").is_ok_and(|ci| ci == "true") {
        run();
    } else {
        unless_passed(test, run);
    }
}

pub(crate) fn unless_passed(test: &str, run: impl FnOnce()) {
    let (file, build) = of(test);
    if fs::read_to_string(&file).is_ok_and(|passed| passed == build) {
        return;
    }
    run();
    fs::create_dir_all(file.parent().expect("a folder")).expect("its folder");
    fs::write(file, build).expect("room for a note");
}

/// The file that says which build of the test has passed, and this build. The
/// programs under test, their crates and this one are all part of it.
pub(crate) fn of(test: &str) -> (PathBuf, String) {
    let program = env::current_exe().expect("this test");
    let built = program.metadata().and_then(|about| about.modified());
    let file = program.with_extension("passed").join(test.replace("::", "."));
    (file, format!("{:?}", built.expect("a time")))
}
