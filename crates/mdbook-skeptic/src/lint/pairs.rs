//! What a block shows, and what must stand beside it.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use regex::Regex;

use crate::anchor::{is_whole, lines_of_file, place, shown};
use crate::compare;
use crate::model::{Block, Kind, Picture, drawn_from};
use crate::problem::{Fault, Rule};

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[A-Za-z0-9_-]+$").expect("a valid pattern"));
static PYTHON_ASSERTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\s*(assert\b|raise AssertionError|with pytest\.raises)")
        .expect("a valid pattern")
});

fn fault(what: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault::new(Rule::Pair, what, help)
}

/// Checks the blocks of a page one against the other: each fault with its line.
///
/// `commands` are those that the project's own checks run, in their order; the
/// block in line `keep` is checked with the part to keep.
pub(crate) fn check(
    root: &Path,
    blocks: &[Block],
    commands: &[String],
    keep: Option<usize>,
) -> Vec<(usize, Fault)> {
    let mut faults = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let mut push = |fault| faults.push((block.line, fault));
        let before = index.checked_sub(1).map(|before| &blocks[before]);
        altered(root, block).map(&mut push);
        match &block.kind {
            Kind::Console => {
                console(root, block, before).err().map(&mut push);
            }
            Kind::CompileFail(expected) => {
                let message = blocks.get(index + 1);
                let here = |next: &Block| {
                    next.kind == Kind::Text && next.heading == block.heading
                };
                if !message.is_some_and(here) {
                    push(fault(
                        format!("the message of {expected} is not shown"),
                        "put the compiler's message into a ```text fence \
                         right after this block",
                    ));
                }
            }
            Kind::Test => {
                let name = block.file().and_then(Path::file_stem);
                let next = blocks.get(index + 1).and_then(Block::test);
                if name.is_none() || name != next.map(OsStr::new) {
                    push(fault(
                        "the run of these tests is not shown",
                        "include the file of a [[test]] target, and put \
                         ```console with `$ cargo test --test NAME` right \
                         after it",
                    ));
                }
            }
            Kind::Python => {
                // The whole file runs; the page may show a part of it.
                let file = block.file().map(|file| root.join(file));
                let file = file.and_then(|file| fs::read_to_string(file).ok());
                let program = file.as_deref().unwrap_or(&block.text);
                if !PYTHON_ASSERTS.is_match(program) {
                    push(fault(
                        "this Python asserts nothing",
                        "assert what the page says of it",
                    ));
                }
            }
            Kind::Shell if keep != Some(block.line) => {
                let lines = block.text.lines().map(str::trim);
                let lines: Vec<&str> =
                    lines.filter(|line| !line.is_empty()).collect();
                let run = |at: &[String]| at.iter().eq(lines.iter().copied());
                if !lines.is_empty() && !commands.windows(lines.len()).any(run)
                {
                    push(fault(
                        format!("no check runs `{}`", lines.join("; ")),
                        "run these lines, one after the other as they stand \
                         here, in the script that book.toml names as `commands`",
                    ));
                }
            }
            Kind::Sql => {
                let embeds = blocks.iter().any(|other| {
                    other.kind == Kind::Rust
                        && calls_migrate(&other.text)
                        && embedded(other).is_some_and(|folder| {
                            block.file().and_then(Path::parent) == Some(&folder)
                        })
                });
                let runs = block.file().is_some_and(is_migration);
                if !embeds || !runs || !is_whole(root, block) {
                    push(fault(
                        "no program of this page runs this SQL",
                        "include a whole file, such as migrations/0001_parcel.sql, \
                         beside a program that calls `sqlx::migrate!`",
                    ));
                }
            }
            Kind::Text => {
                let runs = |before: &Block| {
                    before.heading == block.heading
                        && (before.kind.is_rust()
                            || [Kind::Python, Kind::Console, Kind::Sql]
                                .contains(&before.kind))
                        && !before.fails()
                };
                if before.is_some_and(runs) {
                    push(fault(
                        "this may be what the program prints, and nothing \
                         compares it",
                        "show it in a ```console fence, or under a heading of \
                         its own",
                    ));
                }
            }
            Kind::Toml if blocks.iter().all(|b| !b.kind.is_rust()) => {
                push(fault(
                    "no program on this page needs these dependencies",
                    "show the program with them",
                ));
            }
            _ => {}
        }
        let message =
            before.is_some_and(Block::fails) && block.kind == Kind::Text;
        if (message || block.kind == Kind::Console) && !block.files.is_empty() {
            push(fault(
                "what a program or the compiler prints stands in the page, and \
                 here a file is included",
                "remove the include, and run `cargo bless`",
            ));
        }
    }
    faults
}

/// Whether sqlx runs a file: it takes those that begin with a number and `_`,
/// and a `.down.sql` only to take a migration back
/// (`sqlx-core` 0.9, `migrate/source.rs`).
fn is_migration(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let number = name.split_once('_').map(|(number, _)| number);
    number.is_some_and(|number| number.parse::<i64>().is_ok())
        && name.ends_with(".sql")
        && !name.ends_with(".down.sql")
}

/// Whether a program calls `migrate!`, other than in a comment or a string.
fn calls_migrate(program: &str) -> bool {
    fn calls(tokens: TokenStream) -> bool {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        tokens.windows(2).any(|pair| {
            matches!(pair, [TokenTree::Ident(name), TokenTree::Punct(mark)]
                if name == "migrate" && mark.as_char() == '!')
        }) || tokens.into_iter().any(|token| {
            matches!(token, TokenTree::Group(group) if calls(group.stream()))
        })
    }
    TokenStream::from_str(program).is_ok_and(calls)
}

/// The folder of migrations beside a program.
fn embedded(block: &Block) -> Option<std::path::PathBuf> {
    Some(block.file()?.parent()?.join("migrations"))
}

/// What is shown must be the file's, line by line: a list takes indentation
/// off, and a preprocessor can change anything.
fn altered(root: &Path, block: &Block) -> Option<Fault> {
    lines_of_file(root, block)?;
    shown(block)?;
    if place(root, block).is_some() {
        return None;
    }
    Some(fault(
        format!("this is not what {} holds", block.file()?.display()),
        "include it outside of lists and quotes, as it is",
    ))
}

fn console(
    root: &Path,
    block: &Block,
    before: Option<&Block>,
) -> Result<(), Fault> {
    let name = block.example().or(block.test());
    let Some(name) = name.filter(|name| NAME.is_match(name)) else {
        return Err(fault(
            "no checker for this command",
            "begin with `$ cargo run --example NAME`, and show what it prints",
        ));
    };
    if block.test().is_some() && before.is_none_or(|b| b.kind != Kind::Test) {
        return Err(fault(
            format!("the tests of `{name}` are not shown"),
            "put them into a ```rust,test fence right before this one",
        ));
    }
    let of = before.filter(|before| before.kind.is_rust());
    let of = of.and_then(Block::file).and_then(Path::file_stem);
    if of.is_none_or(|stem| stem != name) {
        return Err(fault(
            format!("the program `{name}` is not shown above its output"),
            format!("include {name}.rs in the fence right before this one"),
        ));
    }
    if !before.is_some_and(|before| is_whole(root, before)) {
        return Err(fault(
            format!("a part of `{name}` is neither shown nor hidden"),
            "put all of it between `ANCHOR: all` and `ANCHOR_END: all`",
        ));
    }
    Ok(())
}

/// A picture must be all of its file, and of a program that the page shows.
pub(crate) fn pictures(
    root: &Path,
    blocks: &[Block],
    pictures: &[Picture],
) -> Vec<(usize, Fault)> {
    let mut faults = Vec::new();
    for Picture { line, file, text } in pictures {
        let whole = fs::read_to_string(root.join(file));
        let program = drawn_from(file).map(|(program, _)| program);
        let shows = |block: &Block| {
            block.kind.is_rust() && block.file() == program.as_deref()
        };
        let name = file.display();
        if !whole.is_ok_and(|whole| compare::same(&whole, text)) {
            faults.push((
                *line,
                fault(
                    format!("this is not all of {name}"),
                    "include the whole file, and nothing beside it",
                ),
            ));
        } else if !blocks.iter().any(shows) {
            faults.push((
                *line,
                fault(
                    format!("{name} is drawn from no program of this page"),
                    "call it after a program that the page shows, \
                     `program.svg` or `program.anchor.svg`",
                ),
            ));
        }
    }
    faults
}
