//! `toml`: a page's `[dependencies]` block.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use regex::Regex;
use toml::{Table, Value};

use super::crates;
use super::workspace::{Context, Workspace};

/// The block that the given programs need: every crate that they name, at its
/// locked version, with the features that they use.
pub(crate) fn block(
    context: &Context,
    programs: &[String],
) -> Result<String, String> {
    let mut block = "[dependencies]\n".to_owned();
    for (name, (version, features)) in needed(context, programs)? {
        let line = if features.is_empty() {
            format!("{name} = \"{version}\"")
        } else {
            let quoted = features.iter().map(|name| format!("\"{name}\""));
            let quoted: Vec<String> = quoted.collect();
            let start =
                format!("{name} = {{ version = \"{version}\", features = [");
            let line = format!("{start}{}] }}", quoted.join(", "));
            if line.len() <= COLUMNS { line } else { wrapped(start, &quoted) }
        };
        let _ = writeln!(block, "{line}");
    }
    Ok(block)
}

/// The `cargo add` lines of a package that has the given parts and what calls
/// them, in a `main` on tokio's runtime: versions up to the minor one.
pub(crate) fn commands(
    context: &Context,
    parts: &[String],
) -> Result<String, String> {
    const MAIN: &str = "#[tokio::main]\nasync fn main() {}\n";
    let mut plain = String::new();
    let mut others = String::new();
    let programs = [parts, &[MAIN.to_owned()]].concat();
    for (name, (version, features)) in needed(context, &programs)? {
        let minor = version.rsplit_once('.').map_or(&*version, |(v, _)| v);
        let _ = if features.is_empty() {
            write!(plain, " {name}@{minor}")
        } else {
            let features = features.join(",");
            writeln!(others, "cargo add {name}@{minor} --features {features}")
        };
    }
    let plain = if plain.is_empty() { plain } else { plain + "\n" };
    Ok(plain.replacen(' ', "cargo add ", 1) + &others)
}

/// The crates that programs name, each with its locked version and the features
/// that they use and that no other one brings along.
type Needed = BTreeMap<String, (String, Vec<String>)>;

fn needed(context: &Context, programs: &[String]) -> Result<Needed, String> {
    let Context { workspace, features, .. } = *context;
    let rules = rules(&workspace.root, features)?;
    let mut used: BTreeMap<String, (String, BTreeSet<String>)> =
        BTreeMap::new();
    for program in programs {
        let code = crates::without_comments(program)?;
        for (name, version) in workspace.named(program)? {
            let entry = used
                .entry(name.clone())
                .or_insert_with(|| (version, BTreeSet::new()));
            for (feature, patterns) in rules.get(&name).into_iter().flatten() {
                if patterns.iter().any(|pattern| pattern.is_match(&code)) {
                    entry.1.insert(feature.clone());
                }
            }
        }
    }
    let mut needed = Needed::new();
    for (name, (version, features)) in used {
        let implied = implied(workspace, &name, &features)?;
        let features = features.difference(&implied).cloned().collect();
        needed.insert(name, (version, features));
    }
    Ok(needed)
}

/// What a page shows without scrolling.
const COLUMNS: usize = 80;

/// The features on lines of their own, as TOML lets an array have them.
fn wrapped(start: String, features: &[String]) -> String {
    let mut lines = vec![start];
    for feature in features {
        let first = lines.len() == 1;
        match lines.last_mut() {
            Some(line)
                if !first && line.len() + feature.len() < COLUMNS - 1 =>
            {
                *line += &format!(" {feature},");
            }
            _ => lines.push(format!("    {feature},")),
        }
    }
    lines.join("\n") + "\n] }"
}

/// What a reader takes out when the program leaves the test. What it brings along
/// is needed without it too.
const FOR_TESTS: &str = "test-util";

/// The features of a crate that others of the given ones bring along: with
/// tokio's `rt-multi-thread`, `rt`.
fn implied(
    workspace: &Workspace,
    name: &str,
    features: &BTreeSet<String>,
) -> Result<BTreeSet<String>, String> {
    let known = workspace.features(name)?;
    let mut implied = BTreeSet::new();
    let mut pending: Vec<&String> = features
        .iter()
        .filter(|feature| *feature != FOR_TESTS)
        .filter_map(|feature| known.get(feature))
        .flatten()
        .collect();
    while let Some(feature) = pending.pop() {
        if implied.insert(feature.clone()) {
            pending.extend(known.get(feature).into_iter().flatten());
        }
    }
    match features.iter().find(|feature| !known.contains_key(*feature)) {
        Some(unknown) => Err(format!("{name} has no feature `{unknown}`")),
        None => Ok(implied),
    }
}

/// What use of a crate asks for which feature, from a file with a table per
/// crate, in it `feature = ["pattern", …]`.
type Rules = BTreeMap<String, Vec<(String, Vec<Regex>)>>;

fn rules(root: &Path, features: Option<&Path>) -> Result<Rules, String> {
    let Some(file) = features else { return Ok(Rules::new()) };
    let name = file.display();
    let text = fs::read_to_string(root.join(file))
        .map_err(|error| format!("cannot read {name}: {error}"))?;
    let table: Table = text
        .parse()
        .map_err(|e: toml::de::Error| format!("{name}: {}", e.message()))?;
    let mut rules = Rules::new();
    for (krate, features) in &table {
        let features = features
            .as_table()
            .ok_or_else(|| format!("{name}: [{krate}] is no table"))?;
        for (feature, patterns) in features {
            let patterns: Option<Vec<&str>> = patterns
                .as_array()
                .and_then(|list| list.iter().map(Value::as_str).collect());
            let patterns = patterns.ok_or_else(|| {
                format!("{name}: {krate}.{feature} is no list of patterns")
            })?;
            let patterns: Result<Vec<Regex>, _> =
                patterns.into_iter().map(Regex::new).collect();
            let patterns = patterns.map_err(|error| {
                format!("{name}: {krate}.{feature}: {error}")
            })?;
            rules
                .entry(krate.clone())
                .or_default()
                .push((feature.clone(), patterns));
        }
    }
    Ok(rules)
}
