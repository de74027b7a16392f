//! Makes the skeleton of a recipe, which passes every check once SUMMARY.md
//! names it and `cargo bless` has filled in what its program prints.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Result, anyhow, bail};

use crate::failed;
use crate::render::Book;

const PAGE: &str = include_str!("page.md");
const PROGRAM: &str = include_str!("program.rs.txt");
const PYTHON: &str = include_str!("program.py.txt");

/// Writes the files of a recipe, named `chapter/recipe`; what to do next.
///
/// # Errors
///
/// The name is not of that form, the book has no such chapter, or a file of
/// the recipe exists: none is overwritten.
pub fn skeleton(book: &Book, name: &str) -> Result<String> {
    let plain = |part: &str| {
        let known = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(known)
    };
    let parts = name.split_once('/');
    let parts =
        parts.filter(|(chapter, recipe)| plain(chapter) && plain(recipe));
    let Some((chapter, recipe)) = parts else {
        bail!(
            "`{name}` is not the name of a recipe\nhelp: name its chapter and \
             itself in small letters, such as time/retry"
        );
    };
    let folder = book.src().join(chapter);
    if !folder.join("README.md").is_file() {
        bail!(
            "the book has no chapter `{chapter}`\nhelp: CONTRIBUTING.md says \
             how a new chapter begins"
        );
    }
    let stem = recipe.replace('-', "_");
    let programs = book.root().join("snippets").join(chapter).join(recipe);
    let files = [
        (folder.join(format!("{recipe}.md")), PAGE),
        (programs.join(format!("{stem}.rs")), PROGRAM),
        (programs.join(format!("{stem}.py")), PYTHON),
    ];
    if let Some((file, _)) = files.iter().find(|(file, _)| file.exists()) {
        bail!(
            "{} exists\nhelp: choose another name, or remove the file",
            file.display()
        );
    }
    let tokio = locked(book.root(), "tokio")?;
    let mut made = String::new();
    for (file, template) in files {
        let text = template
            .replace("CHAPTER", chapter)
            .replace("RECIPE", recipe)
            .replace("STEM", &stem)
            .replace("TOKIO", &tokio);
        write(&file, &text)?;
        let below = file.strip_prefix(book.root()).unwrap_or(&file);
        made += &format!("made {}\n", below.display());
    }
    Ok(format!(
        "{made}\n\
         Add this line to SUMMARY.md, below another recipe of the chapter:\n\n\
         \x20 - [Title]({chapter}/{recipe}.md)\n\n\
         Then write the program, its Python and the page, with its title and \
         question.\nRun `cargo bless`, `cargo mutate . book/{chapter}/{recipe}.md`, \
         and `cargo test`."
    ))
}

fn write(file: &Path, text: &str) -> Result<()> {
    let shown = file.display();
    let cannot =
        || failed(format!("cannot write {shown}"), "make its folder writable");
    let folder = file.parent().expect("a file lies in a folder");
    fs::create_dir_all(folder).map_err(cannot())?;
    // Another may have made it just now.
    match fs::File::create_new(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(anyhow!("{shown} exists\nhelp: choose another name"))
        }
        Err(error) => Err(cannot()(error)),
        Ok(_) => fs::write(file, text).map_err(cannot()),
    }
}

/// The locked version of a crate.
fn locked(root: &Path, name: &str) -> Result<String> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).map_err(failed(
        "cannot read Cargo.lock",
        "run `cargo generate-lockfile`",
    ))?;
    let version = lock
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .and_then(|(_, rest)| rest.split_once('"'));
    let Some((version, _)) = version else {
        bail!(
            "Cargo.lock does not list {name}\nhelp: add it to \
             [workspace.dependencies] of Cargo.toml"
        );
    };
    Ok(version.to_owned())
}
