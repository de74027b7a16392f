//! The crates that programs may name, and those that one does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};
use toml::{Table, Value};

/// The crates that there are, as Cargo.toml and Cargo.lock have them.
#[derive(Debug)]
pub(crate) struct Known {
    /// Those that a program may name, with the locked version.
    direct: BTreeMap<String, String>,
    /// All others, as a program would name them.
    others: BTreeSet<String>,
}

impl Known {
    pub(crate) fn read(root: &Path) -> Result<Known, String> {
        let read = |name: &str| {
            let text = fs::read_to_string(root.join(name))
                .map_err(|error| format!("cannot read {name}: {error}"))?;
            text.parse::<Table>()
                .map_err(|error| format!("{name}: {}", error.message()))
        };
        let (manifest, lock) = (read("Cargo.toml")?, read("Cargo.lock")?);
        let packages = lock.get("package").and_then(Value::as_array);
        let packages = packages.ok_or("Cargo.lock lists no package")?;
        let direct = direct(&manifest, packages)?;
        let others = indirect(packages, &direct);
        Ok(Known { direct, others })
    }

    /// The locked version of a crate that a program may name.
    pub(crate) fn version(&self, name: &str) -> &str {
        self.direct.get(name).map_or("", String::as_str)
    }

    /// Those that a program names.
    pub(crate) fn named(
        &self,
        program: &str,
    ) -> Result<BTreeMap<String, String>, String> {
        let tokens = TokenStream::from_str(program)
            .map_err(|error| format!("cannot read the program: {error}"))?;
        let (mut words, mut used) = (BTreeSet::new(), BTreeSet::new());
        brought_in(tokens.clone(), false, &mut used);
        first_words(tokens, &mut words);
        let unknown = |word: &&String| {
            self.others.contains(*word) && !used.contains(*word)
        };
        if let Some(word) = words.iter().find(unknown) {
            return Err(format!(
                "a program names `{word}`, which is locked for another \
                 crate's sake alone\nhelp: add it to \
                 [workspace.dependencies] of the Cargo.toml beside book.toml, \
                 and run `cargo bless`"
            ));
        }
        let known = self.direct.iter();
        let named = known.filter(|(n, _)| words.contains(&n.replace('-', "_")));
        Ok(named.map(|(name, of)| (name.clone(), of.clone())).collect())
    }
}

/// A program without its comments; lines stay where they are.
pub(crate) fn without_comments(program: &str) -> Result<String, String> {
    fn ranges(
        program: &str,
        tokens: TokenStream,
        found: &mut Vec<Range<usize>>,
    ) {
        for token in tokens {
            let range = token.span().byte_range();
            // The tokens of `/// text` stand for all of it.
            if program[range.clone()].starts_with(['/']) && range.len() > 1 {
                continue;
            }
            let TokenTree::Group(group) = token else {
                found.push(range);
                continue;
            };
            found.push(group.span_open().byte_range());
            ranges(program, group.stream(), found);
            found.push(group.span_close().byte_range());
        }
    }
    let tokens = TokenStream::from_str(program)
        .map_err(|error| format!("cannot read the program: {error}"))?;
    let mut of_tokens = Vec::new();
    ranges(program, tokens, &mut of_tokens);
    let mut code = String::new();
    let mut end = 0;
    let blank = |text: &str| text.replace(|c: char| !c.is_whitespace(), "");
    for range in of_tokens {
        code += &blank(&program[end..range.start]);
        code += &program[range.clone()];
        end = range.end;
    }
    Ok(code + &blank(&program[end..]))
}

/// The first word of every path: `tokio` in `tokio::time::sleep`.
fn first_words(tokens: TokenStream, words: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let colons = |at: usize| {
        let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
        colon(tokens.get(at)) && colon(tokens.get(at + 1))
    };
    for (index, token) in tokens.iter().enumerate() {
        match token {
            // `use axum::{http::StatusCode, Json};` names axum alone.
            TokenTree::Group(_) if index > 1 && colons(index - 2) => {}
            TokenTree::Group(group) => first_words(group.stream(), words),
            TokenTree::Ident(name)
                if colons(index + 1) && (index < 2 || !colons(index - 2)) =>
            {
                words.insert(name.to_string());
            }
            // `use tokio as rt;`, `extern crate tokio;`
            TokenTree::Ident(name)
                if index > 0
                    && ["use", "crate"].iter().any(|word| {
                        matches!(&tokens[index - 1],
                            TokenTree::Ident(before) if before == word)
                    }) =>
            {
                words.insert(name.to_string());
            }
            _ => {}
        }
    }
}

/// The names that a program's `use` brings in: `time` in `use tokio::time;`.
fn brought_in(
    tokens: TokenStream,
    mut in_use: bool,
    names: &mut BTreeSet<String>,
) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let in_braces = in_use;
    let is_end = |token: Option<&TokenTree>| match token {
        None => true,
        Some(TokenTree::Punct(mark)) => matches!(mark.as_char(), ',' | ';'),
        Some(_) => false,
    };
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => {
                brought_in(group.stream(), in_use, names);
            }
            TokenTree::Punct(mark) if mark.as_char() == ';' => in_use = false,
            TokenTree::Ident(word) if word == "use" => {
                in_use = true;
                // `use tokio;` names the crate itself.
                if !in_braces && is_end(tokens.get(index + 2)) {
                    in_use = false;
                }
            }
            TokenTree::Ident(name)
                if in_use && is_end(tokens.get(index + 1)) =>
            {
                names.insert(name.to_string());
            }
            _ => {}
        }
    }
}

/// The crates in Cargo.lock, as a program names them, that are not in the
/// workspace's table, nor its own packages.
fn indirect(
    packages: &[Value],
    direct: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let known = ["std", "core", "alloc", "crate", "self", "super"];
    packages
        .iter()
        .filter(|package| package.get("source").is_some())
        .map(|package| of(package, "name"))
        .filter(|name| !direct.contains_key(*name) && !known.contains(name))
        .map(|name| name.replace('-', "_"))
        .collect()
}

fn of<'p>(package: &'p Value, key: &str) -> &'p str {
    package.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The crates that programs may name, [workspace.dependencies] of the
/// manifest, and their locked versions.
fn direct(
    manifest: &Table,
    packages: &[Value],
) -> Result<BTreeMap<String, String>, String> {
    let table = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table)
        .ok_or("Cargo.toml has no table [workspace.dependencies]")?;
    // A package of the workspace lists `name version` where several versions
    // are locked.
    let of_members: Vec<&str> = packages
        .iter()
        .filter(|package| package.get("source").is_none())
        .filter_map(|package| package.get("dependencies")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let version = |name: &str| {
        let listed = of_members.iter().find_map(|line| {
            let (of, version) = line.split_once(' ')?;
            (of == name).then_some(version)
        });
        let only = || packages.iter().find(|p| of(p, "name") == name);
        listed.or_else(|| only().map(|package| of(package, "version")))
    };
    // One that no manifest names yet is not locked, and has no version.
    let of_table = |name: &String| {
        (name.clone(), version(name).unwrap_or_default().to_owned())
    };
    Ok(table.keys().map(of_table).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_brings_its_last_names_in() {
        let program = "use time;\nuse tokio::{net, sync::mpsc, time as clock};
            use tokio::task;\nfn f() { let used = a::b; }";
        let tokens = TokenStream::from_str(program).expect("it is Rust");
        let mut names = BTreeSet::new();
        brought_in(tokens, false, &mut names);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, ["clock", "mpsc", "net", "task"]);
    }

    #[test]
    fn comments_are_no_code() {
        let program = "//! a::b\nuse c; // d::e\n/// f::g\nfn h() {\n    \
                       i(\"// j\"); /* k::l */ m.n()\n}\n";
        let code = without_comments(program).expect("it is Rust");
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        let expected =
            ["", "use c;", "", "fn h() {", "i(\"// j\");    m.n()", "}"];
        assert_eq!(lines, expected);
    }
}
