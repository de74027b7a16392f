//! A fence's info string, and which checker it asks for.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::Kind;
use crate::problem::{Fault, Rule};

static CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^E\d{4}$").expect("a valid pattern"));
static LINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(clippy::)?[a-z][a-z_]+$").expect("a valid pattern")
});

const KNOWN: [&str; 7] =
    ["rust", "console", "python", "toml", "sh", "sql", "text"];

fn fault(what: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault::new(Rule::Fence, what, help)
}

/// Reads an info string.
///
/// Only one spelling of each is taken. mdBook, rustdoc and skeptic read the
/// others differently, and what one of them runs another may skip.
pub(crate) fn parse(info: &str) -> Result<Kind, Fault> {
    if info.trim().is_empty() {
        return Err(fault(
            "a fence without a language has no checker",
            "name one: ```text for what is no code",
        ));
    }
    let mut tags = info.split(',');
    let language = tags.next().unwrap_or_default();
    let tags: Vec<&str> = tags.collect();
    if language == "rust" {
        return rust(info, &tags);
    }
    let kind = match language {
        "console" => Kind::Console,
        "python" => Kind::Python,
        "toml" => Kind::Toml,
        "sh" => Kind::Shell,
        "text" => Kind::Text,
        "sql" => Kind::Sql,
        _ => {
            return Err(fault(
                format!("no checker for a fence tagged `{info}`"),
                match nearest(language) {
                    Some(known) => format!("write ```{known}"),
                    None => format!("use one of: {}", KNOWN.join(", ")),
                },
            ));
        }
    };
    if !tags.is_empty() {
        return Err(fault(
            format!("the tags of `{info}` mean nothing to a checker"),
            format!("write ```{language}"),
        ));
    }
    Ok(kind)
}

fn rust(info: &str, tags: &[&str]) -> Result<Kind, Fault> {
    match tags {
        [] => Ok(Kind::Rust),
        ["test"] => Ok(Kind::Test),
        ["compile_fail", expected]
            if CODE.is_match(expected) || LINT.is_match(expected) =>
        {
            Ok(Kind::CompileFail((*expected).to_owned()))
        }
        _ if tags.contains(&"compile_fail") => Err(fault(
            format!("`{info}` does not say which error"),
            "write ```rust,compile_fail,E0277 with the compiler's code, or \
             the name of a lint",
        )),
        _ if tags.iter().any(|t| matches!(*t, "ignore" | "no_run")) => {
            Err(fault(
                format!("`{info}` would be shown without being run"),
                "remove the tag and make the block a whole program; give it \
             its server or its file on this machine",
            ))
        }
        _ => Err(fault(
            format!("`{info}` is not a way to tag Rust here"),
            "write ```rust, ```rust,test or ```rust,compile_fail,E0277, \
             without spaces",
        )),
    }
}

fn nearest(language: &str) -> Option<&'static str> {
    let language = language.to_ascii_lowercase();
    let language = language.trim_matches(|c: char| !c.is_alphanumeric());
    match language.split(|c: char| !c.is_alphanumeric()).next()? {
        "rs" | "rust" => return Some("rust"),
        "py" | "python3" | "pycon" => return Some("python"),
        "bash" | "shell" | "zsh" => return Some("sh"),
        "txt" | "plain" | "plaintext" => return Some("text"),
        _ => {}
    }
    KNOWN
        .into_iter()
        .find(|known| strsim::damerau_levenshtein(known, language) == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_spelling_of_each() {
        for (info, kind) in [
            ("rust", Kind::Rust),
            ("rust,test", Kind::Test),
            ("rust,compile_fail,E0277", Kind::CompileFail("E0277".to_owned())),
            (
                "rust,compile_fail,clippy::await_holding_lock",
                Kind::CompileFail("clippy::await_holding_lock".to_owned()),
            ),
            ("console", Kind::Console),
            ("python", Kind::Python),
            ("toml", Kind::Toml),
            ("sh", Kind::Shell),
            ("sql", Kind::Sql),
            ("text", Kind::Text),
        ] {
            assert_eq!(parse(info), Ok(kind), "{info}");
        }
    }

    #[test]
    fn every_other_spelling_is_refused_with_a_mend() {
        let infos = "| |rs|Rust|RUST|rust,should_panic|rust | rust|rust, |\
            rust ignore|rust,ignore|ignore,rust|rust,no_run|rust,Ignore|\
            no_run|ignore|rust,should_panic,ignore|rust,compile_fail|\
            rust,compile_fail,E277|compile_fail|\
            rust,compile_fail,E0277,ignore|should_panic,rust|\
            rust,edition2021|rust,noplayground|rust,editable|\
            rust,skt-template|rust,skeptic-template|skeptic-template|\
            {.rust}|.rust|rust {ignore}|rust\tignore|rust;ignore|\
            rust#ignore|c|js|py|bash|text,rust|text rust|python,skip|\
            console,ignore|language-rust|rustc|тext|json";
        for info in infos.split('|') {
            assert_eq!(parse(info).expect_err(info).rule, Rule::Fence);
        }
        assert_eq!(parse("rs").unwrap_err().help, "write ```rust");
        assert_eq!(parse("pyton").unwrap_err().help, "write ```python");
    }
}
