//! Code in a block that nothing runs.

use std::str::FromStr;
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use regex::RegexSet;

use crate::model::{Block, Kind};
use crate::problem::{Fault, Rule};

/// Lines that are Rust whatever the fence says.
static RUST: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        r"\bfn\s+[a-z_]\w*\s*[<(]",
        r"\blet\s+(mut\s+)?[a-z_(]\w*.*[=;]",
        r"\b\w+!\s*[(\[{]",
        r"#!?\[\w",
        r"^\s*(pub\s+)?use\s+\w+(::|;)",
        r"\bimpl\b.*\{",
        r"\.await\b",
        r"\bmatch\s+.+\{\s*$",
        r"\basync\s+(move\s*)?[{|]",
        r"\w::\w+(::<.*>)?\(",
        r"->.*\{\s*$",
        r"^\s*(pub\s+)?(struct|enum|trait|mod)\s+\w+.*[{;(]",
        r"^\s*(for|while|loop|if)\b.*\{\s*$",
        r"\w\(.*\)\??;\s*$",
        r"\bself\.\w+",
        r"=>\s*\S+.*,\s*$",
        r"^\s*pub\s+\w+:",
        r"\|\w+\|\s*\S",
        r"^\s*\.\w+\(",
    ])
    .expect("valid patterns")
});

/// Lines that are Python.
static PYTHON: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        r"^\s*(async\s+)?def\s+\w+\s*\(",
        r"^\s*(import\s+\w+|from\s+[\w.]+\s+import\b)",
        r"^\s*(async\s+)?(with|for|while|if|class)\b.*:\s*$",
        r"\bawait\s+\w+[.(]",
        r"\bprint\(.*\)\s*$",
        r"(^|[^\w-])asyncio\.\w+",
        r"^\s*(try|else|finally):\s*$",
        r"^\s*except\b.*:\s*$",
        r"^\s*@\w+",
        r"^\s*\w+\s*(\+|-|\*)?=\s*\w+(\.\w+)?\s*$",
        r"^\s*\w+\s*=\s*\w+\(.*\)\s*$",
    ])
    .expect("valid patterns")
});

/// Lines of a terminal's, of SQL and of TOML: a command, a panic, a compiler's
/// message, a table.
static OUTPUT: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new([
        r"^\s*(\$|>>>|#>) ",
        r"^\s*([A-Z_]+=\S+\s+)*(cargo|rustc|rustup|pip|python3?|git|docker|npm|curl) [a-z-]",
        r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE)\b",
        r"panicked at",
        r"^Traceback",
        r"^(error|warning)(\[|:)",
        r"^\[[\w.-]+\]$",
        r#"^[\w-]+\s*=\s*[\{\["]"#,
    ])
    .expect("valid patterns")
});

pub(crate) fn code_in(text: &str) -> Option<&'static str> {
    if text.lines().any(|line| RUST.is_match(line)) {
        return Some("rust");
    }
    let items = syn::parse_file(text).is_ok_and(|file| !file.items.is_empty());
    if items {
        return Some("rust");
    }
    if text.lines().any(|line| PYTHON.is_match(line)) {
        return Some("python");
    }
    None
}

/// Whether lines that are shown are no code to the compiler: the hidden lines
/// around them make them a comment, a string, or words of a macro.
pub(crate) fn swallows(lines: &[(String, bool)]) -> bool {
    const MARK: &str = "__mdbook_skeptic_shown";
    if lines.iter().all(|(_, hidden)| !hidden) {
        return false;
    }
    let mut marked = String::new();
    let (mut marks, mut before) = (0, true);
    for (line, hidden) in lines {
        if !hidden && before && !line.trim().is_empty() {
            marked.push_str(MARK);
            marked.push(' ');
            marks += 1;
        }
        before = *hidden || before && line.trim().is_empty();
        marked.push_str(line);
        marked.push('\n');
    }
    // What does not lex does not compile.
    let Ok(tokens) = TokenStream::from_str(&marked) else { return false };
    let (code, quoted) = count(tokens, MARK, false, &mut Vec::new());
    code < marks || quoted > 0
}

/// How often a word stands as code, and how often among a macro's words:
/// `stringify!`, or a macro that the program defines itself.
fn count(
    tokens: TokenStream,
    word: &str,
    quoted: bool,
    defined: &mut Vec<String>,
) -> (usize, usize) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut code, mut in_macros) = (0, 0);
    for (index, token) in tokens.iter().enumerate() {
        let name = |at: Option<usize>| match at.and_then(|at| tokens.get(at)) {
            Some(TokenTree::Ident(name)) => name.to_string(),
            _ => String::new(),
        };
        let bang = |at: Option<usize>| {
            matches!(at.and_then(|at| tokens.get(at)),
                Some(TokenTree::Punct(p)) if p.as_char() == '!')
        };
        match token {
            TokenTree::Ident(ident) if ident == word => {
                if quoted {
                    in_macros += 1;
                } else {
                    code += 1;
                }
            }
            TokenTree::Ident(ident)
                if ident == "macro_rules" && bang(Some(index + 1)) =>
            {
                defined.push(name(Some(index + 2)));
            }
            TokenTree::Group(group) => {
                let called = name(index.checked_sub(2));
                let of_macro = bang(index.checked_sub(1))
                    && (["stringify", "concat"].contains(&called.as_str())
                        || defined.contains(&called));
                let quoted = quoted || of_macro;
                let (c, m) = count(group.stream(), word, quoted, defined);
                code += c;
                in_macros += m;
            }
            _ => {}
        }
    }
    (code, in_macros)
}

/// Whether inline code is a program, not a name or a call.
pub(crate) fn is_program(inline: &str) -> bool {
    let long = inline.len() > 100 && inline.contains(char::is_whitespace);
    inline.contains("fn main(") || long
}

/// What is wrong with a block by its text alone.
pub(crate) fn in_block(block: &Block) -> Vec<Fault> {
    match &block.kind {
        Kind::Rust | Kind::Test => program(block),
        Kind::CompileFail(_) => {
            let mut faults = program(block);
            faults.retain(|fault| fault.rule == Rule::Compiled);
            faults
        }
        Kind::Text => in_data(block),
        Kind::Toml => dependencies(block),
        Kind::Console | Kind::Python | Kind::Shell | Kind::Sql => Vec::new(),
    }
}

fn in_data(block: &Block) -> Vec<Fault> {
    if let Some(line) = block.text.lines().find(|line| OUTPUT.is_match(line)) {
        return vec![Fault::new(
            Rule::Disguise,
            format!(
                "this ```text may be a command, a table or an output that \
                 nothing checks: {line}"
            ),
            "tag it ```sh, ```toml or ```console, or show it after its program",
        )];
    }
    match code_in(&block.text) {
        Some(language) => vec![Fault::new(
            Rule::Disguise,
            format!("this ```text is {language} in disguise"),
            format!("tag it ```{language}, and it will be run"),
        )],
        None => Vec::new(),
    }
}

fn dependencies(block: &Block) -> Vec<Fault> {
    match toml::Table::from_str(&block.text) {
        Err(error) => vec![Fault::new(
            Rule::Disguise,
            format!("this is no TOML: {}", error.message()),
            "correct it",
        )],
        Ok(table) if !table.contains_key("dependencies") => vec![Fault::new(
            Rule::Disguise,
            "no checker for TOML without a [dependencies] table",
            "show a recipe's [dependencies], or tag it ```text",
        )],
        Ok(_) => Vec::new(),
    }
}

/// What would let a Rust block show lines that never run.
fn program(block: &Block) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |rule, what: &str, help: &str| {
        faults.push(Fault::new(rule, what, help));
    };
    if block.text.contains("\"####") {
        fault(
            Rule::Program,
            "`\"####` ends the string in which skeptic keeps the program",
            "use fewer # for the raw string",
        );
    }
    if block.text.replace("\r\n", "").contains('\r') {
        fault(
            Rule::Program,
            "a bare carriage return would be lost on the way to the compiler",
            "write \\r in the string, or correct the line end",
        );
    }
    let is_test = block.kind == Kind::Test;
    if !is_test && !block.text.contains("fn main") {
        fault(
            Rule::Program,
            "this is not a whole program: it has no `fn main`",
            "show a fragment with {{#rustdoc_include file.rs:anchor}}, which \
             keeps the rest of the program as hidden lines",
        );
        return faults;
    }
    // What does not lex does not compile: skeptic says so better.
    let Ok(tokens) = TokenStream::from_str(&block.text) else {
        return faults;
    };
    let mut seen = Seen::default();
    seen.walk(tokens);
    if !seen.assertion {
        fault(
            Rule::Program,
            "this program asserts nothing",
            "assert what the page says of it",
        );
    }
    if let Some(attribute) = seen.conditional {
        fault(
            Rule::Compiled,
            &format!("`{attribute}` can hide lines from the compiler"),
            "show what is compiled; put other platforms on a page of their own",
        );
    }
    if let Some(reads) = seen.reads {
        fault(
            Rule::Program,
            &format!("`{reads}` reads a file that a reader does not have"),
            "write what is in it into the program",
        );
    }
    if let Some(lint) = seen.silenced {
        fault(
            Rule::Program,
            &format!("`{lint}` is silenced, so that lines need not run"),
            "use what is shown, or remove it",
        );
    }
    if is_test && (seen.ignored || !seen.test) {
        fault(
            Rule::Program,
            "a ```rust,test block without tests, or with an ignored one",
            "show tests, and have all of them run",
        );
    }
    if seen.test && !is_test {
        fault(
            Rule::Program,
            "a #[test] in a program is not run",
            "make the file a [[test]] target, and tag it ```rust,test",
        );
    }
    faults
}

#[derive(Default)]
struct Seen {
    assertion: bool,
    conditional: Option<String>,
    reads: Option<String>,
    silenced: Option<String>,
    test: bool,
    ignored: bool,
}

/// Macros that read a file when the program is compiled.
const READ: [&str; 3] = ["include", "include_bytes", "include_str"];

/// Whether a program's own macro of this name would change what it says.
fn shadows(name: &str) -> bool {
    const STD: &str = " bail dbg ensure eprint eprintln format matches panic \
        print println todo unreachable vec write writeln ";
    name.starts_with("assert") || STD.contains(&format!(" {name} "))
}

/// Lints that notice what is not run, besides `unreachable_…`.
const SILENT: &str = " warnings unused dead_code unused_macros \
    unused_macro_rules unused_variables unused_imports unused_assignments ";

impl Seen {
    fn walk(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.walk(group.stream()),
                TokenTree::Ident(name) => {
                    let bang = matches!(tokens.get(index + 1),
                        Some(TokenTree::Punct(p)) if p.as_char() == '!');
                    let name = name.to_string();
                    if bang && ["cfg", "cfg_select"].contains(&name.as_str()) {
                        self.conditional = Some(format!("{name}!"));
                    }
                    if bang && READ.contains(&name.as_str()) {
                        self.reads = Some(format!("{name}!"));
                    }
                    if name == "as"
                        && let Some(TokenTree::Ident(alias)) =
                            tokens.get(index + 1)
                        && shadows(&alias.to_string())
                    {
                        self.conditional = Some(format!("as {alias}"));
                    }
                    let defined = match tokens.get(index + 2) {
                        Some(TokenTree::Ident(macro_name)) => {
                            macro_name.to_string()
                        }
                        _ => String::new(),
                    };
                    if bang && name == "macro_rules" && shadows(&defined) {
                        self.conditional = Some(format!("{defined}!"));
                    }
                    if bang
                        && (name.starts_with("assert")
                            || matches!(
                                name.as_str(),
                                "ensure" | "bail" | "panic"
                            ))
                    {
                        self.assertion |= !always_true(tokens.get(index + 2));
                    }
                }
                TokenTree::Punct(p) if p.as_char() == '#' => {
                    let attribute = tokens[index + 1..]
                        .iter()
                        .take(2)
                        .find_map(|token| match token {
                            TokenTree::Group(group) => Some(group.stream()),
                            _ => None,
                        });
                    if let Some(attribute) = attribute {
                        self.attribute(attribute);
                    }
                }
                _ => {}
            }
        }
    }

    fn attribute(&mut self, tokens: TokenStream) {
        let text = tokens.to_string();
        // `cfg`, `r#cfg`, `core::prelude::v1::test`
        let path = text.split('(').next().unwrap_or_default();
        let path = path.split('=').next().unwrap_or_default();
        let last = path.rsplit("::").next().unwrap_or_default().trim();
        let name = last.trim_start_matches("r#");
        match name {
            "cfg" | "cfg_attr" => self.conditional = Some(text.clone()),
            "path" => self.reads = Some(text.clone()),
            _ if text.trim_start().starts_with("diagnostic") => {
                self.conditional = Some(text.clone());
            }
            "allow" | "expect" => {
                let silent = |lint: &&str| {
                    SILENT.contains(&format!(" {lint} "))
                        || name == "allow" && lint.starts_with("unused_")
                        || lint.starts_with("unreachable_")
                };
                let lint = text
                    .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .find(silent);
                if let Some(lint) = lint {
                    self.silenced = Some(lint.to_owned());
                }
            }
            "test" => self.test = true,
            "ignore" => self.ignored = true,
            _ => self.test |= text.replace(' ', "").starts_with("tokio::test"),
        }
    }
}

/// `assert!(true)` claims nothing.
fn always_true(arguments: Option<&TokenTree>) -> bool {
    matches!(arguments, Some(TokenTree::Group(group))
        if group.stream().to_string().split(',').next().map(str::trim) == Some("true"))
}
