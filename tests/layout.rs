//! "Rust for asyncio people" says what a test in `tests/` can see: the programs
//! of that page are laid out as a crate.

use std::fs;
use std::path::Path;
use std::process::Command;

use mdbook_skeptic::rt;
use tempfile::TempDir;

const MANIFEST: &str = "[package]\nname = \"parcels\"\nversion = \"0.1.0\"\n\
    edition = \"2024\"\n\n[workspace]\n";
const MAIN: &str =
    "fn main() {\n    println!(\"{:?}\", parcels::number(\"LX 7\"));\n}\n";

#[test]
fn a_test_sees_the_library_and_not_the_program() {
    let program = |name| {
        let file = format!("snippets/rust-for-asyncio/{name}.rs");
        fs::read_to_string(file).expect("a program of the page")
    };
    const COMMENT: &str =
        "// In your library, write #[cfg(test)] in place of this line.";
    let library = program("rust_for_asyncio_lib");
    assert!(library.contains(COMMENT));
    let library = library.replace(COMMENT, "#[cfg(test)]");
    let test = program("rust_for_asyncio_test");
    let input = (include_str!("layout.rs"), &library, &test);
    rt::once(input, || {
        let folder = TempDir::new().expect("a temporary folder");
        let write = |file: &str, text: &str| {
            let file = folder.path().join(file);
            fs::create_dir_all(file.parent().expect("a folder"))
                .and_then(|()| fs::write(file, text))
                .expect("a file is written");
        };
        write("Cargo.toml", MANIFEST);
        write("tests/track.rs", &test);

        // The functions are in the program, and the test cannot name them.
        write("src/main.rs", &format!("{library}\nfn main() {{}}\n"));
        let (passes, printed) = cargo(folder.path(), "test");
        assert!(!passes && printed.contains("E0432"), "{printed}");

        // They are in the library, and both the test and the program can.
        write("src/main.rs", MAIN);
        write("src/lib.rs", &library);
        let (passes, printed) = cargo(folder.path(), "test");
        assert!(passes, "{printed}");
        for name in ["a_parcel_has_a_number", "tests::the_prefix_is_removed"] {
            let line = format!("test {name} ... ok");
            assert!(printed.contains(&line), "no {line:?} in\n{printed}");
        }
        let (passes, printed) = cargo(folder.path(), "run");
        let clean = passes && !printed.contains("warning");
        assert!(clean && printed.contains("Some(7)"), "{printed}");
    });
}

/// Whether a command of cargo succeeds in a folder, and what it prints.
fn cargo(folder: &Path, command: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO"))
        .args([command, "--offline"])
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .current_dir(folder)
        .output()
        .expect("cargo runs");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
}
