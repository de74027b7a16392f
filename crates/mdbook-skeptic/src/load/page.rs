//! A page as mdBook renders it: its blocks, and what is wrong with how they are
//! shown.

use std::ops::Range;
use std::path::Path;

use mdbook_markdown::pulldown_cmark::{
    CodeBlockKind, Event, HeadingLevel, Tag, TagEnd,
};
use mdbook_markdown::{MarkdownOptions, new_cmark_parser};

use super::fence;
use super::source::Expanded;
use crate::anchor::is_anchor;
use crate::lint::{disguise, html};
use crate::model::{Block, Kind, Picture};
use crate::problem::{Fault, Problem, Rule};

/// Finds the blocks of a page and the pictures that it includes, and what is
/// wrong with how they are shown.
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
    let mut code: Option<Fence> = None;
    let mut raw: Option<(Range<usize>, String)> = None;

    let mut report = |at: usize, fault: Fault| {
        problems.push(fault.at(file, expanded.line(at)));
    };
    let parser = new_cmark_parser(expanded.text, options);
    for (event, range) in parser.into_offset_iter() {
        let at = range.start;
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                if !classes.is_empty() || !attrs.is_empty() {
                    report(
                        at,
                        markup(
                            "a heading with these attributes may pass for code",
                            "keep its #id alone",
                        ),
                    );
                }
                in_heading = level <= HeadingLevel::H3;
                if in_heading {
                    heading.clear();
                }
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                report(
                    at,
                    Fault::new(
                        Rule::Fence,
                        "an indented code block has no checker",
                        "use a fence, or indent the text less",
                    ),
                );
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let (info, text) = (info.to_string(), String::new());
                code = Some(Fence { range, info, text });
            }
            Event::End(TagEnd::CodeBlock) => {
                let Some(fence) = code.take() else { continue };
                let at = fence.range.start;
                match fence.block(expanded, &heading) {
                    Err(fault) => report(at, fault),
                    Ok(block) => {
                        let faults =
                            fence.faults(expanded, &block, blocks.last());
                        faults.into_iter().for_each(|f| report(at, f));
                        blocks.push(block);
                    }
                }
            }
            Event::Start(Tag::Image { dest_url, .. })
                if dest_url.contains("//") =>
            {
                report(
                    at,
                    markup(
                        "a picture from elsewhere may show anything",
                        "keep it beside the page",
                    ),
                );
            }
            Event::Start(
                Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. },
            ) => {
                let scheme = dest_url.split(':').next().unwrap_or_default();
                let scheme = scheme.trim().to_ascii_lowercase();
                if ["data", "javascript", "vbscript"].contains(&scheme.as_str())
                {
                    let what = format!(
                        "a {scheme}: link may show code that nothing ran"
                    );
                    report(at, markup(what, "link to a page or a file"));
                }
            }
            Event::Start(Tag::HtmlBlock) => raw = Some((range, String::new())),
            Event::End(TagEnd::HtmlBlock) => {
                let Some((range, text)) = raw.take() else { continue };
                let at = range.start;
                if let Some(file) = expanded.picture(&range) {
                    let (line, file) = (expanded.line(at), file.to_owned());
                    pictures.push(Picture { line, file, text });
                } else if let Some(fault) = html::in_page(&text) {
                    report(at, fault);
                }
            }
            Event::Html(text) if raw.is_some() => {
                raw.iter_mut().for_each(|(_, block)| block.push_str(&text));
            }
            Event::Html(text) | Event::InlineHtml(text) => {
                if let Some(fault) = html::in_page(&text) {
                    report(at, fault);
                }
            }
            Event::Code(text) => {
                if in_heading {
                    heading.push_str(&text);
                }
                let source = &expanded.text[range];
                if source.starts_with("```") || disguise::is_program(&text) {
                    report(
                        at,
                        markup(
                            "a program between backticks in a line is not run",
                            "put code between ``` fences, where it is checked",
                        ),
                    );
                }
            }
            Event::Text(text) => {
                if let Some(fence) = &mut code {
                    fence.text.push_str(&text);
                } else if in_heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    (blocks, pictures)
}

fn markup(what: impl Into<String>, help: &str) -> Fault {
    Fault::new(Rule::Markup, what, help)
}

/// A fenced block as it stands in the expanded text.
struct Fence {
    range: Range<usize>,
    info: String,
    /// Without mdBook's marks taken off.
    text: String,
}

impl Fence {
    fn block(
        &self,
        expanded: &Expanded,
        heading: &str,
    ) -> Result<Block, Fault> {
        if !closed(&expanded.text[self.range.clone()]) {
            return Err(Fault::new(
                Rule::Fence,
                "this fence is never closed",
                "end it with as many marks as it begins with",
            ));
        }
        let kind = fence::parse(&self.info)?;
        let is_rust = kind.is_rust();
        Ok(Block {
            text: plain(&kind, &self.text),
            shown: if is_rust { shown(&self.text) } else { self.text.clone() },
            kind,
            line: expanded.line(self.range.start),
            heading: heading.to_owned(),
            files: expanded.files(&self.range),
        })
    }

    /// What is wrong with a block alone, and with `last` above it.
    fn faults(
        &self,
        expanded: &Expanded,
        block: &Block,
        last: Option<&Block>,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |what: &str, help: &str| {
            faults.push(Fault::new(Rule::Compiled, what, help));
        };
        let is_rust = block.kind.is_rust();
        // Of an output, `pairs` says more.
        if block.kind != Kind::Console
            && !expanded.shows_one_file_alone(&self.range)
        {
            fault(
                "this block shows a file and more: what runs is the file",
                "include it alone, or move the rest into it",
            );
        }
        if is_rust && disguise::swallows(&lines_of(&self.text)) {
            fault(
                "hidden lines make a comment, a string or a macro's words of \
                 what is shown",
                "show code that the compiler sees as code",
            );
        }
        if let Some(mark) = invisible(&self.text) {
            fault(
                &format!("this block has an invisible {mark:?}"),
                "remove it, or write it as an escape",
            );
        }
        let shown = &block.shown;
        // A compiler's message shows lines of its program, and `bless` writes
        // it.
        let is_message =
            block.kind == Kind::Text && last.is_some_and(Block::fails);
        if shown.trim().is_empty() && !is_message {
            fault(
                "this block shows nothing",
                "show a line of it, or remove it",
            );
        }
        if shown.lines().any(is_anchor) {
            fault(
                "this block shows an ANCHOR comment",
                "put the whole file between `ANCHOR: all` and \
                 `ANCHOR_END: all`, and include `:all`",
            );
        }
        if !is_message {
            faults.extend(disguise::in_block(block));
        }
        faults
    }
}

/// A character that a reader does not see and a compiler may.
pub(crate) fn invisible(text: &str) -> Option<char> {
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

/// The text that is compiled, run or compared.
fn plain(kind: &Kind, text: &str) -> String {
    if kind.is_rust() {
        text.lines().map(|line| unhide(line).0 + "\n").collect()
    } else {
        text.to_owned()
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
