//! Every rule of the guard, and every way around it that we could think of,
//! on small books made for the purpose.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use mdbook_skeptic::{Block, Book, Kind, bless, rt};
use tempfile::TempDir;

#[expect(dead_code, reason = "a build script has a main")]
#[path = "../build.rs"]
mod build;

const SUMMARY: &str = "# Summary\n\n- [Page](page.md)\n";
const PROGRAM: &str = "fn main() {\n    assert_eq!(1 + 1, 2);\n}";

/// A book in a folder of its own; files are given by path and content.
struct Made(TempDir);

impl Made {
    fn new(files: &[(&str, &[u8])]) -> Made {
        let made = Made(TempDir::new().expect("a temporary folder"));
        made.write("book.toml", b"[book]\ntitle = \"A book\"\n");
        made.write("src/SUMMARY.md", SUMMARY.as_bytes());
        for (path, content) in files {
            made.write(path, content);
        }
        made
    }

    fn write(&self, path: &str, content: &[u8]) {
        let file = self.0.path().join(path);
        let folder = file.parent().expect("below the book");
        fs::create_dir_all(folder).expect("a folder");
        fs::write(file, content).expect("a file");
    }

    fn load(&self) -> Result<Book, Vec<String>> {
        Book::load(self.0.path()).map_err(|problems| {
            assert!(!problems.is_empty(), "refused without a reason");
            problems.iter().map(ToString::to_string).collect()
        })
    }

    fn files(&self) -> usize {
        walkdir::WalkDir::new(self.0.path()).into_iter().count()
    }
}

/// A `book.toml` with this in the guard's table.
fn settings(setting: &str) -> String {
    format!("[preprocessor.skeptic]\nrenderers = []\n{setting}\n")
}

fn page(text: &str) -> Result<Book, Vec<String>> {
    Made::new(&[("src/page.md", text.as_bytes())]).load()
}

/// The page is refused, and this is a problem: its place, with or without the
/// line, and all of what it says before its help, or the start before a `…`.
#[track_caller]
fn refused(text: &str, place: &str, what: &str) {
    expect(page(text), place, what);
}

#[track_caller]
fn expect(got: Result<Book, Vec<String>>, place: &str, what: &str) {
    let problems = match got {
        Ok(book) => {
            let blocks: Vec<_> =
                book.blocks().map(|(_, block)| block.clone()).collect();
            panic!("passes; expected {place}: {what}\n{blocks:#?}")
        }
        Err(problems) => problems,
    };
    let place = place.trim_end_matches([':', ' ']);
    let is_expected = |problem: &String| {
        let (found, _) = problem.split_once("\nhelp: ").expect("a help");
        let rest = found.strip_prefix(place).unwrap_or_default();
        let Some((line, found)) = rest.split_once(": ") else { return false };
        let is_place = line.is_empty() || line.starts_with(':');
        let start = what.strip_suffix('…');
        is_place
            && (found == what || start.is_some_and(|s| found.starts_with(s)))
    };
    assert!(
        problems.iter().any(is_expected),
        "expected {place}: {what}\ngot {problems:#?}"
    );
}

#[track_caller]
fn kinds(text: &str) -> Vec<Kind> {
    let book = page(text).unwrap_or_else(|p| panic!("refused: {p:#?}"));
    book.blocks().map(|(_, block)| block.kind.clone()).collect()
}

fn rust(program: &str) -> String {
    format!("# Page\n\n```rust\n{program}\n```\n")
}

#[test]
fn a_good_page_passes() {
    assert_eq!(kinds(&rust(PROGRAM)), [Kind::Rust]);
    assert_eq!(kinds("Only words.\n"), []);
}

#[test]
fn a_block_is_found_wherever_mdbook_finds_it() {
    for (text, line) in [
        (rust(PROGRAM), 3),
        (format!("~~~rust\n{PROGRAM}\n~~~\n"), 1),
        (format!("````rust\n{PROGRAM}\n````\n"), 1),
        (format!("   ```rust\n{PROGRAM}\n   ```\n"), 1),
        (format!("- a\n\n  ```rust\n{}\n  ```\n", indent("  ")), 3),
        (format!("1. ```rust\n{}\n   ```\n", indent("   ")), 1),
        (format!("> ```rust\n{}\n> ```\n", indent("> ")), 1),
        (format!("> [!NOTE]\n> ```rust\n{}\n> ```\n", indent("> ")), 2),
        (format!("> - ```rust\n{}\n>   ```\n", indent(">   ")), 1),
        (format!("term\n: ```rust\n{}\n  ```\n", indent("  ")), 2),
        (
            format!(
                "a[^1]\n\n[^1]: note\n\n    ```rust\n{}\n    ```\n",
                indent("    ")
            ),
            5,
        ),
        (format!("<details>\n\n```rust\n{PROGRAM}\n```\n\n</details>\n"), 3),
        (rust(PROGRAM).replace('\n', "\r\n"), 3),
        (format!("\u{feff}```rust\n{PROGRAM}\n```\n"), 1),
        (format!("| a |\n|---|\n| b |\n\n```rust\n{PROGRAM}\n```\n"), 5),
    ] {
        let book = page(&text).unwrap_or_else(|p| panic!("{p:#?}\n{text}"));
        let blocks: Vec<_> = book.blocks().map(|(_, b)| b.clone()).collect();
        assert_eq!(blocks.len(), 1, "{text}");
        assert_eq!(blocks[0].line, line, "{text}");
        let words = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(words(&blocks[0].text), words(PROGRAM), "{text}");
    }
}

fn indent(prefix: &str) -> String {
    let lines = PROGRAM.lines().map(|line| format!("{prefix}{line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_fence_that_nothing_checks_is_refused() {
    let unknown = [
        "rs",
        "Rust",
        "RUST",
        "ignore",
        "no_run,rust",
        "c",
        "javascript",
        "py",
        "should_panic,rust",
        "json",
        "{.rust}",
        "diff",
        "html",
        "svg",
        "mermaid",
        "rust ignore",
        "rust {ignore}",
    ];
    let unlike = [
        "rust,noplayground",
        "rust,edition2015",
        "rust,editable",
        "rust,should_panic",
        "rust,skt-x",
        "rust,skeptic-template",
        "rust, ignore",
    ];
    for (infos, what) in [
        (&unknown[..], "no checker for a fence tagged `{}`"),
        (&unlike, "`{}` is not a way to tag Rust here"),
        (
            &["rust,ignore", "rust,no_run"],
            "`{}` would be shown without being run",
        ),
        (&["rust,compile_fail"], "`{}` does not say which error"),
        (&["text,rust"], "the tags of `{}` mean nothing to a checker"),
        (&[""], "a fence without a language has no checker"),
    ] {
        for (info, mark) in infos
            .iter()
            .flat_map(|info| ["```", "~~~", "````"].map(|mark| (info, mark)))
        {
            let text = format!("# Page\n\n{mark}{info}\n{PROGRAM}\n{mark}\n");
            refused(&text, "src/page.md:3", &what.replace("{}", info));
        }
    }
    for (first, then) in
        [("> ", "> "), ("- ", "  "), ("1. ", "   "), ("> - ", ">   ")]
    {
        let text = format!("{first}```rs\n{then}fn main() {{}}\n{then}```\n");
        let what = "no checker for a fence tagged `rs`";
        refused(&text, "src/page.md:1", what);
    }
}

#[test]
fn code_outside_a_fence_is_refused() {
    for (text, place) in [
        ("Text.\n\n    fn main() {}\n", "src/page.md:3"),
        ("- item\n\n      let x = 1;\n", "src/page.md:3"),
        ("\tfn main() {}\n", "src/page.md:1"),
    ] {
        refused(text, place, "an indented code block has no checker");
    }
    for (name, html) in [
        ("pre", "<pre>fn main() {}</pre>\n"),
        ("pre", "<PRE>fn main() {}</PRE>\n"),
        ("pre", "<pre\nclass=x>fn main() {}</pre>\n"),
        ("pre", "Text <pre>fn main() {}</pre> text.\n"),
        ("pre", "<div>\n<pre>fn main() {}</pre>\n</div>\n"),
        ("code", "<code>let x = 1;</code>\n"),
        ("code", "Text <code>let x = 1;</code>.\n"),
        ("samp", "<samp>let x = 1;</samp>\n"),
        ("tt", "<tt>let x = 1;</tt>\n"),
        ("textarea", "<textarea>fn main() {}</textarea>\n"),
        ("xmp", "<xmp>fn main() {}</xmp>\n"),
        ("listing", "<listing>fn main() {}</listing>\n"),
        ("plaintext", "<plaintext>fn main() {}\n"),
        ("script", "<script>document.write('fn main() {}')</script>\n"),
        ("style", "<style>p { white-space: pre }</style>\n"),
        ("iframe", "<iframe src=\"x.html\"></iframe>\n"),
        ("object", "<object data=\"x.html\"></object>\n"),
        ("template", "<template>fn main() {}</template>\n"),
        ("svg", "<svg><text>fn main() {}</text></svg>\n"),
        ("kbd", "<kbd>fn main() {}</kbd>\n"),
        ("pre", "<!-- a --><pre>fn main() {}</pre>\n"),
        ("pre", "> <pre>fn main() {}</pre>\n"),
        ("pre", "- <pre>fn main() {}</pre>\n"),
    ] {
        let what = format!("raw <{name}> may show code that nothing ran");
        refused(html, "src/page.md:1", &what);
    }
    for (name, html) in [
        ("p", "<p style=\"white-space: pre; font-family: x\">let x</p>\n"),
        ("p", "<p title=\">\" style=\"white-space: pre\">let x</p>\n"),
        ("div", "<div class=\"language-rust\">fn main() {}</div>\n"),
        ("div", "<div class=\"playground\">fn main() {}</div>\n"),
        ("div", "<div class=\"hljs\">fn main() {}</div>\n"),
        ("img", "<img src=x onerror=\"alert(1)\">\n"),
        ("a", "<a href=\"javascript:alert(1)\">x</a>\n"),
    ] {
        let what = format!(
            "<{name}> with these attributes may pass for a block of code"
        );
        refused(html, "src/page.md:1", &what);
    }
    for text in [
        "Type `fn main() { let x = 1; }` here.\n",
        "```rust fn main() {}```\n",
        "a ```` fn x ```` b\n",
    ] {
        let what = "a program between backticks in a line is not run";
        refused(text, "src/page.md:1", what);
    }
    // What is never shown, and what is no code, passes.
    assert_eq!(kinds("<!--\n```rs\nfn main() {}\n```\n-->\n"), []);
    assert_eq!(kinds("Call `join!`, or `f(x).await`.\n\n<br>\n"), []);
}

#[test]
fn a_fence_that_never_ends_is_refused() {
    for text in [
        format!("```rust\n{PROGRAM}\n"),
        format!("````rust\n{PROGRAM}\n```\n"),
        format!("~~~rust\n{PROGRAM}\n```\n"),
        format!("> ```rust\n> {PROGRAM}\n"),
        format!("- ```rust\n  {PROGRAM}\n"),
    ] {
        refused(&text, "src/page.md:1", "this fence is never closed");
    }
}

#[test]
fn a_block_in_disguise_is_refused() {
    let rust = [
        PROGRAM,
        "let x = 5;",
        "fn f(x: u8) -> u8 { x }",
        "println!(\"x\")",
        "use std::fs;",
        "#[derive(Debug)]\nstruct A;",
        "future.await",
        "tokio::spawn(work())",
        "struct Parcel { id: u64 }",
        "async move { 1 }",
        "for x in y {",
        "send(x);",
        "mod a { }",
    ];
    let python = [
        "async def f():",
        "import asyncio",
        "for x in y:",
        "print(x)",
        "x = await f(y)",
        "with open(a) as b:",
        "x = asyncio.Queue()",
    ];
    let rust = rust.map(|code| ("rust", code));
    for (language, code) in
        rust.into_iter().chain(python.map(|c| ("python", c)))
    {
        let text = format!("```text\n{code}\n```\n");
        let what = format!("this ```text is {language} in disguise");
        refused(&text, "src/page.md:1", &what);
    }
    refused(
        "```toml\nlet x = 5;\n```\n",
        "src/page.md:1",
        "this is no TOML: key with no value, expected `=`",
    );
    refused(
        "```toml\n[package]\nname = \"x\"\n```\n",
        "src/page.md:1",
        "no checker for TOML without a [dependencies] table",
    );
    assert_eq!(
        kinds("```text\nproducer ──▶ queue ──▶ worker (3 of them)\n```\n"),
        [Kind::Text]
    );
}

#[test]
fn lines_that_are_shown_and_never_run_are_refused() {
    let main = "fn main() { assert_eq!(1, 1); }";
    let with = |more: &str| format!("{main}\n{more}");
    let nothing = "this program asserts nothing";
    for (program, what) in [
        ("fn main() {}", nothing),
        ("fn main() { assert!(true); }", nothing),
        ("// assert_eq!(1, 1);\nfn main() {}", nothing),
        ("fn main() { let _ = \"assert!(x)\"; }", nothing),
        ("fn main() { assert!(true, \"fine\"); }", nothing),
        (
            "assert_eq!(1, 1);",
            "this is not a whole program: it has no `fn main`",
        ),
        (
            &with("// \"####"),
            "`\"####` ends the string in which skeptic keeps the program",
        ),
        (
            &format!("{main} // \r x"),
            "a bare carriage return would be lost on the way to the compiler",
        ),
    ] {
        refused(&rust(program), "src/page.md:3", what);
    }
    for (program, hides) in [
        (&with("#[cfg(any())]\nfn f() {}"), "cfg (any ())"),
        (&with("#[r#cfg(any())]\nfn f() {}"), "r#cfg (any ())"),
        (&format!("#![cfg(feature = \"x\")]\n{main}"), "cfg (feature = \"x\")"),
        (&with("#[cfg_attr(any(), x)]\nfn f() {}"), "cfg_attr (any () , x)"),
        (&"fn main() { if cfg!(windows) { assert!(1 > 2); } }".into(), "cfg!"),
        (&with("macro_rules! println { () => {} }"), "println!"),
        (&with("macro_rules! assert_eq { ($($t:tt)*) => {} }"), "assert_eq!"),
        (&with("use std::drop as assert_eq;"), "as assert_eq"),
        (&with("#[diagnostic::x]\nfn f() {}"), "diagnostic :: x"),
    ] {
        let what = format!("`{hides}` can hide lines from the compiler");
        refused(&rust(program), "src/page.md:3", &what);
    }
    for (attribute, lint) in [
        ("#![allow(dead_code)]\n", "dead_code"),
        ("#![allow(warnings)]\n", "warnings"),
        ("#[allow(unused)]\nfn f() {}\n", "unused"),
        ("#[expect(dead_code)]\nfn f() {}\n", "dead_code"),
        ("#![allow(unused_must_use)]\n", "unused_must_use"),
        ("#![allow(unreachable_patterns)]\n", "unreachable_patterns"),
    ] {
        let what = format!("`{lint}` is silenced, so that lines need not run");
        let program = rust(&format!("{attribute}{main}"));
        refused(&program, "src/page.md:3", &what);
    }
    for attribute in ["test", "tokio::test", "core::prelude::v1::test"] {
        let program = with(&format!("#[{attribute}]\nasync fn f() {{}}"));
        let what = "a #[test] in a program is not run";
        refused(&rust(&program), "src/page.md:3", what);
    }
    for (program, reads) in [
        (with("const A: &str = include_str!(\"a\");"), "include_str!"),
        (with("#[path = \"a.rs\"]\nmod a;"), "path = \"a.rs\""),
    ] {
        let what =
            format!("`{reads}` reads a file that a reader does not have");
        refused(&rust(&program), "src/page.md:3", &what);
    }
    let failing = "```rust,compile_fail,E0308\nfn main() {}\n#[cfg(any())]\n\
                   fn f() {}\n```\n\n```text\nx\n```\n";
    let what = "`cfg (any ())` can hide lines from the compiler";
    refused(failing, "src/page.md:1", what);
    refused(
        &rust("# fn main() { assert!(1 > 0); }"),
        "src/page.md:3",
        "this block shows nothing",
    );
}

#[test]
fn what_hidden_lines_make_words_of_is_refused() {
    for (before, after) in [
        ("/*", "*/"),
        ("let _ = r#\"", "\"#;"),
        ("let _ = stringify! {", "};"),
        ("macro_rules! drop { ($($t:tt)*) => {} } drop! {", "}"),
    ] {
        let program = format!(
            "# fn main() {{ assert!(1 > 0); {before}\nlet x = wrong();\n\
             # {after} }}"
        );
        refused(
            &rust(&program),
            "src/page.md:3",
            "hidden lines make a comment, a string or a macro's words \
             of what is shown",
        );
    }
    // A macro that runs what it is given.
    let program = "# fn main() { std::thread_local! {\nstatic A: u8 = 1;\n# }\n\
                   # assert_eq!(A.get(), 1); }";
    assert_eq!(kinds(&rust(program)), [Kind::Rust]);
}

#[test]
fn what_is_shown_is_what_the_file_holds() {
    // A list takes indentation off.
    let python = "# ANCHOR: a\n    assert 1\n    assert 2\n# ANCHOR_END: a\n";
    let made = Made::new(&[
        ("code/a.py", format!("if True:\n{python}").as_bytes()),
        (
            "src/page.md",
            b"- x\n\n  ```python\n{{#include ../code/a.py:a}}\n  ```\n",
        ),
    ]);
    expect(made.load(), "src/page.md:3", "this is not what code/a.py holds");
    made.write("src/page.md", b"```python\n{{#include ../code/a.py:a}}\n```\n");
    assert!(made.load().is_ok(), "{:?}", made.load());
    // A line that is no command belongs to the file.
    made.write(
        "src/page.md",
        b"```python\n{{#include ../code/a.py:a}}\n$ cargo x = wrong()\n```\n",
    );
    expect(made.load(), "src/page.md:1", "this is not what code/a.py holds");
    // An output is that of the whole file.
    let hidden =
        format!("// before\n// ANCHOR: all\n{PROGRAM}\n// ANCHOR_END: all\n");
    let made = Made::new(&[
        ("code/a.rs", hidden.as_bytes()),
        (
            "src/page.md",
            b"```rust\n{{#include ../code/a.rs:all}}\n```\n\n```console\n\
              $ cargo run --example a\nx\n```\n",
        ),
    ]);
    expect(
        made.load(),
        "src/page.md:5",
        "a part of `a` is neither shown nor hidden",
    );
    made.write("code/a.rs", hidden.replace("// before\n", "").as_bytes());
    assert!(made.load().is_ok(), "{:?}", made.load());
}

#[test]
fn what_may_be_an_output_stands_in_a_console() {
    let output = "```text\nparcel 7 is in Oslo\n```\n";
    let text = format!("{}\nIt prints:\n\n{output}", rust(PROGRAM));
    refused(
        &text,
        "src/page.md:",
        "this may be what the program prints, and nothing compares it",
    );
    for code in [
        "cargo add tokio --features none",
        "RUST_LOG=debug cargo run",
        "SELECT * FORM parcels",
        "tokio = { version = \"9\" }",
        "[profile.release]",
        "$ cargo run",
        "thread 'main' panicked at src/main.rs",
        "error[E0382]: use of moved value",
        "[dependencies]",
    ] {
        let what = format!(
            "this ```text may be a command, a table or an output that nothing \
             checks: {code}"
        );
        refused(&format!("```text\n{code}\n```\n"), "src/page.md:1", &what);
    }
    let text = format!("{}\n## A map\n\n{output}", rust(PROGRAM));
    assert_eq!(kinds(&text), [Kind::Rust, Kind::Text]);
}

#[test]
fn code_in_a_title_is_refused() {
    let made = Made::new(&[
        ("src/SUMMARY.md", b"[`let x = wrong();`](page.md)\n"),
        ("src/page.md", b"Only words.\n"),
    ]);
    expect(
        made.load(),
        "src/page.md: ",
        "this page is called \"let x = wrong();\"",
    );
}

#[test]
fn hidden_lines_are_part_of_the_program() {
    let text = rust("# fn main() {\nassert_eq!(1, 1);\n#\n##[x]\n# }");
    let book = page(&text).expect("a whole program");
    let (_, block) = book.blocks().next().expect("a block");
    assert_eq!(block.text, "fn main() {\nassert_eq!(1, 1);\n\n#[x]\n}\n");
}

fn with_snippet(page: &str, snippet: &[u8]) -> Result<Book, Vec<String>> {
    Made::new(&[("src/page.md", page.as_bytes()), ("code/a.rs", snippet)])
        .load()
}

#[test]
fn an_include_is_expanded_and_named() {
    let code = format!("// ANCHOR: all\n{PROGRAM}\n// ANCHOR_END: all\n");
    for directive in [
        "{{#include ../code/a.rs:all}}",
        "{{#rustdoc_include ../code/a.rs:all}}",
        "{{ #include ../code/a.rs:all }}",
        "{{#include ../code/a.rs:2:4}}",
    ] {
        let text = format!("# A\n\n\n```rust\n{directive}\n```\n");
        let book = with_snippet(&text, code.as_bytes());
        let book = book.unwrap_or_else(|p| panic!("{directive}: {p:#?}"));
        let (_, block) = book.blocks().next().expect("a block");
        assert_eq!((block.line, block.heading.as_str()), (4, "A"));
        assert_eq!(block.file(), Some(Path::new("code/a.rs")));
        assert!(block.text.starts_with(PROGRAM), "{}", block.text);
    }
    let playground = "{{#playground ../code/b.rs}}\n";
    let made = Made::new(&[
        ("src/page.md", playground.as_bytes()),
        ("code/b.rs", PROGRAM.as_bytes()),
    ]);
    let book = made.load().expect("a fence of mdBook's own");
    assert_eq!(book.blocks().count(), 1);
    let ignored = "{{#playground ../code/b.rs ignore}}\n";
    made.write("src/page.md", ignored.as_bytes());
    expect(
        made.load(),
        "src/page.md:1",
        "`rust,ignore` would be shown without being run",
    );
}

#[test]
fn a_fence_in_an_included_page_is_found() {
    let made = Made::new(&[
        ("src/page.md", b"# Page\n\n{{#include part.md}}\n"),
        ("src/part.md", b"text\n\n```rs\nfn main() {}\n```\n"),
    ]);
    expect(made.load(), "src/page.md:3", "no checker for a fence tagged `rs`");
    // Half a fence here, half there: what counts is what is rendered.
    made.write("src/part.md", b"```rs\nfn main() {}\n");
    made.write("src/page.md", b"{{#include part.md}}\n\n```\n");
    expect(made.load(), "src/page.md:1", "no checker for a fence tagged `rs`");
}

#[test]
fn an_include_that_fails_is_an_error() {
    let code = format!("// ANCHOR: a\n{PROGRAM}\n// ANCHOR_END: a\n");
    let lines = ": the file has 5 lines";
    let no_directive = " is no directive of mdBook's";
    let outside = " reads a file outside the book's folder";
    for (directive, what) in [
        (
            "{{#include ../code/none.rs}}",
            ": cannot read ../code/none.rs: No such file or directory (os \
             error 2)",
        ),
        (
            "{{#include ../code}}",
            ": cannot read ../code: Is a directory (os error 21)",
        ),
        (
            "{{#include ../code/a.rs:none}}",
            ": the anchor `none` is not in the file",
        ),
        ("{{#include ../code/a.rs:5:9}}", lines),
        ("{{#include ../code/a.rs:4:2}}", lines),
        ("{{#include ../code/a.rs:99}}", lines),
        ("{{#includes ../code/a.rs}}", no_directive),
        ("{{#Include ../code/a.rs}}", no_directive),
        ("{{#include ../../../../../../../etc/passwd}}", outside),
        ("{{#include /etc/passwd}}", outside),
    ] {
        let text = format!("# A\n\n```rust\n{directive}\n```\n");
        let what = format!("`{directive}`{what}");
        expect(with_snippet(&text, code.as_bytes()), "src/page.md:4", &what);
    }
    for directive in ["{{# include ../code/a.rs}}", "{{#include}}"] {
        let text = format!("# A\n\n```rust\n{directive}\n```\n");
        let what = "`{{#` is no directive of mdBook's";
        expect(with_snippet(&text, code.as_bytes()), "src/page.md:4", what);
    }
    let text = "```rust\n{{#include ../code/a.rs:a}}\n```\n";
    for (code, what) in [
        (
            "// ANCHOR: a\nfn main() {}\n",
            "`{{#include ../code/a.rs:a}}`: the anchor `a` is never \
             closed",
        ),
        (
            "// ANCHOR: a\n// ANCHOR_END: a\nfn main() {}\n",
            "`{{#include ../code/a.rs:a}}`: the anchor `a` holds no line",
        ),
        (
            "// ANCHOR: a\nx\n// ANCHOR_END: a\n// ANCHOR: a\ny\n// ANCHOR_END: a\n",
            "`{{#include ../code/a.rs:a}}`: the anchor `a` does not \
             open and close exactly once",
        ),
    ] {
        expect(with_snippet(text, code.as_bytes()), "src/page.md:2", what);
    }
    expect(
        with_snippet(text, b"// \xff\xfe"),
        "src/page.md:2",
        "`{{#include ../code/a.rs:a}}`: ../code/a.rs is not UTF-8 \
             (invalid utf-8 sequence of 1 bytes from index 3)",
    );
    let whole = "```rust\n{{#include ../code/a.rs}}\n```\n";
    expect(
        with_snippet(whole, b""),
        "src/page.md:2",
        "`{{#include ../code/a.rs}}` shows nothing: the file is empty",
    );
    expect(
        with_snippet(whole, code.as_bytes()),
        "src/page.md:1",
        "this block shows an ANCHOR comment",
    );
}

#[test]
fn a_cyclic_include_is_an_error() {
    let made = Made::new(&[
        ("src/page.md", b"{{#include a.md}}\n"),
        ("src/a.md", b"{{#include b.md}}\n"),
        ("src/b.md", b"{{#include a.md}}\n"),
    ]);
    expect(
        made.load(),
        "src/page.md:1",
        "`{{#include a.md}}` includes itself, or nests too deep",
    );
    made.write("src/page.md", b"{{#include page.md}}\n");
    expect(
        made.load(),
        "src/page.md:1",
        "`{{#include page.md}}` includes itself, or nests too deep",
    );
    made.write("src/page.md", b"```rust\n{{#include a.rs}}\n```\n");
    made.write("src/a.rs", b"fn main() {}\n// {{#include b.rs}}\n");
    made.write("src/b.rs", b"fn f() {}\n");
    expect(
        made.load(),
        "src/page.md:2",
        "`{{#include a.rs}}`: a.rs includes something itself, so \
             that what is shown is not the file",
    );
}

#[test]
fn a_fence_shows_a_file_or_its_own_text_not_both() {
    let made = Made::new(&[
        ("code/a.py", b"assert True\n"),
        ("code/a.rs", PROGRAM.as_bytes()),
    ]);
    for body in [
        "{{#include ../code/a.py}}\nwrong()",
        "wrong()\n{{#include ../code/a.py}}",
        "{{#include ../code/a.py}}\n{{#include ../code/a.py}}",
        "{{#include ../code/a.py}} # wrong()",
    ] {
        let text = format!("# A\n\n```python\n{body}\n```\n");
        made.write("src/page.md", text.as_bytes());
        expect(
            made.load(),
            "src/page.md:3",
            "this block shows a file and more: what runs is the file",
        );
    }
    let text = "```rust\n{{#include ../code/a.rs:1}}\n}\n```\n";
    made.write("src/page.md", text.as_bytes());
    expect(
        made.load(),
        "src/page.md:1",
        "this block shows a file and more: what runs is the file",
    );
}

#[test]
fn an_output_stands_under_its_program() {
    let made =
        Made::new(&[("code/a.rs", PROGRAM.as_bytes()), ("code/a.txt", b"x\n")]);
    let program = "```rust\n{{#include ../code/a.rs}}\n```\n";
    let output = "```console\n$ cargo run --example a\nx\n```\n";
    made.write("src/page.md", format!("{program}\n{output}").as_bytes());
    made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    for (text, what) in [
        (output.to_owned(), "the program `a` is not shown above its output"),
        (
            format!("{program}\n{}", output.replace("example a", "example b")),
            "the program `b` is not shown above its output",
        ),
        (
            format!("{}\n{output}", rust(PROGRAM)),
            "the program `a` is not shown above its output",
        ),
        (
            format!("{program}\n{}", output.replace("\nx\n", INCLUDED)),
            "what a program or the compiler prints stands in the page, \
             and here a file is included",
        ),
        (
            format!("{program}\n```console\n$ ls\nx\n```\n"),
            "no checker for this command",
        ),
        (
            format!("{program}\n```console\nx\n```\n"),
            "no checker for this command",
        ),
        (
            format!(
                "{program}\n```text\n{{{{#include ../code/a.txt}}}}\n```\n"
            ),
            "this may be what the program prints, and nothing compares it",
        ),
    ] {
        made.write("src/page.md", text.as_bytes());
        expect(made.load(), "src/page.md:", what);
    }
}

#[test]
fn sql_is_a_file_that_a_program_of_the_page_embeds() {
    let program = "fn main() {\n    let all = sqlx::migrate!(\"./migrations\");\n    \
                   assert_eq!(all.iter().count(), 1);\n}\n";
    let made = Made::new(&[
        ("code/a.rs", program.as_bytes()),
        ("code/migrations/1_a.sql", b"CREATE TABLE a (b);\n"),
        ("code/migrations/1_a.down.sql", b"DROP TABLE a;\n"),
        ("code/migrations/2.sql", b"CREATE NONSENSE;\n"),
        ("code/migrations/more/3_b.sql", b"CREATE TABLE b (c);\n"),
        ("code/migrations/4_c.sql", b"/*\nCREATE NONSENSE;\n*/ SELECT 1;\n"),
        ("code/other.sql", b"CREATE TABLE a (b);\n"),
    ]);
    let shown = "```rust\n{{#include ../code/a.rs}}\n```\n";
    let sql = "```sql\n{{#include ../code/migrations/1_a.sql}}\n```\n";
    made.write("src/page.md", format!("{shown}\n{sql}").as_bytes());
    made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    for page in [
        sql.to_owned(),
        format!("{shown}\n{}", sql.replace("migrations/1_a", "other")),
        // sqlx runs none of these when a migrator runs.
        format!("{shown}\n{}", sql.replace("1_a", "1_a.down")),
        format!("{shown}\n{}", sql.replace("1_a", "2")),
        format!("{shown}\n{}", sql.replace("1_a", "more/3_b")),
        // A part of a file may be a comment.
        format!("{shown}\n{}", sql.replace("1_a.sql", "4_c.sql:2:2")),
        format!("{shown}\n```sql\nDROP TABLE a;\n```\n"),
    ] {
        made.write("src/page.md", page.as_bytes());
        expect(
            made.load(),
            "src/page.md:",
            "no program of this page runs this SQL",
        );
    }
    made.write("src/page.md", format!("{shown}\n{sql}").as_bytes());
    let words = "fn main() {\n    // migrate!(\"./migrations\")\n    \
                 assert_ne!(\"migrate!()\", \"\");\n}\n";
    for program in [PROGRAM, words] {
        made.write("code/a.rs", program.as_bytes());
        expect(
            made.load(),
            "src/page.md:5",
            "no program of this page runs this SQL",
        );
    }
}

#[test]
fn what_every_recipe_would_read_is_refused() {
    let made = Made::new(&[("src/page.md", b"text\n")]);
    made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    made.write(".sqlx/query-1.json", b"{}");
    expect(
        made.load(),
        ".sqlx",
        "every recipe's `query!` would read this folder",
    );
}

#[test]
fn a_page_says_of_itself_what_the_checks_have_to_know() {
    let comment =
        |table: &str| format!("# A\n\n<!-- page\n{table}-->\n\ntext\n");
    let about = "question = \"How?\"\nno-timeline = \"no time\"\n\
                 real-clock = [\"a\"]\nlinux = [\"b\", \"c\"]\n";
    let book = page(&comment(about)).expect("all keys that there are");
    let found = &book.pages[0].about;
    assert_eq!(found.question.as_deref(), Some("How?"));
    assert_eq!(found.no_timeline.as_deref(), Some("no time"));
    assert_eq!(found.real_clock, ["a"]);
    assert_eq!(found.linux, ["b", "c"]);
    let windows = comment(about).replace('\n', "\r\n");
    let book = page(&windows).expect("line ends do not matter");
    assert_eq!(&book.pages[0].about.linux, &["b", "c"]);
    for (text, what) in [
        (
            comment("questions = \"How?\"\n"),
            "the comment `<!-- page` is not in order: unknown field \
             `questions`, expected one of `question`, `no-timeline`, \
             `real-clock`, `linux`, `keep`, `dictionary`",
        ),
        (
            comment("linux = \"a\"\n"),
            "the comment `<!-- page` is not in order: invalid type: \
             string \"a\", expected a sequence",
        ),
        (
            comment("linux = [\n"),
            "the comment `<!-- page` is not in order: unclosed array, \
             expected `]`",
        ),
        (
            comment("question = \"This | that?\"\n"),
            "the question is not one line of text for a table",
        ),
        (
            comment("question = \"\"\"Two\nlines?\"\"\"\n"),
            "the question is not one line of text for a table",
        ),
        (comment("no-timeline = \" \"\n"), "no-timeline gives no reason"),
        (
            comment("") + "\n<!-- page\n-->\n",
            "there are two comments `<!-- page`",
        ),
        (
            "# A\n\n<!-- page\nlinux = []\n".into(),
            "the comment `<!-- page` has no end",
        ),
    ] {
        refused(&text, "src/page.md:3: ", what);
        let problems = page(&text).expect_err("refused");
        let help = "\nhelp: its keys are question = ";
        assert!(problems.iter().any(|p| p.contains(help)), "{problems:#?}");
    }
}

const INCLUDED: &str = "\n{{#include ../code/a.txt}}\n";

#[test]
fn html_and_markdown_that_pass_for_code_are_refused() {
    let early = "a comment that ends early may show what is in it";
    let link = "a data: link may show code that nothing ran";
    let heading = "a heading with these attributes may pass for code";
    for (text, what) in [
        ("<!--> <pre>fn main() {}</pre> -->\n", early),
        ("<!---> <pre>fn main() {}</pre> -->\n", early),
        ("<!-- a --!> <pre>fn main() {}</pre>\n", early),
        ("[x](data:text/html,fn)\n", link),
        ("![x](data:image/svg+xml,fn)\n", link),
        ("## let x {style=white-space:pre}\n", heading),
        ("## let x {.language-rust}\n", heading),
        (
            "```text\nx\u{200b}y\n```\n",
            "this block has an invisible '\\u{200b}'",
        ),
    ] {
        refused(text, "src/page.md:1", what);
    }
    // Plain links and attributes are no tricks.
    let plain = "<a href=\"https://a.example/?once=1\">a</a> and \
                 [b](https://b.example/playground).\n";
    assert_eq!(kinds(plain), []);
}

#[test]
fn files_and_settings_that_bypass_the_pages_are_refused() {
    let made = Made::new(&[("src/page.md", b"x\n")]);
    for file in
        ["src/demo.rs", "src/demo.txt", "src/a.css", "src/target/x.html"]
    {
        made.write(file, b"fn main() {}");
        expect(
            made.load(),
            file,
            "mdBook publishes this file as it is, unchecked",
        );
        fs::remove_file(made.0.path().join(file)).expect("removed");
    }
    made.write("src/page.png", b"a picture");
    made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    for (setting, what) in [
        (".code.hidelines]\npython = \"assert\"", "code.hidelines"),
        ("]\nmathjax-support = true", "mathjax-support"),
        ("]\ninput-404 = \"other.md\"", "input-404"),
    ] {
        let toml = format!("[output.html{setting}\n");
        made.write("book.toml", toml.as_bytes());
        let what = format!("{what} shows what no check reads");
        expect(made.load(), "book.toml", &what);
    }
    for (setting, what) in [
        ("commands = \"../x\"", "../x is no file of the book's"),
        ("services = { A = \"no\" }", "no is no file of the book's"),
        (
            "parts = \"../parts.js\"",
            "../parts.js lies outside the book's folder",
        ),
        ("plots = \"no\"", "\"no\" is no folder of the book's"),
    ] {
        made.write("book.toml", settings(setting).as_bytes());
        expect(made.load(), "book.toml", what);
    }
    made.write("book.toml", b"[output.html]\nadditional-css = [\"a.css\"]\n");
    made.write("a.css", b"td { vertical-align: top; }");
    made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    made.write("a.css", b"p::after { content: \"wrong()\"; }");
    expect(
        made.load(),
        "a.css: ",
        "`content: \"wro` may show code that nothing ran",
    );
    made.write("a.css", b"");
    made.write("theme/header.hbs", b"<pre><code>wrong()</code></pre>");
    expect(
        made.load(),
        "theme/header.hbs: ",
        "`<pre` may show code that nothing ran",
    );
}

#[test]
fn the_page_for_a_wrong_address_is_checked_like_any_other() {
    let made = Made::new(&[("src/page.md", b"x\n")]);
    made.write("src/404.md", b"# No such page\n\nSearch for it.\n");
    let book = made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!(book.pages.len(), 2);
    for (text, what) in [
        (
            &b"x\n\n```\nwrong()\n```\n"[..],
            "a fence without a language has no checker",
        ),
        (
            b"x\n\n<pre>wrong()</pre>\n",
            "raw <pre> may show code that nothing ran",
        ),
        (
            b"x\n\n{{#include page.md}}\n",
            "mdBook shows this directive as it stands, on this page only",
        ),
    ] {
        made.write("src/404.md", text);
        expect(made.load(), "src/404.md:3", what);
    }
    for fence in ["console", "sh", "rust,test", "rust", "toml"] {
        let text = format!("# No\n\n```{fence}\n$ cargo test\n```\n");
        made.write("src/404.md", text.as_bytes());
        expect(
            made.load(),
            "src/404.md:3",
            "a block on this page has no checker",
        );
    }
    made.write("src/404.md", b"x \xff\n");
    expect(made.load(), "src/404.md:1", "this page is not UTF-8");
}

#[test]
fn an_escaped_directive_is_text() {
    assert_eq!(kinds("Write \\{{#include file.rs}} there.\n"), []);
}

/// A page, its program and its figure, each with the line ends of Windows.
#[test]
fn line_ends_make_no_difference() {
    let page = "# A\n\n<!-- page\nquestion = \"Why?\"\n-->\n\n```rust\n\
        {{#include ../code/a.rs}}\n```\n\n```console\n\
        $ cargo run --example a\nb\n\n  c\n```\n\n\
        {{#include ../code/a.svg}}\n\n```python\nassert 1\n```\n";
    let svg = "<figure>\n<svg>\n</svg>\n</figure>\n";
    let loaded = |end: &str| {
        let of = |text: &str| text.replace('\n', end).into_bytes();
        let made = Made::new(&[
            ("src/page.md", &of(page)),
            ("code/a.rs", &of(PROGRAM)),
            ("code/a.svg", &of(svg)),
        ]);
        let book = made.load().unwrap_or_else(|p| panic!("{p:#?}"));
        let of_block = |(_, b): (_, &Block)| (b.line, b.text.clone());
        book.blocks().map(of_block).collect::<Vec<_>>()
    };
    assert_eq!(loaded("\r\n"), loaded("\n"));
}

#[test]
fn all_that_is_wrong_is_reported_at_once_and_in_order() {
    let made = Made::new(&[
        ("src/SUMMARY.md", b"- [A](a.md)\n- [B](b.md)\n"),
        ("src/a.md", b"```rs\n```\n\n```\nx\n```\n"),
        ("src/b.md", b"\n{{#include none.rs}}\n{{#include no.rs}}\n"),
        ("src/orphan.md", b"x\n"),
    ]);
    let problems = made.load().expect_err("a bad book");
    let places: Vec<_> =
        problems.iter().map(|p| p.split(": ").next().unwrap_or("")).collect();
    assert_eq!(
        places,
        [
            "src/a.md:1",
            "src/a.md:4",
            "src/b.md:2",
            "src/b.md:3",
            "src/orphan.md"
        ]
    );
    for problem in problems {
        let lines: Vec<_> = problem.lines().collect();
        let [what, help] = lines[..] else { panic!("{problem}") };
        assert!(!what.ends_with(": ") && help.starts_with("help: "), "{help}");
    }
}

#[test]
fn the_table_of_contents_is_checked() {
    let made = Made::new(&[("src/page.md", b"x\n")]);
    for (summary, place, what) in [
        ("", "src/SUMMARY.md", "the book has no page"),
        ("# Summary\n", "src/SUMMARY.md", "the book has no page"),
        ("- [Draft]()\n", "src/SUMMARY.md", "the book has no page"),
        (
            "- [A](page.md)\n- [B](page.md)\n",
            "src/SUMMARY.md",
            "mdBook cannot read it: Duplicate file in SUMMARY.md: \
             \"page.md\"",
        ),
        (
            "- [A](page.md)\n- [B](./page.md)\n",
            "src/SUMMARY.md:2",
            "page.md and ./page.md become the same page",
        ),
        (
            "- [A](none.md)\n",
            "src/SUMMARY.md:1",
            "cannot read src/none.md: No such file or directory (os \
             error 2)",
        ),
        (
            "- [A](../page.md)\n",
            "src/SUMMARY.md:1",
            "../page.md lies outside src",
        ),
        (
            "- [A](/etc/passwd)\n",
            "src/SUMMARY.md:1",
            "/etc/passwd lies outside src",
        ),
        (
            "- [A](page.md)\n\ntext\n\n- [B](none.md)\n",
            "src/SUMMARY.md",
            "mdBook cannot read it: There was an error parsing the \
             suffix chapters: failed to parse SUMMARY.md line 5, column \
             1: Suffix chapters cannot be followed by a list",
        ),
    ] {
        made.write("src/SUMMARY.md", summary.as_bytes());
        expect(made.load(), place, what);
    }
    made.write(
        "src/SUMMARY.md",
        b"- [A](README.md)\n- [B](index.md)\n- [P](page.md)\n",
    );
    made.write("src/README.md", b"x\n");
    made.write("src/index.md", b"x\n");
    expect(
        made.load(),
        "src/SUMMARY.md",
        "README.md and index.md become the same page",
    );
    fs::remove_file(made.0.path().join("src/SUMMARY.md")).expect("removed");
    expect(
        made.load(),
        "src/SUMMARY.md",
        "cannot read the table of contents: No such file or \
             directory (os error 2)",
    );
}

#[test]
fn nothing_is_written_even_where_pages_are_missing() {
    let made = Made::new(&[("src/SUMMARY.md", b"- [A](new.md)\n")]);
    let before = made.files();
    assert!(made.load().is_err());
    assert_eq!(made.files(), before);
}

#[test]
fn book_toml_is_checked() {
    let made = Made::new(&[("src/page.md", b"x\n")]);
    let renderers = "[preprocessor.skeptic] needs `renderers = []`: it is \
                     settings, not a program for mdBook to run";
    for (toml, what) in [
        (
            "[book\n",
            "Invalid configuration file: TOML parse error at line 1, \
             column 6…",
        ),
        (
            "[book]\ntitel = \"x\"\n",
            "Invalid configuration file: TOML parse error at line 2, \
             column 1…",
        ),
        (
            "[book]\nsrc = \"/etc\"\n",
            "src = \"/etc\" lies outside the book's folder",
        ),
        (
            "[book]\nsrc = \"../x\"\n",
            "src = \"../x\" lies outside the book's folder",
        ),
        ("[preprocessor.skeptic]\n", renderers),
        ("[preprocessor.skeptic]\nrenderers = [\"html\"]\n", renderers),
    ] {
        made.write("book.toml", toml.as_bytes());
        expect(made.load(), "book.toml", what);
    }
    for (setting, what) in [
        (
            "timelimit = 1",
            "Failed to deserialize `preprocessor.skeptic`: unknown \
             field `timelimit`, expected one of `renderers`, \
             `snippets`, `time-limit`, `commands`, `features`, `parts`, \
             `plots`, `mutants`, `stress`, `services`",
        ),
        ("time-limit = 0", "`time-limit` is 1 to 3600 seconds"),
        ("time-limit = 3601", "`time-limit` is 1 to 3600 seconds"),
        (
            "time-limit = \"a\"",
            "Failed to deserialize `preprocessor.skeptic`: invalid type: \
             string \"a\", expected u64\nin `time-limit`",
        ),
        ("snippets = \"no\"", "\"no\" is no folder of the book's"),
        ("snippets = \"../\"", "\"../\" is no folder of the book's"),
        ("snippets = [1]", "Failed to deserialize `preprocessor.skeptic`: …"),
    ] {
        made.write("book.toml", settings(setting).as_bytes());
        expect(made.load(), "book.toml", what);
    }
    fs::remove_file(made.0.path().join("book.toml")).expect("removed");
    let what = "cannot read it: No such file or directory (os error 2)";
    expect(made.load(), "book.toml", what);
    expect(
        Book::load("/no/such/folder").map_err(|problems| {
            problems.iter().map(ToString::to_string).collect()
        }),
        "/no/such/folder: ",
        "cannot open the book's folder: No such file or directory (os error 2)",
    );
}

#[test]
fn orphans_are_errors() {
    let made =
        Made::new(&[("src/page.md", b"x\n"), ("src/deep/lost.md", b"x\n")]);
    expect(
        made.load(),
        "src/deep/lost.md",
        "no line of SUMMARY.md names this page",
    );
    fs::remove_dir_all(made.0.path().join("src/deep")).expect("removed");
    made.write("src/raw.html", b"<pre>fn main() {}</pre>");
    expect(
        made.load(),
        "src/raw.html",
        "mdBook publishes this file as it is, unchecked",
    );
    fs::remove_file(made.0.path().join("src/raw.html")).expect("removed");

    // An editor keeps these while a page is open; git ignores them.
    for kept in [".page.md.swp", "#page.md#", "page.md~", "4913"] {
        made.write(&format!("src/{kept}"), b"x");
    }
    let link = made.0.path().join("src/.#page.md");
    std::os::unix::fs::symlink("me@here.1", link).expect("a link");
    made.load().unwrap_or_else(|p| panic!("{p:#?}"));

    made.write("code/a.rs", PROGRAM.as_bytes());
    made.write("code/b.py", b"assert True");
    made.write("code/deep/c.sql", b"x");
    let toml = "[preprocessor.skeptic]\nrenderers = []\nsnippets = \"code\"\n";
    made.write("book.toml", toml.as_bytes());
    for lost in ["code/a.rs", "code/b.py", "code/deep/c.sql"] {
        expect(made.load(), lost, "no page shows this file");
    }
    // An include in a comment shows nothing.
    made.write("src/page.md", b"<!-- {{#include ../code/a.rs}} -->\n");
    expect(made.load(), "code/a.rs", "no page shows this file");
}

#[test]
fn a_page_that_is_not_text_or_too_large_is_named() {
    let made = Made::new(&[("src/page.md", b"ok\nbad \xff\n")]);
    expect(made.load(), "src/page.md:2", "this page is not UTF-8");
    let large = fs::File::create(made.0.path().join("src/page.md"));
    let sized = large.and_then(|file| file.set_len(100 << 20));
    sized.expect("a file of zeros");
    expect(made.load(), "src/page.md: ", "this page has 100 MiB");
    made.write("src/big.txt", &vec![b'x'; 5 << 20]);
    made.write("src/page.md", b"```text\n{{#include big.txt}}\n```\n");
    expect(
        made.load(),
        "src/page.md: ",
        "with its includes this page has more than 4 MiB",
    );
}

/// A page with both programs, and the setting that asks for their parts.
fn with_parts(python: &str, rust: &str) -> Made {
    Made::new(&[
        (
            "book.toml",
            b"[preprocessor.skeptic]\nrenderers = []\nparts = \"parts.js\"\n",
        ),
        (
            "src/part/README.md",
            b"# Page\n\n## In Python\n\n```python\n{{#include ../../a.py:all}}\n\
              ```\n\n```python\n{{#include ../../a.py:shown}}\n```\n\n\
              ## In Rust\n\n```rust\n\n{{#include ../../a.rs:all}}\n```\n",
        ),
        ("src/SUMMARY.md", b"- [Page](part/README.md)\n"),
        ("a.py", python.as_bytes()),
        ("a.rs", rust.as_bytes()),
    ])
}

const PYTHON: &str = "import os\n\n# ANCHOR: all\n# ANCHOR: one\nx = 1\n\
    # ANCHOR_END: one\n# ANCHOR: shown\nassert x\n\n# ANCHOR_END: shown\n\
    # ANCHOR: two\ny = 2\nassert y\n\n# ANCHOR_END: two\n# ANCHOR_END: all\n\
    # ANCHOR: later\nz = 3\n# ANCHOR_END: later\n";
const RUST: &str = "// ANCHOR: all\nfn main() {\n    // ANCHOR: two\n    \
    let y = 2;\n    assert_eq!(y, 2);\n    // ANCHOR_END: two\n    \
    // ANCHOR: alone\n    // ANCHOR: one\n    let x = 1;\n    \
    // ANCHOR_END: one\n    assert_eq!(x, 1);\n    // ANCHOR_END: alone\n}\n\
    // ANCHOR_END: all\n";

#[test]
fn parts_are_the_anchors_of_both_programs() {
    let made = with_parts(PYTHON, RUST);
    let book = made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    let parts = book.pages[0].parts.iter();
    let parts: Vec<_> = parts
        .map(|p| (p.name.as_str(), p.python.clone(), p.rust.clone()))
        .collect();
    assert_eq!(parts, [("one", 0..1, 4..5), ("two", 3..5, 2..4)]);
    let script = "window.cookbookParts = {\n\"part/index.html\":[\
        {\"name\":\"one\",\"python\":[0,0],\"rust\":[4,4]},\
        {\"name\":\"two\",\"python\":[3,4],\"rust\":[2,3]}]\n};\n\
        window.cookbookFiles = {\n\n};\n";
    let root = made.0.path();
    let current =
        || rt::generated(&root.display().to_string(), "parts.js", script);
    let refused = |why: &str| {
        let said = catch_unwind(AssertUnwindSafe(current)).expect_err("old");
        let said = said.downcast::<String>().expect("a message");
        assert!(said.contains(why) && said.contains("bless"), "{said}");
    };
    refused("cannot read parts.js");
    let changed = bless(root, None).unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!(changed, [Path::new("parts.js")]);
    current();
    assert!(bless(root, None).is_ok_and(|changed| changed.is_empty()));
    made.write("parts.js", script.replace('\n', "\r\n").as_bytes());
    current();
    assert!(bless(root, None).is_ok_and(|changed| changed.is_empty()));
    made.write("parts.js", script.replace("[4,4]", "[4,5]").as_bytes());
    refused("parts.js is not what is made");
    made.write("parts.js", script.replace("\n}", "").as_bytes());
    refused("parts.js is not what is made");

    // A book that does not ask has none, and no rules for them.
    made.write("book.toml", b"");
    made.write("a.rs", RUST.replace(": one", ": on").as_bytes());
    let book = made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    assert!(book.pages[0].parts.is_empty());
}

#[test]
fn bless_writes_nothing_before_it_has_found_its_page() {
    let made = Made::new(&[("src/page.md", b"{{#include missing.svg}}\n")]);
    let before = made.files();
    let none = bless(made.0.path(), Some(Path::new("src/none.md")));
    let problems = none.expect_err("there is no such page");
    assert_eq!(problems[0].what, "this is not a page of the book");
    assert_eq!(made.files(), before);
}

#[test]
fn a_sample_of_mutants_is_a_number() {
    let empty = TempDir::new().expect("a temporary folder");
    let folder = empty.path().display().to_string();
    let status = |arguments: &[&str]| {
        let command = env!("CARGO_BIN_EXE_mdbook-skeptic");
        let mut command = Command::new(command);
        let output = command.arg("mutate").args(arguments).output();
        output.expect("cargo has built it").status.code()
    };
    // Understood, there is no book; otherwise it is wrong usage.
    assert_eq!(status(&[&folder]), Some(1));
    assert_eq!(status(&[&folder, "--sample", "1"]), Some(1));
    assert_eq!(status(&[&folder, "--sample", "0"]), Some(2));
}

#[test]
fn parts_that_do_not_match_are_refused() {
    let typo = RUST.replace(": one", ": on");
    expect(
        with_parts(PYTHON, &typo).load(),
        "a.py:4: ",
        "what the page shows of a.rs has no anchor `one` to match",
    );
    // Not in what the page shows.
    let below = RUST.replace(
        "    // ANCHOR: one\n    let x = 1;\n    // ANCHOR_END: one\n",
        "    let x = 1;\n",
    );
    let below = below + "// ANCHOR: one\nfn more() {}\n// ANCHOR_END: one\n";
    expect(
        with_parts(PYTHON, &below).load(),
        "a.py:4: ",
        "what the page shows of a.rs has no anchor `one` to match",
    );

    let end = "    // ANCHOR_END: two\n";
    let shared = RUST.replace(end, "");
    let shared = shared.replace(
        "    // ANCHOR_END: alone",
        &format!("{end}    // ANCHOR_END: alone"),
    );
    expect(
        with_parts(PYTHON, &shared).load(),
        "a.rs:7: ",
        "the parts `two` and `one` share lines",
    );
    let shared = PYTHON.replace("# ANCHOR_END: one\n", "");
    let shared = shared.replace("y = 2\n", "y = 2\n# ANCHOR_END: one\n");
    expect(
        with_parts(&shared, RUST).load(),
        "a.py:10: ",
        "the parts `one` and `two` share lines",
    );

    for (from, to, line) in [
        ("# ANCHOR_END: one\n", "", 4),
        ("# ANCHOR: one\n", "", 5),
        ("x = 1\n", "", 4),
        ("# ANCHOR: later\n", "# ANCHOR: one\n", 17),
        ("# ANCHOR_END: later\n", "# ANCHOR_END: one\n", 19),
        (": later\n", ": one\n", 17),
    ] {
        let wrong = PYTHON.replace(from, to);
        assert_ne!(wrong, PYTHON);
        let place = format!("a.py:{line}: ");
        expect(
            with_parts(&wrong, RUST).load(),
            &place,
            "the anchor `one` holds nothing, or does not open and \
             close exactly once",
        );
    }
}

#[test]
fn ten_thousand_fences_are_read() {
    let text = "```text\nx\n```\n\n".repeat(10_000);
    assert_eq!(kinds(&text).len(), 10_000);
    let bad = "```rs\nx\n```\n\n".repeat(10_000);
    assert_eq!(page(&bad).expect_err("refused").len(), 10_000);
}

#[test]
fn the_books_of_the_wild_are_read() {
    let made = Made::new(&[
        ("book.toml", b"[book]\nsrc = \"docs/text\"\n"),
        (
            "docs/text/SUMMARY.md",
            b"# Summary\n\n[Preface](preface.md)\n\n# Part\n\n\
              - [One](one/README.md)\n  - [Deep](one/deep/page.md)\n\
              - [Draft]()\n\n---\n\n[End](end.md)\n",
        ),
        ("docs/text/preface.md", b"{{#title Before}}\nHello.\n"),
        ("docs/text/one/README.md", rust(PROGRAM).as_bytes()),
        (
            "docs/text/one/deep/page.md",
            b"```rust\n{{#include ../../../../code/a.rs:2:4}}\n```\n",
        ),
        ("docs/text/end.md", b"Bye.\n"),
        ("code/a.rs", format!("// first\n{PROGRAM}\n").as_bytes()),
    ]);
    fs::remove_file(made.0.path().join("src/SUMMARY.md")).expect("removed");
    let book = made.load().unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!(book.pages.len(), 4);
    assert_eq!(book.blocks().count(), 2);
    assert_eq!(book.pages[1].file, Path::new("docs/text/one/README.md"));
}

#[test]
fn a_page_that_a_preprocessor_changes_is_refused() {
    // `links` switched off: mdBook shows the directive as it stands.
    let made = Made::new(&[
        ("book.toml", b"[build]\nuse-default-preprocessors = false\n"),
        ("src/page.md", b"# A\n\n```rust\n{{#include ../a.rs}}\n```\n"),
        ("a.rs", PROGRAM.as_bytes()),
    ]);
    expect(
        made.load(),
        "src/page.md",
        "a preprocessor changes what this page shows",
    );
}

#[test]
fn a_timeline_is_the_file_of_a_program_on_its_page() {
    let svg = "<figure class=\"timeline\">\n<svg>\n</svg>\n</figure>\n";
    let program = format!("// ANCHOR: all\n{PROGRAM}\n// ANCHOR_END: all\n");
    let shown = "```rust\n{{#include sum.rs:all}}\n```\n";
    let made = |text: &str| {
        Made::new(&[
            ("src/page.md", text.as_bytes()),
            ("src/sum.rs", program.as_bytes()),
            ("src/sum.svg", svg.as_bytes()),
            ("src/sum.part.svg", svg.as_bytes()),
        ])
    };
    let good = format!(
        "{shown}\n{{{{#include sum.svg}}}}\n\n{{{{#include sum.part.svg}}}}\n"
    );
    let book = made(&good).load().unwrap_or_else(|p| panic!("{p:#?}"));
    let files: Vec<_> =
        book.pages[0].pictures.iter().map(|p| p.file.clone()).collect();
    assert_eq!(
        files,
        [Path::new("src/sum.svg"), Path::new("src/sum.part.svg")]
    );
    assert_eq!(book.pages[0].pictures[0].text, svg);

    // Its text could be code.
    let other = made(&good);
    other.write("src/other.svg", svg.as_bytes());
    expect(
        other.load(),
        "src/other.svg",
        "mdBook publishes this file as it is, unchecked",
    );
    let of_none = format!("{shown}\n{{{{#include other.svg}}}}\n");
    let of_none = made(&of_none);
    of_none.write("src/other.svg", svg.as_bytes());
    expect(
        of_none.load(),
        "src/page.md:5",
        "src/other.svg is drawn from no program of this page",
    );
    // What stands beside the file would be drawn, and never checked.
    for beside in [
        format!("{shown}\n<p>so</p>\n{{{{#include sum.svg}}}}\n"),
        format!("{shown}\n{{{{#include sum.svg}}}}<p>so</p>\n"),
        format!("{shown}\n{{{{#include sum.svg:1:2}}}}\n"),
        format!("{shown}\n> {{{{#include sum.svg}}}}\n"),
        format!("{shown}\n{svg}"),
        format!("{shown}\nso {{{{#include sum.svg}}}}\n"),
    ] {
        let got = made(&beside).load();
        let problems = got.err().unwrap_or_else(|| panic!("passes: {beside}"));
        let refused = |p: &String| {
            p.contains("raw <svg>") || p.contains("this is not all of")
        };
        assert!(problems.iter().any(refused), "{beside}: {problems:#?}");
    }
    // After a blank line the figure has ended.
    let book = made(&good);
    let longer = format!("{svg}\n<script>alert(1)</script>\n");
    book.write("src/sum.svg", longer.as_bytes());
    expect(
        book.load(),
        "src/page.md:",
        "raw <script> may show code that nothing ran",
    );
    // And one that no page shows is an orphan.
    let orphan = made(&good);
    orphan.write(
        "book.toml",
        b"[book]\ntitle = \"A book\"\n[preprocessor.skeptic]\n\
        renderers = []\nsnippets = \"more\"\n",
    );
    orphan.write("more/sum.svg", svg.as_bytes());
    expect(orphan.load(), "more/sum.svg", "no page shows this file");
}

#[test]
fn a_plot_is_shapes_and_text_from_its_folder() {
    let plot = "<figure class=\"plot\">\n<svg role=\"img\"><title>a</title>\
        <text>9</text></svg>\n</figure>\n";
    let settings = "[preprocessor.skeptic]\nrenderers = []\nplots = \"p\"\n";
    let made = |folder: &str, plot: &str| {
        Made::new(&[
            ("book.toml", settings.as_bytes()),
            ("p/other", b""),
            (
                "src/page.md",
                format!("{{{{#include ../{folder}/a.svg}}}}\n").as_bytes(),
            ),
            (&format!("{folder}/a.svg"), plot.as_bytes()),
        ])
    };
    let book = made("p", plot).load().unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!(book.pages[0].plots[0].text, plot);
    assert_eq!(book.pages[0].plots[0].file, Path::new("p/a.svg"));
    assert!(book.pages[0].pictures.is_empty());

    expect(
        made("q", plot).load(),
        "src/page.md:1",
        "q/a.svg is drawn from no program of this page",
    );
    for (other, what) in [
        ("pre", "raw <pre> may show code that nothing ran"),
        ("foreignObject", "raw <foreignobject> may show code that nothing ran"),
        (
            "text style=\"x\"",
            "<text> with these attributes may pass for a block of code",
        ),
    ] {
        let plot = plot.replace("<text>", &format!("<{other}>"));
        expect(made("p", &plot).load(), "p/a.svg: ", what);
    }
}

#[test]
fn what_has_passed_has_passed_with_every_file_of_the_guard() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = build::SOURCES.map(|folder| build::name(&package.join(folder)));
    let all: String = all.into_iter().map(|n| n.expect("a folder")).collect();
    assert_eq!(all, env!("MDBOOK_SKEPTIC_SOURCES"));
    let sources = package.join("src");
    let name = build::name(&sources).expect("the guard");

    let copy = TempDir::new().expect("a temporary folder");
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(&sources).into_iter().flatten() {
        let below = entry.path().strip_prefix(&sources).expect("below");
        let file = copy.path().join(below);
        if entry.file_type().is_dir() {
            fs::create_dir_all(file).expect("a folder");
        } else {
            fs::copy(entry.path(), &file).expect("a copy");
            files.push(file);
        }
    }
    assert!(files.iter().any(|file| file.ends_with("run/watchdog.rs")));
    let mut names = BTreeSet::from([name]);
    for file in files {
        fs::write(&file, "").expect("a file of ours");
        let name = build::name(copy.path()).expect("a copy of the guard");
        assert!(names.insert(name), "{} is forgotten", file.display());
    }
}

/// A page whose first program has a part to keep, with this in it.
fn with_keep(rust: &str, python: &str, commands: &str) -> Made {
    let rust = format!(
        "// ANCHOR: all\n// ANCHOR: keep\nfn f() -> u32 {{\n    {rust}\n}}\n\
         // ANCHOR_END: keep\n\nfn main() {{\n    // ANCHOR: call\n    \
         let two = f();\n    // ANCHOR_END: call\n    assert_eq!(two, 2);\n}}\n\
         // ANCHOR_END: all\n"
    );
    let python = format!(
        "# ANCHOR: keep\ndef f():\n    {python}\n# ANCHOR_END: keep\n\n\
         assert f() == 2\n"
    );
    let page = format!(
        "# Page\n\n```python\n{{{{#include ../code/f.py:keep}}}}\n```\n\n\
         ```rust\n{{{{#rustdoc_include ../code/f.rs:keep}}}}\n```\n\n{commands}"
    );
    Made::new(&[
        ("code/f.rs", rust.as_bytes()),
        ("code/f.py", python.as_bytes()),
        ("src/page.md", page.as_bytes()),
    ])
}

const OF_TESTS: &str = "the part to keep holds an assertion, a panic, a paused \
    clock or a seed";

#[test]
fn the_part_to_keep_holds_nothing_of_a_test() {
    let commands = "```sh\ncargo add\n```\n";
    let made = with_keep("2", "return 2", commands);
    let book = made.load().expect("it is in order");
    let keep = book.pages[0].keep.as_ref().expect("a part to keep");
    assert_eq!(keep.rust, ["fn f() -> u32 {\n    2\n}\n"]);
    assert_eq!(keep.python, ["def f():\n    return 2\n"]);
    assert_eq!((keep.line, keep.commands.as_str()), (11, "cargo add\n"));
    assert!(keep.calls.is_empty(), "it is not shown");
    let call = "```rust\n{{#rustdoc_include ../code/f.rs:call}}\n```\n";
    let made = with_keep("2", "return 2", &format!("{call}\n{commands}"));
    let book = made.load().expect("it is in order");
    let keep = book.pages[0].keep.as_ref().expect("a part to keep");
    assert_eq!(keep.calls, ["    let two = f();\n"]);
    for line in [
        "assert!(true);",
        "debug_assert_eq!(1, 1);",
        "#[tokio::main(start_paused = true)]",
        "use tokio::time::{Duration, pause};",
        "use tokio::time::{\n    Duration,\n    advance as move_on,\n};",
        "panic!();",
        "let random = fastrand::seed;",
        "tokio::time::advance(x);",
        "fastrand::seed(7);",
        "StdRng::seed_from_u64(7);",
    ] {
        expect(
            with_keep(&format!("{line} 2"), "return 2", commands).load(),
            "src/page.md:7",
            OF_TESTS,
        );
    }
    for line in [
        "assert True",
        "if True: assert False",
        "raise AssertionError",
        "random.seed(7)",
        "random.Random(7)",
    ] {
        expect(
            with_keep("2", line, commands).load(),
            "src/page.md:3",
            OF_TESTS,
        );
    }
}

#[test]
fn the_part_to_keep_is_short_and_says_what_it_needs() {
    let commands = "```sh\ncargo add\n```\n";
    expect(
        with_keep(&"2;\n".repeat(68), "return 2", commands).load(),
        "src/page.md:7",
        "the part to keep has 71 lines",
    );
    for commands in ["".to_owned(), commands.repeat(2)] {
        expect(
            with_keep("2", "return 2", &commands).load(),
            "src/page.md:7",
            "the part to keep has no `cargo add` lines, or two blocks of them",
        );
    }
    let made = with_keep("2", "return 2", commands);
    let page = fs::read_to_string(made.0.path().join("src/page.md"));
    let whole = page.expect("a page").replace("f.py:keep", "f.py");
    made.write("src/page.md", whole.as_bytes());
    expect(
        made.load(),
        "src/page.md:3",
        "the part to keep is shown in Rust, and not in Python",
    );
}

#[test]
fn an_anchor_has_a_line_of_its_own() {
    let program = |line: &str| {
        format!("// ANCHOR: all\n{PROGRAM}\n{line}\n// ANCHOR_END: all\n")
    };
    let page = "# Page\n\n```rust\n{{#rustdoc_include ../a.rs:all}}\n```\n";
    for line in ["fn f() {} // ANCHOR: x", "// ANCHOR: x, and more"] {
        let made = Made::new(&[
            ("src/page.md", page.as_bytes()),
            ("a.rs", program(line).as_bytes()),
        ]);
        expect(
            made.load(),
            "src/page.md:4",
            &format!(
                "`{{{{#rustdoc_include ../a.rs:all}}}}`: mdBook takes out all of \
                 a line with an anchor, and this one holds more: {line}"
            ),
        );
    }
}
