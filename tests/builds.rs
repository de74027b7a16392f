//! skeptic links a program with the builds that it finds in `target/`. With
//! two builds of one crate it may take the wrong one, so there must be one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

#[test]
fn every_crate_that_a_snippet_uses_is_built_once() {
    let cargo = std::env::var("CARGO").expect("run by cargo");
    // All that `cargo test` builds, and has built: this only lists it.
    let output = Command::new(cargo)
        .args(["test", "--no-run", "--message-format=json"])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo test --no-run fails");
    let mut builds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value =
            serde_json::from_str(line).expect("a line of JSON");
        let package = message["package_id"].as_str().unwrap_or_default();
        if message["reason"] != "compiler-artifact"
            || message["target"]["kind"][0] == "custom-build"
        {
            continue;
        }
        // registry+https://…#tokio@1.54.1
        if let Some((_, package)) = package.rsplit_once('#') {
            let file = message["filenames"][0].to_string();
            builds.entry(package.to_owned()).or_default().insert(file);
        }
    }
    let manifest: toml::Table = fs::read_to_string("snippets/Cargo.toml")
        .expect("the snippets' manifest")
        .parse()
        .expect("valid TOML");
    let crates = manifest["dev-dependencies"].as_table().expect("a table");
    for name in crates.keys() {
        let of_crate: Vec<_> = builds
            .iter()
            .filter(|(package, _)| package.starts_with(&format!("{name}@")))
            .collect();
        assert!(!of_crate.is_empty(), "no build of {name} is listed");
        for (package, files) in of_crate {
            assert_eq!(
                files.len(),
                1,
                "{package} is built more than once: {files:#?}; Cargo.toml \
                 says how one build is kept"
            );
        }
    }
}
