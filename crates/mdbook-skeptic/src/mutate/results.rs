//! What became of the mutants of the last run: a file of the book, which names
//! each that no test has caught, with the reason.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::anchor::{anchor, lines_of, without_anchors};
use crate::model::{Block, Book, Page};

/// The file that `mutants` in `book.toml` names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Results {
    /// Of code that a reader copies.
    pub part: Vec<OfPart>,
}

/// The mutants of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfPart {
    /// Relative to the book's root.
    pub program: PathBuf,
    pub anchor: String,
    /// Of the whole program: see [`Part::hash`].
    pub hash: String,
    pub caught: usize,
    /// How many there were. Those that do not compile do not count.
    pub of: usize,
    #[serde(default)]
    pub survivor: Vec<Survivor>,
}

/// A mutant that no test has caught.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Survivor {
    pub change: String,
    /// The line of the program that is changed.
    pub code: String,
    /// Why that is right; a person writes it.
    pub reason: String,
}

/// Code that a reader copies: the anchor `keep`, or one whose name begins with
/// `fixed`, of a program that a page in the new form shows.
pub(crate) struct Part<'b> {
    pub page: &'b Page,
    /// Relative to the book's root.
    pub file: &'b Path,
    pub anchor: String,
    /// The whole program.
    pub program: String,
    /// The part's lines, from 0.
    pub lines: std::ops::Range<usize>,
}

impl Part<'_> {
    /// The start of the SHA-256 of the program, its assertions too, without
    /// anchors.
    pub(crate) fn hash(&self) -> String {
        let text = without_anchors(self.program.lines());
        let digest = Sha256::digest(text);
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A line of the program, from 1, without blanks around it.
    pub(crate) fn line(&self, line: usize) -> &str {
        self.program.lines().nth(line - 1).unwrap_or_default().trim()
    }

    pub(crate) fn is_python(&self) -> bool {
        self.file.extension().is_some_and(|of| of == "py")
    }

    pub(crate) fn is_of(&self, result: &OfPart) -> bool {
        self.file == result.program && self.anchor == result.anchor
    }
}

/// The parts of a book, in its order, each once.
///
/// # Errors
///
/// If a program cannot be read.
pub(crate) fn parts(book: &Book) -> Result<Vec<Part<'_>>, String> {
    let mut parts: Vec<Part> = Vec::new();
    for page in &book.pages {
        for file in page.blocks.iter().filter_map(copied) {
            if parts.iter().any(|part| part.file == file) {
                continue;
            }
            let program = read(&book.root, file)?;
            let begun = program.lines().filter_map(anchor);
            let names = begun.filter(|(name, is_end)| {
                !is_end && (*name == "keep" || name.starts_with("fixed"))
            });
            for (anchor, _) in names {
                let Some(lines) = lines_of(&program, anchor) else { continue };
                let (anchor, program) = (anchor.to_owned(), program.clone());
                parts.push(Part { page, file, anchor, program, lines });
            }
        }
    }
    Ok(parts)
}

/// The program of a block from which a reader may copy.
fn copied(block: &Block) -> Option<&Path> {
    let file = block.file()?;
    let kinds = ["rs", "py"].map(std::ffi::OsStr::new);
    let is_code = file.extension().is_some_and(|of| kinds.contains(&of));
    (is_code && !block.fails()).then_some(file)
}

/// The text of a file below the book's root.
pub(crate) fn read(root: &Path, file: &Path) -> Result<String, String> {
    fs::read_to_string(root.join(file))
        .map_err(|error| format!("cannot read {}: {error}", file.display()))
}

impl Results {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not of this form.
    pub(crate) fn read(root: &Path, file: &Path) -> Result<Results, String> {
        toml::from_str(&read(root, file)?)
            .map_err(|error| format!("{}: {error}", file.display()))
    }

    /// As the file holds them.
    pub(crate) fn written(&self) -> String {
        let text = toml::to_string(self).expect("plain text");
        format!(
            "# Written by `cargo mutate`; the reasons are written by hand.\n\
             \n{text}"
        )
    }

    /// What of the results is not of these parts, or has no reason.
    pub(crate) fn faults(&self, parts: &[Part]) -> Vec<String> {
        let mut faults = Vec::new();
        for part in parts {
            let name = format!("{}, `{}`", part.file.display(), part.anchor);
            let known = self.part.iter().find(|result| part.is_of(result));
            if known.is_none_or(|result| result.hash != part.hash()) {
                faults.push(format!(
                    "{name} has changed since its mutants were tried\nhelp: run \
                     `cargo mutate . {}`",
                    part.page.file.display()
                ));
            }
        }
        for result in &self.part {
            let name =
                format!("{}, `{}`", result.program.display(), result.anchor);
            if !parts.iter().any(|part| part.is_of(result)) {
                faults.push(format!(
                    "there are results of {name}, which no page shows\nhelp: \
                     remove them"
                ));
            }
            if result.caught + result.survivor.len() != result.of {
                faults.push(format!(
                    "{name}: {} of {} are caught, and {} are not\nhelp: run \
                     `cargo mutate`",
                    result.caught,
                    result.of,
                    result.survivor.len()
                ));
            }
            for Survivor { change, reason, .. } in &result.survivor {
                if reason.trim().is_empty() {
                    faults.push(format!(
                        "{name}: no test notices this: {change}\nhelp: assert \
                         what that line is for, or write down the reason why \
                         nothing depends on it"
                    ));
                }
            }
        }
        faults
    }

    /// The rows of the table of parts, below [`PARTS`]: one for each page.
    pub(crate) fn rows(&self, parts: &[Part], from: &Page) -> String {
        let up = "../".repeat(from.path.components().count() - 1);
        let mut rows = String::new();
        for of_page in parts.chunk_by(|a, b| a.page.path == b.page.path) {
            let Page { title, path, .. } = of_page[0].page;
            let (mut rust, mut python) = ((0, 0), (0, 0));
            let mut left = Vec::new();
            let known =
                |part| self.part.iter().find(|of| Part::is_of(part, of));
            for (part, result) in
                of_page.iter().filter_map(|part| Some((part, known(part)?)))
            {
                let sum =
                    if part.is_python() { &mut python } else { &mut rust };
                *sum = (sum.0 + result.caught, sum.1 + result.of);
                let name = part.file.file_name().unwrap_or_default();
                let name = name.to_string_lossy();
                left.extend(result.survivor.iter().map(|survivor| {
                    let Survivor { change, reason, .. } = survivor;
                    format!("{name}, {change}: {reason}").replace('|', "\\|")
                }));
            }
            let counts = [("Rust", rust), ("Python", python)].into_iter();
            let counts = counts.filter(|(_, (_, of))| *of > 0);
            let counts =
                counts.map(|(name, (c, of))| format!("{name}: {c} of {of}"));
            let _ = writeln!(
                rows,
                "| [{title}]({up}{}) | {} | {} |",
                path.display(),
                counts.collect::<Vec<_>>().join(", "),
                left.join("; ")
            );
        }
        rows
    }
}

/// What the table of parts begins with.
pub(crate) const PARTS: &str =
    "| Page | Caught | Not caught, and why |\n| --- | --- | --- |\n";

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A book with a program that has a part to keep and a fragment *Fixed*.
    fn book(about: &str) -> (TempDir, Book) {
        let folder = TempDir::new().expect("a temporary folder");
        fs::create_dir(folder.path().join("src")).expect("a folder");
        let write = |file: &str, text: &str| {
            fs::write(folder.path().join(file), text).expect("a file");
        };
        write("book.toml", "[book]\n");
        write("src/SUMMARY.md", "- [Page](page.md)\n");
        write(
            "src/a.rs",
            "// ANCHOR: all\n// ANCHOR: keep\nfn f() -> u32 {\n    2\n}\n\
             // ANCHOR_END: keep\nfn main() {\n    // ANCHOR: fixed\n    \
             assert_eq!(f(), 2);\n    // ANCHOR_END: fixed\n}\n\
             // ANCHOR_END: all\n",
        );
        write(
            "src/page.md",
            &format!(
                "# Page\n\n{about}```rust\n{{{{#rustdoc_include a.rs:keep}}}}\n\
                 ```\n\n```sh\ncargo add\n```\n"
            ),
        );
        let book = Book::load(folder.path()).expect("it is in order");
        (folder, book)
    }

    #[test]
    fn each_part_has_results_and_each_survivor_a_reason() {
        let (_folder, book) = book("");
        let parts = parts(&book).expect("they can be read");
        let names: Vec<_> = parts.iter().map(|part| &part.anchor).collect();
        assert_eq!(names, ["keep", "fixed"]);
        let of = |part: &Part, reason: &str| OfPart {
            program: part.file.to_owned(),
            anchor: part.anchor.clone(),
            hash: part.hash(),
            caught: 1,
            of: 2,
            survivor: vec![Survivor {
                change: "`2` is `20`".into(),
                code: "2".into(),
                reason: reason.into(),
            }],
        };
        let part = vec![of(&parts[0], "a | b"), of(&parts[1], "c")];
        let good = Results { part };
        assert_eq!(good.faults(&parts), Vec::<String>::new());
        assert_eq!(
            good.rows(&parts, &book.pages[0]),
            "| [Page](page.md) | Rust: 2 of 4 | a.rs, `2` is `20`: a \\| b; \
             a.rs, `2` is `20`: c |\n"
        );
        let text = good.written();
        assert_eq!(toml::from_str::<Results>(&text).as_ref(), Ok(&good));

        let mut stale = good.clone();
        stale.part[0].hash.clear();
        let mut gone = good.clone();
        gone.part[1].anchor = "other".into();
        let mut lost = good.clone();
        lost.part[1].survivor.clear();
        let mut unexplained = good.clone();
        unexplained.part[0].survivor[0].reason = " ".into();
        for (results, expected) in [
            (
                stale,
                vec![
                    "src/a.rs, `keep` has changed since its mutants were tried\n\
                     help: run `cargo mutate . src/page.md`",
                ],
            ),
            (
                gone,
                vec![
                    "src/a.rs, `fixed` has changed since its mutants were tried\n\
                     help: run `cargo mutate . src/page.md`",
                    "there are results of src/a.rs, `other`, which no page \
                     shows\nhelp: remove them",
                ],
            ),
            (
                lost,
                vec![
                    "src/a.rs, `fixed`: 1 of 2 are caught, and 0 are not\nhelp: \
                     run `cargo mutate`",
                ],
            ),
            (
                unexplained,
                vec![
                    "src/a.rs, `keep`: no test notices this: `2` is `20`\nhelp: \
                     assert what that line is for, or write down the reason \
                     why nothing depends on it",
                ],
            ),
        ] {
            assert_eq!(results.faults(&parts), expected);
        }
    }
}
