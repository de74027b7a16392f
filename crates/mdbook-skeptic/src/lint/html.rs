//! Raw HTML that may show code.

use std::sync::LazyLock;

use regex::Regex;

use crate::problem::{Fault, Rule};

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
const HTML: &str = " a abbr b br caption cite dd del details div dl dt em \
    figcaption figure h1 h2 h3 hr i img ins li mark ol p picture q section \
    small source span strong sub summary sup table tbody td th thead tr ul ";

/// What a figure has besides.
const SVG: &str = " svg title g text rect line ";

/// What is wrong with raw HTML, if anything.
pub(crate) fn in_page(html: &str) -> Option<Fault> {
    let help = "put code between ``` fences, where it is checked";
    Some(Fault::new(Rule::Markup, raw(html, "")?, help))
}

/// What is wrong with a figure that nothing here has drawn.
pub(crate) fn in_figure(figure: &str) -> Option<Fault> {
    let help = "draw it of shapes and text alone";
    Some(Fault::new(Rule::Markup, raw(figure, SVG)?, help))
}

fn raw(html: &str, also: &str) -> Option<String> {
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
        let word = format!(" {name} ");
        if !HTML.contains(&word) && !also.contains(&word) {
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
