//! A page as mdBook renders it: its blocks, and where each stands in the source.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mdbook_markdown::pulldown_cmark::{
    CodeBlockKind, Event, HeadingLevel, Tag, TagEnd,
};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};
use regex::Regex;

use crate::about::About;
use crate::fence::{self, Kind};
use crate::parts::Part;
use crate::problem::Problem;
use crate::{disguise, include};

/// A page of the book.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// Its source, relative to the book's root: `book/chapter/page.md`.
    pub file: PathBuf,
    /// Its path in `SUMMARY.md`: `chapter/page.md`.
    pub path: PathBuf,
    /// Its name in `SUMMARY.md`.
    pub title: String,
    /// The names of the chapters above it, outermost first.
    pub parents: Vec<String>,
    /// What it says of itself.
    pub about: About,
    /// Every fenced block that it shows, in order.
    pub blocks: Vec<Block>,
    /// Every timeline that it shows, in order.
    pub pictures: Vec<Picture>,
    /// Every figure from the folder that `book.toml` names as `plots`. What
    /// compares them with what was measured is the book's own test.
    pub plots: Vec<Picture>,
    /// What corresponds in its Python and its Rust program; none where
    /// `book.toml` asks for no `parts`.
    pub parts: Vec<Part>,
}

/// A figure that a page includes: a timeline, drawn from the run of a program,
/// or a plot.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Picture {
    /// The line of the page's source that includes it, from 1.
    pub line: usize,
    /// Its file, relative to the book's root.
    pub file: PathBuf,
    /// Its HTML.
    pub text: String,
}

/// A fenced block as the reader sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Block {
    /// What it is, and so what checks it.
    pub kind: Kind,
    /// The line of the fence in the page's source, from 1.
    pub line: usize,
    /// The nearest heading above it; empty where there is none.
    pub heading: String,
    /// All of its text. Of a Rust block also the lines that mdBook hides.
    pub text: String,
    /// The files whose text it includes, relative to the book's root.
    pub files: Vec<PathBuf>,
}

impl Block {
    /// The file a block shows, where it shows exactly one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self.files.as_slice() {
            [file] => Some(file),
            _ => None,
        }
    }

    /// The program whose run a `console` block shows: `NAME` of its first
    /// line, `$ cargo run --example NAME`.
    #[must_use]
    pub fn example(&self) -> Option<&str> {
        self.command()?.strip_prefix("cargo run --example ")
    }

    /// The test target whose run a `console` block shows: `NAME` of its first
    /// line, `$ cargo test --test NAME`.
    #[must_use]
    pub fn test(&self) -> Option<&str> {
        self.command()?.strip_prefix("cargo test --test ")
    }

    fn command(&self) -> Option<&str> {
        if self.kind != Kind::Console {
            return None;
        }
        self.text.lines().next()?.strip_prefix("$ ")
    }
}

/// A stretch of the expanded text and the source line that it came from.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Copied from the source, starting at this line.
    Source { range: Range<usize>, line: usize },
    /// Brought in by a directive on this line.
    Included { range: Range<usize>, line: usize, files: Vec<PathBuf> },
}

impl Piece {
    fn range(&self) -> &Range<usize> {
        match self {
            Piece::Source { range, .. } | Piece::Included { range, .. } => {
                range
            }
        }
    }
}

/// The expanded text of a page with its way back to the source.
pub(crate) struct Expanded<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    newlines: Vec<usize>,
}

impl<'a> Expanded<'a> {
    pub(crate) fn new(text: &'a str, pieces: Vec<Piece>) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at).collect();
        Expanded { text, pieces, newlines }
    }

    /// How many lines end before this place.
    fn lines_before(&self, offset: usize) -> usize {
        self.newlines.partition_point(|at| *at < offset)
    }

    /// The line of the source, from 1, that this place comes from.
    pub(crate) fn line(&self, offset: usize) -> usize {
        let piece = self
            .pieces
            .iter()
            .rev()
            .find(|piece| piece.range().start <= offset);
        match piece {
            Some(Piece::Source { range, line }) => {
                line + self.lines_before(offset)
                    - self.lines_before(range.start)
            }
            Some(Piece::Included { line, .. }) => *line,
            None => 1,
        }
    }

    /// Whether a fence that includes a file shows nothing besides.
    fn shows_one_file_alone(&self, range: &Range<usize>) -> bool {
        let mut included = 0;
        let mut own = String::new();
        for piece in &self.pieces {
            let at = piece.range();
            let (start, end) =
                (at.start.max(range.start), at.end.min(range.end));
            if start >= end {
                continue;
            }
            match piece {
                Piece::Source { .. } => own.push_str(&self.text[start..end]),
                Piece::Included { files, .. } if !files.is_empty() => {
                    included += 1;
                }
                Piece::Included { .. } => own.push_str(&self.text[start..end]),
            }
        }
        let marks = |c: char| c.is_whitespace() || c == '>';
        let lines = own.lines().map(|line| line.trim_matches(marks));
        // The fence, and the fence's end.
        let own = lines.filter(|line| !line.is_empty()).count();
        included == 0 || (included == 1 && own <= 2)
    }

    /// The SVG file that a block of HTML includes, if that is all of both.
    fn picture(&self, range: &Range<usize>) -> Option<&Path> {
        let block = self.text[range.clone()].trim_end();
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Included { range: at, files, .. }
                if at.start == range.start
                    && self.text[at.clone()].trim_end() == block =>
            {
                let file = files.first().map(PathBuf::as_path)?;
                (file.extension()? == "svg").then_some(file)
            }
            _ => None,
        })
    }

    fn files(&self, range: &Range<usize>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for piece in &self.pieces {
            if let Piece::Included { range: at, files: of, .. } = piece
                && at.start < range.end
                && range.start < at.end
            {
                // The first is the one named; the rest it includes itself.
                files.extend(of.first().cloned());
            }
        }
        files
    }
}

/// A piece of raw HTML or inline code that may hide a block of code.
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?s)<\s*/?\s*([a-zA-Z][a-zA-Z0-9:-]*)((?:"[^"]*"|'[^']*'|[^'">])*)"#,
    )
    .expect("a valid pattern")
});
static COMMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?s)<!--.*?-->").expect("a valid pattern"));
static STYLED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix) (^|[\s"'/]) (style|srcdoc|on[a-z]+) \s* = | ^/.
        | class \s* = [^>]* (language-|playground|hljs) | javascript: | data:
        | \bhidden\b | &"#,
    )
    .expect("a valid pattern")
});

/// Elements that can show no code that a fence could not.
const HTML: [&str; 43] = [
    "a",
    "abbr",
    "b",
    "br",
    "caption",
    "cite",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "mark",
    "ol",
    "p",
    "picture",
    "q",
    "section",
    "small",
    "source",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// Finds the blocks of a page, and what is wrong with how they are shown.
pub(crate) fn read(
    file: &Path,
    expanded: &Expanded,
    options: &MarkdownOptions,
    problems: &mut Vec<Problem>,
) -> (Vec<Block>, Vec<Picture>) {
    let mut blocks = Vec::new();
    let mut pictures = Vec::new();
    let mut heading = String::new();
    let mut in_heading = false;
    let mut code: Option<(Range<usize>, String, String)> = None;
    let mut html: Option<(Range<usize>, String)> = None;

    let mut report = |at: usize, what: String, help: String| {
        problems.push(Problem::new(file, expanded.line(at), what, help));
    };
    let parser = new_cmark_parser(expanded.text, options);
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                if !classes.is_empty() || !attrs.is_empty() {
                    report(
                        range.start,
                        "a heading with these attributes may pass for code"
                            .into(),
                        "keep its #id alone".into(),
                    );
                }
                in_heading = level <= HeadingLevel::H3;
                if in_heading {
                    heading.clear();
                }
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => report(
                range.start,
                "an indented code block has no checker".into(),
                "use a fence, or indent the text less".into(),
            ),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                code = Some((range, info.to_string(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => {
                let Some((range, info, text)) = code.take() else { continue };
                let line = expanded.line(range.start);
                let at = range.start;
                if !closed(&expanded.text[range.clone()]) {
                    report(
                        at,
                        "this fence is never closed".into(),
                        "end it with as many marks as it begins with".into(),
                    );
                    continue;
                }
                match fence::parse(&info) {
                    Err((what, help)) => report(at, what, help),
                    Ok(kind) => {
                        // Of an output, `pairs` says more.
                        if kind != Kind::Console
                            && !expanded.shows_one_file_alone(&range)
                        {
                            report(
                                at,
                                "this block shows a file and more: what runs \
                                 is the file"
                                    .into(),
                                "include it alone, or move the rest into it"
                                    .into(),
                            );
                        }
                        if kind.is_rust()
                            && let Some(what) =
                                disguise::swallowed(&lines_of(&text))
                        {
                            report(
                                at,
                                what,
                                "show code that the compiler sees as code"
                                    .into(),
                            );
                        }
                        if let Some(mark) = invisible(&text) {
                            report(
                                at,
                                format!("this block has an invisible {mark:?}"),
                                "remove it, or write it as an escape".into(),
                            );
                        }
                        let files = expanded.files(&range);
                        let block = Block {
                            text: plain(&kind, &text),
                            kind,
                            line,
                            heading: heading.clone(),
                            files,
                        };
                        // A compiler's message shows lines of its program.
                        let message = block.kind == Kind::Text
                            && blocks.last().is_some_and(|last: &Block| {
                                matches!(last.kind, Kind::CompileFail(_))
                            });
                        if !message {
                            for (what, help) in disguise::in_block(&block) {
                                report(at, what, help);
                            }
                        }
                        let shown = if block.kind.is_rust() {
                            shown(&text)
                        } else {
                            text
                        };
                        // `bless` fills in a message.
                        if shown.trim().is_empty() && !message {
                            report(
                                at,
                                "this block shows nothing".into(),
                                "show a line of it, or remove it".into(),
                            );
                        }
                        if shown.lines().any(include::is_anchor) {
                            report(
                                at,
                                "this block shows an ANCHOR comment".into(),
                                "put the whole file between `ANCHOR: all` and \
                                 `ANCHOR_END: all`, and include `:all`"
                                    .into(),
                            );
                        }
                        blocks.push(block);
                    }
                }
            }
            Event::Start(Tag::Image { dest_url, .. })
                if dest_url.contains("//") =>
            {
                report(
                    range.start,
                    "a picture from elsewhere may show anything".into(),
                    "keep it beside the page".into(),
                );
            }
            Event::Start(
                Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. },
            ) => {
                let scheme = dest_url.split(':').next().unwrap_or_default();
                let scheme = scheme.trim().to_ascii_lowercase();
                if ["data", "javascript", "vbscript"].contains(&scheme.as_str())
                {
                    report(
                        range.start,
                        format!(
                            "a {scheme}: link may show code that nothing ran"
                        ),
                        "link to a page or a file".into(),
                    );
                }
            }
            Event::Start(Tag::HtmlBlock) => {
                html = Some((range, String::new()));
            }
            Event::End(TagEnd::HtmlBlock) => {
                let Some((range, text)) = html.take() else { continue };
                if let Some(file) = expanded.picture(&range) {
                    let line = expanded.line(range.start);
                    let file = file.to_owned();
                    pictures.push(Picture { line, file, text });
                } else if let Some(what) = raw_html(&text) {
                    report(range.start, what, FENCE_IT.into());
                }
            }
            Event::Html(text) => match &mut html {
                Some((_, block)) => block.push_str(&text),
                None => {
                    if let Some(what) = raw_html(&text) {
                        report(range.start, what, FENCE_IT.into());
                    }
                }
            },
            Event::InlineHtml(text) => {
                if let Some(what) = raw_html(&text) {
                    report(range.start, what, FENCE_IT.into());
                }
            }
            Event::Code(text) => {
                if in_heading {
                    heading.push_str(&text);
                }
                let source = &expanded.text[range.clone()];
                if source.starts_with("```") || disguise::is_program(&text) {
                    report(
                        range.start,
                        "a program between backticks in a line is not run"
                            .into(),
                        FENCE_IT.into(),
                    );
                }
            }
            Event::Text(text) => {
                if let Some((_, _, block)) = &mut code {
                    block.push_str(&text);
                } else if in_heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    (blocks, pictures)
}

const FENCE_IT: &str = "put code between ``` fences, where it is checked";

/// A character that a reader does not see and a compiler may.
fn invisible(text: &str) -> Option<char> {
    text.replace("\r\n", "\n").chars().find(|c| {
        matches!(c,
            '\0' | '\r' | '\u{c}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{3164}' | '\u{feff}')
    })
}

/// Whether a fence's last line closes it, rather than the page's end.
fn closed(block: &str) -> bool {
    let mark = |line: &str| {
        let line = line.trim_matches([' ', '\t', '>', '\r', '\n']);
        let line = line.trim_start_matches(|c: char| {
            c != '`' && c != '~' // a list's marker stands before the first
        });
        let mark = line.chars().next().unwrap_or(' ');
        (mark, line.chars().take_while(|c| *c == mark).count(), line.len())
    };
    let mut lines = block.trim_end().lines();
    let (first, opened, _) = mark(lines.next().unwrap_or_default());
    let (last, count, length) = mark(lines.next_back().unwrap_or_default());
    first == last && count >= opened && count == length
}

/// What is wrong with raw HTML, if anything.
fn raw_html(html: &str) -> Option<String> {
    raw(html, &[])
}

/// What is wrong with a figure that nothing here has drawn.
pub(crate) fn raw_svg(figure: &str) -> Option<String> {
    raw(figure, &["svg", "title", "g", "text", "rect", "line"])
}

fn raw(html: &str, also: &[&str]) -> Option<String> {
    // HTML ends a comment here, Markdown and the pattern below do not.
    if ["<!-->", "<!--->", "--!>"].iter().any(|end| html.contains(end)) {
        return Some("a comment that ends early may show what is in it".into());
    }
    let rest = COMMENT.replace_all(html, "");
    if rest.contains("<!--") {
        return Some(
            "a comment that does not end here hides what follows".into(),
        );
    }
    for tag in TAG.captures_iter(html) {
        if tag[2].contains("<!--") {
            return Some("a comment in an attribute may show code".into());
        }
    }
    for tag in TAG.captures_iter(&rest) {
        let name = tag[1].to_ascii_lowercase();
        let name = name.as_str();
        if !HTML.contains(&name) && !also.contains(&name) {
            return Some(format!(
                "raw <{name}> may show code that nothing ran"
            ));
        }
        if STYLED.is_match(&tag[2]) {
            return Some(format!(
                "<{name}> with these attributes may pass for a block of code"
            ));
        }
    }
    None
}

/// The text that is compiled, run or compared.
fn plain(kind: &Kind, text: &str) -> String {
    if kind.is_rust() {
        text.lines().map(|line| unhide(line).0 + "\n").collect()
    } else {
        text.replace("\r\n", "\n")
    }
}

/// The lines of a Rust block as they are compiled, and whether each is hidden.
fn lines_of(text: &str) -> Vec<(String, bool)> {
    text.lines().map(unhide).collect()
}

fn shown(text: &str) -> String {
    lines_of(text)
        .into_iter()
        .filter(|(_, hidden)| !hidden)
        .map(|(line, _)| line + "\n")
        .collect()
}

/// A line of a Rust block without mdBook's mark for hidden lines, and whether
/// it is hidden (`hide_lines_rust` of `mdbook-html` 0.5): `#` alone or before
/// a space hides, `##` shows a `#`.
fn unhide(line: &str) -> (String, bool) {
    let code = line.trim_start();
    let indent = &line[..line.len() - code.len()];
    match code.strip_prefix('#') {
        Some("") => (indent.to_owned(), true),
        Some(rest) if rest.starts_with(' ') => {
            (format!("{indent}{}", &rest[1..]), true)
        }
        Some(rest) if rest.starts_with('#') => {
            (format!("{indent}{rest}"), false)
        }
        _ => (line.to_owned(), false),
    }
}
