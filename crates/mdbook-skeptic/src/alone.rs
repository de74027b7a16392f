//! Builds the programs of every page with the page's dependencies alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::beside::{self, Beside};
use crate::model::{Block, Book, Keep, Kind};
use crate::problem::Problem;
use crate::run::{compile, sandbox};
use crate::toolchain;

/// Checks with the compiler that the `[dependencies]` block of each page is
/// enough for each of the page's programs: in a package of its own, outside
/// any workspace, with the versions of the book's `Cargo.lock`, and with the
/// files that the programs need when they are compiled.
///
/// Pages with the same block share a package, and all share one target
/// folder, `target/alone`. `report` is called before each package.
///
/// Also that the part to keep of each page compiles, without a warning, as a
/// library of an empty package after the page's `cargo add` lines.
///
/// # Errors
///
/// Each block that is not enough, with what the compiler says.
pub fn alone(
    book: &Book,
    mut report: impl FnMut(&str),
) -> Result<(), Vec<Problem>> {
    let mut groups: BTreeMap<(&str, Option<PathBuf>), Vec<_>> = BTreeMap::new();
    for (page, block) in book.blocks() {
        if block.kind == Kind::Toml {
            let mut programs = page.blocks.iter().filter_map(Block::file);
            let beside = programs.find_map(|p| Beside::of(&book.root, p));
            let beside = beside.map(|beside| beside.folder);
            let group = groups.entry((&block.text, beside)).or_default();
            group.push((page, block));
        }
    }
    let mut problems = Vec::new();
    let folder = book.root.join("target/alone");
    let total = groups.len();
    for (index, ((dependencies, beside), pages)) in
        groups.into_iter().enumerate()
    {
        let names: Vec<String> = pages
            .iter()
            .map(|(page, _)| page.path.display().to_string())
            .collect();
        report(&format!("{}/{total} {}", index + 1, names.join(", ")));
        let programs: Vec<&str> =
            pages.iter().flat_map(|(page, _)| book.programs_of(page)).collect();
        let package = folder.join(index.to_string());
        let beside = beside.as_deref();
        let built =
            build(&book.root, &package, dependencies, beside, &programs);
        if let Err(why) = built {
            for (page, block) in pages {
                problems.push(Problem::new(
                    &page.file,
                    block.line,
                    format!("these dependencies are not enough: {why}"),
                    HELP,
                ));
            }
        }
    }
    for page in &book.pages {
        let Some(keep) = &page.keep else { continue };
        let file = keep.file.display();
        report(&format!("the part to keep of {file}"));
        if let Err(why) = built_by_hand(&book.root, keep) {
            problems.push(Problem::new(
                &page.file,
                keep.line,
                format!("the part to keep does not compile alone: {why}"),
                HELP,
            ));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

const HELP: &str = "add what needs the feature to the file that book.toml names \
    as `features`, and run `cargo bless`";

/// Does what a reader does with a part to keep: a new library, the page's `cargo
/// add` lines as they stand there, and the part in `src/lib.rs`.
fn built_by_hand(root: &Path, keep: &Keep) -> Result<(), String> {
    // Below the book's folder cargo would make it a member of the workspace.
    let folder = sandbox::folder()?;
    let package = folder.path().join("keep");
    let run = |at: &Path, arguments: &[&str]| cargo(root, at, arguments);
    let io = |error: std::io::Error| format!("cannot write a package: {error}");
    run(folder.path(), &["new", "--quiet", "--lib", "--vcs=none", "keep"])?;
    copy_beside(&root.join(keep.file.with_file_name("")), &package)
        .map_err(io)?;
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock"))
        .map_err(io)?;
    for command in keep.commands.lines() {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        run(&package, &words)?;
    }
    for part in &keep.rust {
        let library = compile::as_library(part);
        fs::write(package.join("src/lib.rs"), library).map_err(io)?;
        run(&package, &["check", "--quiet"])?;
    }
    Ok(())
}

/// Copies what programs in a folder need when they are compiled.
fn copy_beside(folder: &Path, package: &Path) -> std::io::Result<()> {
    for file in beside::files(folder) {
        let below = file.strip_prefix(folder).unwrap_or(&file);
        let copy = package.join(below);
        fs::create_dir_all(copy.parent().expect("it lies in a folder"))?;
        fs::copy(&file, copy)?;
    }
    Ok(())
}

fn build(
    root: &Path,
    package: &Path,
    dependencies: &str,
    beside: Option<&Path>,
    programs: &[&str],
) -> Result<(), String> {
    let io = |error: std::io::Error| format!("cannot write a package: {error}");
    let _ = fs::remove_dir_all(package);
    let bins = package.join("src/bin");
    let tests = package.join("tests");
    fs::create_dir_all(&bins).map_err(io)?;
    fs::create_dir_all(&tests).map_err(io)?;
    // A package of nothing but tests is none.
    fs::write(package.join("src/lib.rs"), "").map_err(io)?;
    let manifest = format!(
        "[package]\nname = \"alone\"\nversion = \"0.0.0\"\nedition = \
         \"2024\"\n\n[workspace]\n\n[profile.dev]\ndebug = 0\n\n{dependencies}"
    );
    fs::write(package.join("Cargo.toml"), manifest).map_err(io)?;
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock"))
        .map_err(io)?;
    if let Some(folder) = beside {
        copy_beside(&root.join(folder), package).map_err(io)?;
    }
    for (index, program) in programs.iter().enumerate() {
        let folder = if program.contains("fn main") { &bins } else { &tests };
        fs::write(folder.join(format!("p{index}.rs")), program).map_err(io)?;
    }
    cargo(root, package, &["check", "--quiet", "--bins", "--tests"])
}

/// Runs cargo in a folder, with the target folder that all packages share.
fn cargo(root: &Path, at: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(toolchain::cargo())
        .args(arguments)
        .current_dir(at)
        .env("CARGO_TARGET_DIR", root.join("target/alone/target"))
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
