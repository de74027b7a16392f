//! skeptic links a program with the builds that it finds in `target/`. With
//! two builds of one crate it may take the wrong one, so there must be one.

use std::fs;

use crate::book;

#[test]
fn every_crate_that_a_snippet_uses_is_built_once() {
    let libraries = book::BOOK.workspace().libraries();
    let libraries = libraries.expect("cargo test has built them");
    let running = std::env::current_exe().expect("this test");
    let profile = running.ancestors().nth(2).expect("target/PROFILE/deps");
    for file in libraries.values().flatten() {
        assert!(file.starts_with(profile), "{file:?} is of another profile");
    }
    let manifest: toml::Table = fs::read_to_string("snippets/Cargo.toml")
        .expect("the snippets' manifest")
        .parse()
        .expect("valid TOML");
    let crates = manifest["dev-dependencies"].as_table().expect("a table");
    assert!(crates.len() > 20, "the programs' crates have moved");
    for name in crates.keys() {
        let of_crate = libraries.iter().filter(|((n, _), _)| n == name);
        let mut versions = 0;
        for ((_, version), files) in of_crate {
            assert_eq!(
                files.len(),
                1,
                "{name} {version} is built more than once: {files:#?}; \
                 Cargo.toml says how one build is kept"
            );
            versions += 1;
        }
        assert!(versions > 0, "no build of {name} is listed");
    }
}
