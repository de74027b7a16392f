//! The guard on a book that is not ours, with a Cargo.toml of its own: chapters
//! in nested folders, numbered and not, a draft, README.md as index, includes
//! with ranges and anchors, a `src` other than `src`, every kind of fence.
//!
//! Its build script and its test are the ones that README.md tells a reader to
//! write.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The blocks of README.md with this language, in order.
fn of_readme(language: &str) -> Vec<String> {
    let readme = include_str!("../README.md");
    readme
        .split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .map(str::to_owned)
        .collect()
}

struct Foreign {
    folder: TempDir,
    /// The workspace's own target folder: what is built there is built.
    target: PathBuf,
}

impl Foreign {
    fn new() -> Foreign {
        let guard = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = guard.parent().expect("the workspace");
        let folder = TempDir::new().expect("a temporary folder");
        copy(&guard.join("tests/foreign"), folder.path());
        let [dependencies, settings] = &of_readme("toml")[..] else {
            panic!("README.md shows two tables");
        };
        let local = format!("mdbook-skeptic = {{ path = {guard:?} }}");
        let manifest = dependencies.replace("mdbook-skeptic = \"0.1\"", &local)
            + "anyhow = \"1.0\"\n";
        assert!(settings.contains("[preprocessor.skeptic]"));
        let manifest = format!(
            "[package]\nname = \"foreign\"\nversion = \"0.0.0\"\nedition = \
             \"2024\"\n\n[workspace]\nresolver = \"1\"\n\n[profile.dev]\ndebug \
             = 0\n\n[[example]]\nname = \"sum\"\npath = \"code/sum.rs\"\n\n\
             [[test]]\nname = \"sums\"\npath = \"code/sums.rs\"\n\n\
             {manifest}"
        );
        let this = Foreign { folder, target: workspace.join("target/foreign") };
        this.write("Cargo.toml", &manifest);
        let [build, tests] = &of_readme("rust")[..] else {
            panic!("README.md shows two files");
        };
        this.write("build.rs", build);
        this.write("tests/book.rs", tests);
        let lock = workspace.join("Cargo.lock");
        fs::copy(lock, this.path("Cargo.lock")).expect("a lock");
        this
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn test(&self) -> Output {
        let cargo = std::env::var("CARGO").expect("run by cargo");
        Command::new(cargo)
            .args(["test", "--test", "book"])
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("MDBOOK_SKEPTIC_RUN")
            .output()
            .expect("cargo runs")
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().flatten() {
        let below = entry.path().strip_prefix(from).expect("below");
        if entry.file_type().is_dir() {
            fs::create_dir_all(to.join(below)).expect("a folder");
        } else {
            fs::copy(entry.path(), to.join(below)).expect("a file");
        }
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr)
}

/// Building the guard once more takes minutes, so this runs where all is run.
#[test]
fn a_foreign_book_is_tested_and_its_faults_are_found() {
    if std::env::var("CI").is_err() {
        eprintln!("runs with CI=true: it builds the guard once more");
        return;
    }
    let book = Foreign::new();
    let output = book.test();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    for name in [
        "part_sum_line_3",
        "part_sum_output_line_7",
        "part_readme_python_line_18",
        "part_wrong_error_line_22",
        "part_readme_dependencies_line_30",
        "part_deep_page_line_5",
        "part_deep_page_line_13",
        "afterword_line_3",
        "sums_tests_line_12",
        "test page_line_5 ",
    ] {
        assert!(said.contains(name), "no test {name} in {said}");
    }
    // What has passed is as it would be written.
    let output = Command::new(env!("CARGO_BIN_EXE_mdbook-skeptic"))
        .arg("bless")
        .current_dir(book.folder.path())
        .env("CARGO_TARGET_DIR", &book.target)
        .env_remove("MDBOOK_SKEPTIC_RUN")
        .output()
        .expect("the guard runs");
    assert!(output.status.success(), "{}", text(&output));
    assert!(output.stdout.is_empty(), "{}", text(&output));
    // The block fails, by name.
    let page = "docs/text/part/deep/page.md";
    let before = fs::read_to_string(book.path(page)).expect("a page");
    book.write(page, &before.replace("assert_eq!(2", "assert_eq!(3"));
    let output = book.test();
    let said = text(&output);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("part_deep_page_line_5 ... FAILED"), "{said}");
    book.write(page, &before);
    // A thread fails, and nobody asks.
    let program = "code/sum.rs";
    let quiet = fs::read_to_string(book.path(program)).expect("a program");
    let loud = quiet.replace(
        "    println!",
        "    let failing = std::thread::spawn(|| panic!(\"unheard\"));\n    \
         while !failing.is_finished() {}\n    println!",
    );
    assert_ne!(loud, quiet);
    book.write(program, &loud);
    let said = text(&book.test());
    assert!(said.contains("part of it has not: "), "{said}");
    assert!(said.contains("part_sum_output_line_7 ... FAILED"), "{said}");
    book.write(program, &quiet);
    // The build fails, by place.
    book.write(page, &before.replace("```rust", "```rust,ignore"));
    let said = text(&book.test());
    assert!(said.contains("docs/text/part/deep/page.md:5: "), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
