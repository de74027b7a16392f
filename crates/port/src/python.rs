//! What one Python file imports, uses and is made of, from its syntax tree.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::{Node, Parser, Tree};

/// What a file has. Lines are counted from 1.
#[derive(Debug, Default)]
pub struct Source {
    pub lines: usize,
    /// What a name of the file stands for: a module, or a name in one.
    pub imports: BTreeMap<String, Import>,
    /// The modules of `from module import *`.
    pub stars: Vec<Import>,
    /// Where a name that is imported is used, with its attributes: the lines.
    pub uses: BTreeMap<String, Vec<usize>>,
    pub constructs: BTreeMap<Construct, Vec<usize>>,
    /// The first line that is no Python.
    pub fault: Option<usize>,
}

/// The target of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The dots of a relative import; 0 for an absolute one.
    pub level: usize,
    /// A dotted name, empty for `from . import *`.
    pub name: String,
}

/// Syntax that has no name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Construct {
    AsyncDef,
    Await,
    AsyncWith,
    AsyncFor,
    AsyncComprehension,
    AsyncGenerator,
    Route,
    AsyncFixture,
}

impl Construct {
    /// As Python has it.
    pub fn text(self) -> &'static str {
        match self {
            Self::AsyncDef => "async def",
            Self::Await => "await",
            Self::AsyncWith => "async with",
            Self::AsyncFor => "async for",
            Self::AsyncComprehension => "async comprehension",
            Self::AsyncGenerator => "async generator",
            Self::Route => "route decorator",
            Self::AsyncFixture => "async fixture",
        }
    }

    /// Its name in the dictionary.
    pub fn name(self) -> String {
        format!("<{}>", self.text())
    }
}

/// The methods of a router that take the function below them.
const ROUTES: [&str; 9] = [
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "websocket",
    "api_route",
];

/// Reads files, one after the other.
pub struct Reader(Parser);

impl Reader {
    pub fn new() -> Reader {
        let mut parser = Parser::new();
        parser
            .set_language(&tree_sitter_python::LANGUAGE.into())
            .expect("the grammar is of this tree-sitter's version");
        Reader(parser)
    }

    pub fn read(&mut self, text: &str) -> Source {
        let tree = self.0.parse(text, None);
        let tree = tree.expect("a language is set, and nothing cancels");
        let mut walk = Walk::new(text);
        walk.tree(&tree);
        walk.source()
    }
}

/// A function, or the file.
#[derive(Default)]
struct Scope {
    outer: Option<usize>,
    line: usize,
    is_async: bool,
    is_generator: bool,
    /// Its parameters and variables, which hide what is imported.
    bound: BTreeSet<String>,
}

struct Walk<'t> {
    text: &'t str,
    source: Source,
    scopes: Vec<Scope>,
    /// The scope, the dotted name, the line.
    uses: Vec<(usize, String, usize)>,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Walk<'t> {
        let source =
            Source { lines: text.lines().count(), ..Source::default() };
        let (scopes, uses) = (vec![Scope::default()], Vec::new());
        Walk { text, source, scopes, uses }
    }

    /// Visits each node. Not by recursion: a file may be nested deeply.
    fn tree(&mut self, tree: &Tree) {
        if tree.root_node().has_error() {
            self.source.fault = first_error(tree).map(line);
        }
        let mut cursor = tree.walk();
        let mut scope = 0;
        // To ask a node for its parent takes a search from the root.
        let mut parents = Vec::new();
        loop {
            let node = cursor.node();
            let parent = parents.last().copied().unwrap_or_default();
            let is_label = is_label(parent, cursor.field_name());
            // `await` is the name of a keyword, too.
            let (inner, goes_in) = match node.is_named() && !is_label {
                true => self.enter(node, scope),
                false => (scope, false),
            };
            if goes_in && cursor.goto_first_child() {
                parents.push(node.kind());
                scope = inner;
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                parents.pop();
                if is_function(cursor.node()) {
                    scope = self.scopes[scope].outer.unwrap_or(0);
                }
            }
        }
    }

    /// The scope of a node's children, and whether to look at them.
    fn enter(&mut self, node: Node, scope: usize) -> (usize, bool) {
        match node.kind() {
            "import_statement" => self.import(node),
            "import_from_statement" => self.import_from(node),
            "attribute" | "identifier" => {
                return (scope, self.name(node, scope));
            }
            "function_definition" | "lambda" => {
                return (self.function(node, scope), true);
            }
            "with_statement" if is_async(node) => {
                self.construct(Construct::AsyncWith, node);
            }
            "for_statement" => {
                if is_async(node) {
                    self.construct(Construct::AsyncFor, node);
                }
                self.bind(node.child_by_field_name("left"), scope);
            }
            "for_in_clause" if is_async(node) => {
                self.construct(Construct::AsyncComprehension, node);
            }
            "await" => self.construct(Construct::Await, node),
            "yield" => self.scopes[scope].is_generator = true,
            "assignment" => self.bind(node.child_by_field_name("left"), scope),
            "named_expression" => {
                self.bind(node.child_by_field_name("name"), scope);
            }
            "as_pattern_target" => self.bind(Some(node), scope),
            "decorated_definition" => self.decorated(node),
            _ => {}
        }
        let is_import = node.kind().starts_with("import");
        (scope, !is_import)
    }

    fn construct(&mut self, construct: Construct, node: Node) {
        self.source.constructs.entry(construct).or_default().push(line(node));
    }

    fn text(&self, node: Node) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// `import a.b`, `import a.b as c`
    fn import(&mut self, node: Node) {
        let mut cursor = node.walk();
        for name in node.children_by_field_name("name", &mut cursor) {
            let (alias, target) = self.alias(name);
            let target = match alias {
                Some(_) => target,
                // `import a.b` binds `a`.
                None => target.split('.').next().unwrap_or(target),
            };
            let import = Import { level: 0, name: target.into() };
            let alias = alias.unwrap_or(target).to_owned();
            self.source.imports.insert(alias, import);
        }
    }

    /// `from a import b`, `from ..a import b as c`, `from a import *`
    fn import_from(&mut self, node: Node) {
        let Some(module) = node.child_by_field_name("module_name") else {
            return;
        };
        let text = self.text(module).replace(char::is_whitespace, "");
        let module = text.trim_start_matches('.');
        let level = text.len() - module.len();
        let mut cursor = node.walk();
        if node.children(&mut cursor).any(|it| it.kind() == "wildcard_import") {
            self.source.stars.push(Import { level, name: module.into() });
        }
        for name in node.children_by_field_name("name", &mut cursor) {
            let (alias, target) = self.alias(name);
            let dot = if module.is_empty() { "" } else { "." };
            let import =
                Import { level, name: format!("{module}{dot}{target}") };
            let alias = alias.unwrap_or(target).to_owned();
            self.source.imports.insert(alias, import);
        }
    }

    /// `name`, `name as alias`
    fn alias(&self, node: Node) -> (Option<&'t str>, &'t str) {
        let field =
            |name| node.child_by_field_name(name).map(|it| self.text(it));
        match (field("alias"), field("name")) {
            (alias, Some(name)) => (alias, name),
            _ => (None, self.text(node)),
        }
    }

    /// Notes a dotted name; whether there is something else in it.
    fn name(&mut self, node: Node, scope: usize) -> bool {
        let mut root = node;
        while root.kind() == "attribute" {
            let Some(object) = root.child_by_field_name("object") else {
                return true;
            };
            root = object;
        }
        if root.kind() != "identifier" {
            return true;
        }
        let text = self.text(node);
        let name: String = text.split_whitespace().collect();
        self.uses.push((scope, name, line(node)));
        false
    }

    /// The scope of a function that begins here.
    fn function(&mut self, node: Node, outer: usize) -> usize {
        let is_async = is_async(node);
        if is_async {
            self.construct(Construct::AsyncDef, node);
        }
        self.scopes.push(Scope {
            outer: Some(outer),
            line: line(node),
            is_async,
            ..Scope::default()
        });
        let scope = self.scopes.len() - 1;
        if let Some(parameters) = node.child_by_field_name("parameters") {
            let mut cursor = parameters.walk();
            for parameter in parameters.named_children(&mut cursor) {
                let name = parameter.child_by_field_name("name");
                self.bind(name.or(parameter.named_child(0)), scope);
                self.bind(Some(parameter), scope);
            }
        }
        scope
    }

    /// The names of a pattern: `a`, `a, (b, c)`.
    fn bind(&mut self, pattern: Option<Node>, scope: usize) {
        let mut patterns: Vec<_> = pattern.into_iter().collect();
        while let Some(pattern) = patterns.pop() {
            match pattern.kind() {
                "identifier" => {
                    let name = self.text(pattern).to_owned();
                    self.scopes[scope].bound.insert(name);
                }
                "pattern_list"
                | "tuple_pattern"
                | "list_pattern"
                | "list_splat_pattern"
                | "dictionary_splat_pattern"
                | "as_pattern_target" => {
                    let mut cursor = pattern.walk();
                    patterns.extend(pattern.named_children(&mut cursor));
                }
                _ => {}
            }
        }
    }

    fn decorated(&mut self, node: Node) {
        let Some(definition) = node.child_by_field_name("definition") else {
            return;
        };
        let mut cursor = node.walk();
        for decorator in node.children(&mut cursor) {
            let Some(called) = decorator.named_child(0) else { continue };
            let call = called.child_by_field_name("function");
            let name = self.text(call.unwrap_or(called));
            let Some((_, last)) = name.rsplit_once('.') else { continue };
            if decorator.kind() != "decorator" {
                continue;
            }
            if call.is_some() && ROUTES.contains(&last) {
                self.construct(Construct::Route, decorator);
            } else if last == "fixture" && is_async(definition) {
                self.construct(Construct::AsyncFixture, decorator);
            }
        }
    }

    /// Leaves out the names that are not imported, and those of variables.
    fn source(mut self) -> Source {
        for scope in &self.scopes {
            if scope.is_async && scope.is_generator {
                let lines =
                    self.source.constructs.entry(Construct::AsyncGenerator);
                lines.or_default().push(scope.line);
            }
        }
        let has_stars = !self.source.stars.is_empty();
        for (scope, name, line) in self.uses {
            let root = name.split('.').next().unwrap_or(&name);
            if !has_stars && !self.source.imports.contains_key(root) {
                continue;
            }
            let mut scopes = Some(scope);
            let is_variable = loop {
                match scopes.map(|scope| &self.scopes[scope]) {
                    // In the file itself: `try: import x`, `except: x = None`.
                    None | Some(Scope { outer: None, .. }) => break false,
                    Some(scope) if scope.bound.contains(root) => break true,
                    Some(scope) => scopes = scope.outer,
                }
            };
            if !is_variable {
                self.source.uses.entry(name).or_default().push(line);
            }
        }
        self.source
    }
}

/// Whether a part of a node is a name that it gives to something.
fn is_label(parent: &str, field: Option<&str>) -> bool {
    match parent {
        "keyword_argument"
        | "function_definition"
        | "class_definition"
        | "default_parameter"
        | "typed_default_parameter" => field == Some("name"),
        "attribute" => field == Some("attribute"),
        _ => false,
    }
}

fn is_function(node: Node) -> bool {
    matches!(node.kind(), "function_definition" | "lambda")
}

/// Whether a statement begins with `async`.
fn is_async(node: Node) -> bool {
    node.child(0).is_some_and(|first| first.kind() == "async")
}

fn line(node: Node) -> usize {
    node.start_position().row + 1
}

fn first_error(tree: &Tree) -> Option<Node<'_>> {
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            return Some(node);
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}
