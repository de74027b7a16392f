//! What must be checked by running it, block by block.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::beside::Beside;
use crate::book::Book;
use crate::fence::Kind;
use crate::page::{Block, Page, Picture};
use crate::timeline;

/// A test of the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Check {
    /// Of the test: chapter, recipe, what is checked, and the fence's line.
    pub name: String,
    /// `book/chapter/page.md:12`
    pub place: String,
    /// What is checked.
    pub what: What,
    /// The server that it needs: a variable and the script that starts it.
    pub service: Option<(String, PathBuf)>,
    /// What the program needs when it is compiled.
    pub beside: Option<Beside>,
    /// Whether the page says that the program needs Linux.
    pub linux: bool,
}

impl Check {
    /// A check that nothing but itself is needed for.
    #[must_use]
    pub fn new(place: &str, what: What) -> Check {
        Check {
            name: String::new(),
            place: place.to_owned(),
            what,
            service: None,
            beside: None,
            linux: false,
        }
    }

    /// The service, by reference.
    pub(crate) fn service(&self) -> Option<(&str, &Path)> {
        let (variable, script) = self.service.as_ref()?;
        Some((variable, script))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A program that skeptic compiles and runs.
    Program {
        /// The test's name without the line, as skeptic wants it.
        stem: String,
        /// Of the fence.
        line: usize,
        /// The program.
        text: String,
        /// Whether it has to panic.
        must_panic: bool,
    },
    /// What an example prints.
    Output {
        /// Its name.
        example: String,
        /// Its source, relative to the book's root.
        file: PathBuf,
        /// What the page shows.
        shown: String,
    },
    /// What a file of tests prints.
    Tests {
        /// The name of the `[[test]]`.
        target: String,
        /// Its source, relative to the book's root.
        file: PathBuf,
        /// Its text.
        program: String,
        /// What the page shows.
        shown: String,
    },
    /// A Python program, which has to end with success.
    Python {
        /// Its file, where it has one; the page may show a part of it.
        file: Option<PathBuf>,
        /// What the page shows.
        text: String,
    },
    /// The compiler's message for a program.
    Error {
        /// The error's code, `no_code`, or a lint's name.
        expected: String,
        /// The program.
        program: String,
        /// What the page shows.
        shown: String,
    },
    /// The `[dependencies]` that the page's programs need.
    Dependencies {
        /// What the page shows.
        shown: String,
        /// The programs.
        programs: Vec<String>,
    },
    /// A timeline.
    Picture {
        /// Its file, relative to the book's root.
        file: PathBuf,
        /// What the page shows.
        shown: String,
        /// What the page shows of the program's output.
        printed: Option<String>,
    },
}

/// The checks of a book, in its order. What several blocks show is checked
/// once, where it is shown first.
pub(crate) fn of(book: &Book) -> Vec<Check> {
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
                What::Program { text, must_panic, .. } => {
                    Some(format!("{must_panic} {text}"))
                }
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
        for Picture { line, file, text } in &page.pictures {
            if !seen.insert(file.display().to_string()) {
                continue;
            }
            let stem = named(page, file.file_stem()) + "_picture";
            let (_, name) = names.unique(&stem, *line);
            let place = format!("{}:{line}", page.file.display());
            let program = timeline::source(file).map(|(program, _)| program);
            let linux = needs_linux(page, program.as_deref());
            let what = What::Picture {
                file: file.clone(),
                shown: text.clone(),
                printed: program.and_then(|file| printed(page, &file)),
            };
            let (service, beside) = (None, None);
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

/// A program that names the variable of a service needs it.
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
    let mut services = book.settings.services.iter();
    let needed = services
        .find(|(variable, _)| program.contains(&format!("\"{variable}\"")))?;
    Some((needed.0.clone(), needed.1.clone()))
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
        Kind::Rust | Kind::ShouldPanic => (
            "",
            What::Program {
                stem: String::new(),
                line: block.line,
                text: text.trim_end().to_owned(),
                must_panic: block.kind == Kind::ShouldPanic,
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
        Kind::Shell | Kind::Sql | Kind::Text | Kind::Json => return None,
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

/// As skeptic does it to file names.
fn sanitize(name: &str) -> String {
    name.to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("_")
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
