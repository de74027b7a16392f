//! The guard's modules use each other in one direction: whoever reads what one
//! of them uses never comes back to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules that each one's paths `crate::…` and `super::…` lead to. Tests
/// within a module do not count.
fn graph(sources: &BTreeMap<String, String>) -> Graph {
    let path = r"\b(crate|super)::((?:\w+::)*)(?:(\w+)|\{([^;]*)\};)";
    let path = Regex::new(path);
    let path = path.expect("a valid pattern");
    let uses = |(name, text): (&String, &String)| {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split("//").next());
        let text = lines.collect::<Vec<_>>().join("\n");
        let parent = name.rsplit_once("::").map_or("", |(parent, _)| parent);
        let mut used = BTreeSet::new();
        for found in path.captures_iter(&text) {
            let member = found.get(3).or(found.get(4)).map(|it| it.as_str());
            let group = member.unwrap_or_default();
            assert!(!group.contains('{'), "{name}: a group in a group");
            let members = group.split(',').map(str::trim);
            for member in members.filter(|member| !member.is_empty()) {
                let start = if &found[1] == "crate" { "" } else { parent };
                let whole = format!("{start}::{}{member}", &found[2]);
                let mut module = whole.trim_start_matches("::");
                while !sources.contains_key(module) {
                    let shorter = module.rsplit_once("::");
                    module = shorter
                        .unwrap_or_else(|| {
                            panic!("{name}: `{whole}` names no module")
                        })
                        .0;
                }
                used.insert(module.to_owned());
            }
        }
        (name.clone(), used)
    };
    sources.iter().map(uses).collect()
}

/// Takes away modules that use none of the rest, again and again: what is left
/// uses each other, or what does.
fn cycles(mut graph: Graph) -> Graph {
    loop {
        let left: BTreeSet<String> = graph.keys().cloned().collect();
        graph.retain(|_, uses| !uses.is_disjoint(&left));
        if graph.len() == left.len() {
            return graph;
        }
    }
}

#[test]
fn no_module_comes_back_to_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let declares = Regex::new(r"(?m)^\s*(pub.* )?mod \w+;$").expect("valid");
    let mut sources = BTreeMap::new();
    for file in walkdir::WalkDir::new(&folder).into_iter().flatten() {
        let below = file.path().strip_prefix(&folder).expect("below");
        let name = below.with_extension("").display().to_string();
        if file.file_type().is_file() && !["lib", "main"].contains(&&*name) {
            let text = fs::read_to_string(file.path()).expect("a source");
            assert!(!declares.is_match(&text), "{name}: lib.rs has the tree");
            sources.insert(name.replace('/', "::"), text);
        }
    }
    let graph = graph(&sources);
    assert!(graph["load::book"].contains("lint::pairs"), "{graph:#?}");
    let cycles = cycles(graph);
    assert!(cycles.is_empty(), "these use each other: {cycles:#?}");
}

#[test]
fn a_cycle_is_found() {
    for (a, b, uses) in [
        ("use crate::f::b::B;", "use super::a;", true),
        ("use crate::f::{b, c};", "fn x() { crate::f::a::y() }", true),
        ("use super::{b::B, c};", "use super::{\n    a, c,\n};", true),
        ("use super::{b::B, c};", "use super::c::{self, D};", false),
        ("use super::b;", "#[cfg(test)]\nuse super::a;", false),
    ] {
        let sources = [("f::a", a), ("f::b", b), ("f::c", "")];
        let sources = sources.map(|(n, text)| (n.to_owned(), text.to_owned()));
        let found = cycles(graph(&BTreeMap::from(sources)));
        assert_eq!(!found.is_empty(), uses, "{a} {b}");
    }
}
