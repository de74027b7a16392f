//! Files that mdBook publishes, or that lie among the programs, and that no page
//! shows; styles and templates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mdbook_driver::config::Config;
use regex::Regex;
use walkdir::WalkDir;

use crate::model::Book;
use crate::names;
use crate::problem::Problem;

/// Files of the source folder that mdBook publishes and that hold no code.
const IMAGES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "avif", "ico"];

/// Styles and templates are on every page: they must show no code.
pub(crate) fn theme(root: &Path, config: &Config, problems: &mut Vec<Problem>) {
    static CODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)<(pre|code|textarea|xmp|tt|samp|svg)\b|\bcontent\s*:\s*(["'][^"']{3}|var)|@import"#,
        )
        .expect("a valid pattern")
    });
    let html = config.html_config().unwrap_or_default();
    let theme = html.theme.clone().unwrap_or_else(|| "theme".into());
    let mut files = html.additional_css.clone();
    for entry in WalkDir::new(root.join(&theme)).sort_by_file_name() {
        let Ok(entry) = entry else { continue };
        let extension = entry.path().extension().and_then(|e| e.to_str());
        if matches!(extension, Some("hbs" | "css" | "html")) {
            let below = entry.path().strip_prefix(root);
            files.push(below.unwrap_or(entry.path()).to_owned());
        }
    }
    files.sort();
    files.dedup();
    for file in files {
        let text = fs::read_to_string(root.join(&file));
        if let Some(code) = text.ok().as_deref().and_then(|t| CODE.find(t)) {
            problems.push(Problem::whole(
                &file,
                format!("`{}` may show code that nothing ran", code.as_str()),
                "show code on a page, where it is checked",
            ));
        }
    }
}

/// Pages outside SUMMARY.md, and snippets that no page shows.
pub(crate) fn orphans(book: &Book, problems: &mut Vec<Problem>) {
    let listed: BTreeSet<PathBuf> =
        book.pages.iter().map(|page| page.file.clone()).collect();
    let broken: BTreeSet<PathBuf> =
        problems.iter().map(|problem| problem.file.clone()).collect();
    let shown: BTreeSet<&Path> = book
        .pages
        .iter()
        .flat_map(|page| {
            let blocks = page.blocks.iter().flat_map(|b| &b.files);
            blocks.chain(page.pictures.iter().map(|p| &p.file))
        })
        .map(PathBuf::as_path)
        .collect();
    for file in files(&book.root, &book.src) {
        let extension = extension(&file);
        if extension == "md" {
            let known = listed.contains(&file)
                || broken.contains(&file)
                || shown.contains(file.as_path())
                || file == book.src.join("SUMMARY.md");
            if !known {
                problems.push(Problem::whole(
                    &file,
                    "no line of SUMMARY.md names this page",
                    "add it there, or remove the file",
                ));
            }
        } else if !IMAGES.contains(&extension.as_str())
            && !shown.contains(file.as_path())
            && !names::is_ours(&file)
        {
            problems.push(Problem::whole(
                &file,
                "mdBook publishes this file as it is, unchecked",
                "show it on a page, or move it out of the source folder",
            ));
        }
        if book.root.join(&file).is_symlink() {
            problems.push(Problem::whole(
                &file,
                "what this link leads to is published, unchecked",
                "put the file itself here",
            ));
        }
    }
    // sqlx's macros look here too, for the programs of every recipe.
    for folder in [Path::new(""), common(book)] {
        let file = folder.join(".sqlx");
        if book.root.join(&file).exists() {
            problems.push(Problem::whole(
                &file,
                "every recipe's `query!` would read this folder",
                "move it beside the programs that need it",
            ));
        }
    }
    // A page that could not be read says nothing of what it shows.
    if !problems.is_empty() {
        return;
    }
    if let Some(folder) = &book.settings.snippets {
        for file in files(&book.root, folder) {
            let kind = extension(&file);
            if !shown.contains(file.as_path())
                && matches!(kind.as_str(), "rs" | "py" | "sql" | "svg")
            {
                problems.push(Problem::whole(
                    &file,
                    "no page shows this file",
                    "show it with {{#include}} in a fence, or remove it",
                ));
            }
        }
    }
}

/// The folder of all programs.
fn common(book: &Book) -> &Path {
    book.settings.snippets.as_deref().unwrap_or(Path::new(""))
}

fn extension(file: &Path) -> String {
    let extension = file.extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}

/// Whether a file is one that an editor keeps while another is open: vim's
/// `.page.md.swp` and `4913`, Emacs' `#page.md#` and `.#page.md`, `page.md~`.
#[must_use]
pub fn is_editors(file: &Path) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(\..*\.sw[a-z]|\.#.*|#.*#|4913|.*~)$")
            .expect("a valid pattern")
    });
    let name = file.file_name().unwrap_or_default();
    NAME.is_match(&name.to_string_lossy())
}

/// The files below a folder, relative to the root, sorted, without those that
/// an editor keeps.
fn files(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = WalkDir::new(root.join(folder))
        .into_iter()
        .filter_entry(|entry| entry.path() != root.join("target"))
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_dir())
        .filter(|entry| !is_editors(entry.path()))
        .map(|entry| {
            entry.path().strip_prefix(root).unwrap_or(entry.path()).to_owned()
        })
        .collect();
    files.sort();
    files
}
