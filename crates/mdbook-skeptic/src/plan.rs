//! The checks of a book: what must be run, block by block.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::beside::Beside;
use crate::model::{
    Block, Book, Check, Keep, Kind, Page, Picture, What, drawn_from,
};
use crate::skeptic::sanitize;

/// The checks of a book, in its order. What several blocks show is checked
/// once, where it is shown first.
pub(crate) fn checks(book: &Book) -> Vec<Check> {
    let mut seen = BTreeSet::new();
    let mut names = Names::default();
    let mut checks = Vec::new();
    for page in &book.pages {
        for (index, block) in page.blocks.iter().enumerate() {
            let before = index.checked_sub(1).map(|at| &page.blocks[at]);
            let next = page.blocks.get(index + 1);
            let beside = (before, next);
            let Some((kind, mut what)) = what(book, page, block, beside) else {
                continue;
            };
            let once = match &what {
                What::Program { text, .. } => Some(text.clone()),
                What::Python { file: Some(file), .. } => {
                    Some(file.display().to_string())
                }
                _ => None,
            };
            if once.is_some_and(|once| !seen.insert(once)) {
                continue;
            }
            // An output's program stands above it.
            let program = match &what {
                What::Output { file, .. } => Some(file.as_path()),
                _ => block.file(),
            };
            let mut stem = named(page, program.and_then(Path::file_stem));
            if !kind.is_empty() {
                stem = format!("{stem}_{kind}");
            }
            let (stem, name) = names.unique(&stem, block.line);
            let place = format!("{}:{}", page.file.display(), block.line);
            let service = service(book, &what);
            let beside = program.and_then(|p| Beside::of(&book.root, p));
            let linux = needs_linux(page, program);
            if let What::Program { stem: of_program, .. } = &mut what {
                *of_program = stem;
            }
            checks.push(Check { name, place, what, service, beside, linux });
        }
        if let Some(keep) = &page.keep {
            let Keep { line, file, rust, python, calls, commands } = keep;
            let (rust, python) = (rust.clone(), python.clone());
            let (calls, shown) = (calls.clone(), commands.clone());
            let stem = named(page, file.file_stem()) + "_keep";
            let (_, name) = names.unique(&stem, *line);
            let place = format!("{}:{line}", page.file.display());
            let beside = Beside::of(&book.root, file);
            let what = What::Keep { rust, python, calls, shown };
            checks.push(Check { name, beside, ..Check::new(&place, what) });
        }
        for Picture { line, file, text } in &page.pictures {
            if !seen.insert(file.display().to_string()) {
                continue;
            }
            let stem = named(page, file.file_stem()) + "_picture";
            let (_, name) = names.unique(&stem, *line);
            let place = format!("{}:{line}", page.file.display());
            let program = drawn_from(file).map(|(program, _)| program);
            let linux = needs_linux(page, program.as_deref());
            let beside =
                program.as_deref().and_then(|p| Beside::of(&book.root, p));
            let what = What::Picture {
                file: file.clone(),
                shown: text.clone(),
                printed: program.and_then(|file| printed(page, &file)),
            };
            let service = None;
            checks.push(Check { name, place, what, service, beside, linux });
        }
    }
    checks
}

/// Whether a page says that a program needs Linux.
fn needs_linux(page: &Page, program: Option<&Path>) -> bool {
    let stem = program.and_then(Path::file_stem);
    page.about.linux.iter().any(|name| stem == Some(OsStr::new(name)))
}

/// What a page shows of the output of the program in a file.
fn printed(page: &Page, program: &Path) -> Option<String> {
    let stem = program.file_stem()?.to_str()?;
    let shown = page.blocks.iter().find(|b| b.example() == Some(stem))?;
    Some(shown.text.split_once('\n')?.1.to_owned())
}

/// The service that a check needs.
fn service(book: &Book, what: &What) -> Option<(String, PathBuf)> {
    let program = match what {
        What::Program { text, .. } => text,
        What::Tests { program, .. } => program,
        What::Output { example, .. } => {
            let shows = |block: &Block| {
                let stem = block.file().and_then(Path::file_stem);
                block.kind.is_rust()
                    && stem.is_some_and(|stem| stem == example.as_str())
            };
            &book.blocks().map(|(_, block)| block).find(|b| shows(b))?.text
        }
        _ => return None,
    };
    let (variable, script) = book.settings.service_of(program)?;
    Some((variable.to_owned(), script.to_owned()))
}

/// What to check of a block, and a word for it in the test's name.
fn what(
    book: &Book,
    page: &Page,
    block: &Block,
    (before, next): (Option<&Block>, Option<&Block>),
) -> Option<(&'static str, What)> {
    let text = block.text.clone();
    Some(match &block.kind {
        Kind::Rust => (
            "",
            What::Program {
                stem: String::new(),
                line: block.line,
                text: text.trim_end().to_owned(),
            },
        ),
        Kind::Test => {
            let console = next?;
            let target = console.test()?.to_owned();
            let (_, shown) = console.text.split_once('\n')?;
            let shown = shown.to_owned();
            let file = block.file()?.to_owned();
            ("tests", What::Tests { target, file, program: text, shown })
        }
        Kind::Console => {
            let example = block.example()?.to_owned();
            let (_, shown) = text.split_once('\n')?;
            let file = before?.file()?.to_owned();
            let shown = shown.to_owned();
            ("output", What::Output { example, file, shown })
        }
        Kind::Python => {
            let file = block.file().map(Path::to_owned);
            ("python", What::Python { file, text })
        }
        Kind::CompileFail(expected) => (
            "error",
            What::Error {
                expected: expected.clone(),
                program: text,
                shown: next?.text.clone(),
            },
        ),
        Kind::Toml => {
            let programs = book.programs_of(page);
            let programs = programs.into_iter().map(str::to_owned).collect();
            ("dependencies", What::Dependencies { shown: text, programs })
        }
        Kind::Shell | Kind::Sql | Kind::Text => return None,
    })
}

/// `core_patterns_fetch_json` for a program of chapter `core-patterns`.
fn named(page: &Page, of_file: Option<&OsStr>) -> String {
    let mut parts: Vec<String> = page
        .path
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let of_page = page.path.file_stem().unwrap_or_default().to_string_lossy();
    let of_file = of_file.map(|stem| stem.to_string_lossy().into_owned());
    parts.push(of_file.unwrap_or_else(|| of_page.into_owned()));
    function_name(&parts.join("_"))
}

fn function_name(name: &str) -> String {
    let name = sanitize(name);
    // It does not begin with a digit, and is there where no letter is ASCII.
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name
    } else {
        sanitize(&format!("page_{name}"))
    }
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// A stem that with its line makes a name not yet taken, and that name.
    fn unique(&mut self, stem: &str, line: usize) -> (String, String) {
        let mut unique = stem.to_owned();
        for count in 2.. {
            let name = format!("{unique}_line_{line}");
            if self.0.insert(name.clone()) {
                return (unique, name);
            }
            unique = format!("{stem}_{count}");
        }
        unreachable!("there are more numbers than tests")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_skeptic_makes_of_it_too() {
        let mut names = Names::default();
        for (page, line, expected) in [
            ("core-patterns_Fetch JSON", 3, "core_patterns_fetch_json_line_3"),
            ("7", 3, "page_7_line_3"),
            ("日本語", 3, "page_line_3"),
            ("中文", 3, "page_2_line_3"),
            ("中文", 5, "page_line_5"),
        ] {
            let (stem, name) = names.unique(&function_name(page), line);
            assert_eq!(name, expected, "{page}");
            assert_eq!(format!("{}_line_{line}", sanitize(&stem)), name);
        }
    }
}
