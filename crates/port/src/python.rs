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
    /// Where what is imported is used, with its attributes: the lines.
    pub uses: BTreeMap<Import, Vec<usize>>,
    /// Where a name is used that a `from module import *` may bring in.
    pub bare: BTreeMap<String, Vec<usize>>,
    /// Each module that is named in an import, and each name that comes from
    /// one.
    pub targets: BTreeSet<Import>,
    pub constructs: BTreeMap<Construct, Vec<usize>>,
    /// The first line that is no Python.
    pub fault: Option<usize>,
}

/// The target of an import.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
const ROUTES: [&str; 10] = [
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "websocket",
    "api_route",
    "route",
];

/// Parts of a dotted name that can be in a dictionary, and a few more.
const PARTS: usize = 12;

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

/// A function, a class, or the file.
#[derive(Default)]
struct Scope {
    outer: Option<usize>,
    /// Its names are not those of the functions in it.
    is_class: bool,
    imports: BTreeMap<String, Import>,
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
    /// The functions that a decorator makes something else of: a context
    /// manager, a fixture.
    decorated: BTreeSet<usize>,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Walk<'t> {
        let source =
            Source { lines: text.lines().count(), ..Source::default() };
        let scopes = vec![Scope::default()];
        let (uses, decorated) = (Vec::new(), BTreeSet::new());
        Walk { text, source, scopes, uses, decorated }
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
            let parent = parents.last().map_or("", |(kind, _)| *kind);
            let field = cursor.field_name();
            // `await` is the name of a keyword, too.
            let is_name = !node.is_named() || is_label(parent, field, node);
            let (inner, goes_in) = match is_name {
                true => (scope, false),
                // A chain of attributes begins further out.
                false
                    if parent == "attribute" && node.kind() == "attribute" =>
                {
                    (scope, true)
                }
                false if is_of_outer(node.kind(), field) => {
                    (self.scopes[scope].outer.unwrap_or(0), true)
                }
                false => self.enter(node, scope),
            };
            if goes_in && cursor.goto_first_child() {
                parents.push((node.kind(), scope));
                scope = inner;
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                if let Some((_, outer)) = parents.pop() {
                    scope = outer;
                }
            }
        }
    }

    /// The scope of a node's children, and whether to look at them.
    fn enter(&mut self, node: Node, scope: usize) -> (usize, bool) {
        match node.kind() {
            "import_statement" => self.import(node, scope),
            "import_from_statement" => self.import_from(node, scope),
            "attribute" | "identifier" => {
                return (scope, self.name(node, scope));
            }
            "function_definition" | "lambda" => {
                self.bind(node.child_by_field_name("name"), scope);
                return (self.function(node, scope), true);
            }
            "class_definition" => {
                self.bind(node.child_by_field_name("name"), scope);
                let is_class = true;
                let outer = Some(scope);
                self.scopes.push(Scope { outer, is_class, ..Scope::default() });
                return (self.scopes.len() - 1, true);
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
    fn import(&mut self, node: Node, scope: usize) {
        let mut cursor = node.walk();
        for name in node.children_by_field_name("name", &mut cursor) {
            let (alias, target) = self.alias(name);
            self.source
                .targets
                .insert(Import { level: 0, name: target.into() });
            let target = match alias {
                Some(_) => target,
                // `import a.b` binds `a`.
                None => target.split('.').next().unwrap_or(target),
            };
            let import = Import { level: 0, name: target.into() };
            self.imported(alias.unwrap_or(target), import, scope);
        }
    }

    /// `from a import b`, `from ..a import b as c`, `from a import *`
    fn import_from(&mut self, node: Node, scope: usize) {
        let Some(module) = node.child_by_field_name("module_name") else {
            return;
        };
        let text = self.text(module).replace(char::is_whitespace, "");
        let module = text.trim_start_matches('.');
        let level = text.len() - module.len();
        let mut cursor = node.walk();
        if node.children(&mut cursor).any(|it| it.kind() == "wildcard_import") {
            let star = Import { level, name: module.into() };
            self.source.targets.insert(star.clone());
            self.source.stars.push(star);
        }
        for name in node.children_by_field_name("name", &mut cursor) {
            let (alias, target) = self.alias(name);
            let dot = if module.is_empty() { "" } else { "." };
            let name = format!("{module}{dot}{target}");
            let import = Import { level, name };
            self.source.targets.insert(import.clone());
            self.imported(alias.unwrap_or(target), import, scope);
        }
    }

    /// Of `try: from a import x`, `except: from b import x` the first counts.
    fn imported(&mut self, alias: &str, import: Import, scope: usize) {
        let imports = &mut self.scopes[scope].imports;
        imports.entry(alias.to_owned()).or_insert_with(|| import.clone());
        // Another module may import it from here.
        let imports = &mut self.source.imports;
        imports.entry(alias.to_owned()).or_insert(import);
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
        let mut parts = self.text(node).split('.').take(PARTS);
        let part = |part: &str| part.replace(|c: char| !is_word(c), "");
        let mut name = part(parts.next().unwrap_or_default());
        for next in parts {
            name += ".";
            name += &part(next);
        }
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
            is_async: is_async && !self.decorated.contains(&node.id()),
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
            if decorator.kind() != "decorator" {
                continue;
            }
            let call = called.child_by_field_name("function");
            let name = self.text(call.unwrap_or(called));
            let last = name.rsplit('.').next().unwrap_or(name);
            if matches!(last, "asynccontextmanager" | "fixture") {
                self.decorated.insert(definition.id());
            }
            if name != last && ROUTES.contains(&last) && self.has_path(called) {
                self.construct(Construct::Route, decorator);
            } else if last == "fixture" && is_async(definition) {
                self.construct(Construct::AsyncFixture, decorator);
            }
        }
    }

    /// Whether the first argument of a call is a path: `"/parcels"`, `""`.
    fn has_path(&self, call: Node) -> bool {
        let arguments = call.child_by_field_name("arguments");
        let first = arguments.and_then(|arguments| arguments.named_child(0));
        let text = first.map_or("", |first| self.text(first));
        let quoted = text.trim_start_matches(['r', 'f']);
        let path = quoted.trim_matches(['"', '\'']);
        path != quoted && (path.is_empty() || path.starts_with('/'))
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
        for (scope, name, line) in std::mem::take(&mut self.uses) {
            let (root, rest) = name.split_once('.').unwrap_or((&name, ""));
            let lines = match self.found(scope, root) {
                Some(Found::Import(import)) => {
                    let dot = if rest.is_empty() { "" } else { "." };
                    let name = format!("{}{dot}{rest}", import.name);
                    let level = import.level;
                    self.source.uses.entry(Import { level, name })
                }
                None if has_stars => {
                    self.source.bare.entry(name).or_default().push(line);
                    continue;
                }
                Some(Found::Variable) | None => continue,
            };
            lines.or_default().push(line);
        }
        self.source
    }

    /// What a name means in a scope.
    fn found(&self, scope: usize, name: &str) -> Option<Found> {
        let mut next = Some(scope);
        while let Some(at) = next {
            let here = &self.scopes[at];
            next = here.outer;
            if here.is_class && at != scope {
                continue;
            }
            if let Some(import) = here.imports.get(name) {
                return Some(Found::Import(import.clone()));
            }
            if here.bound.contains(name) && next.is_some() {
                return Some(Found::Variable);
            }
        }
        None
    }
}

/// What a name means.
enum Found {
    Import(Import),
    Variable,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a part of a function is evaluated outside of it: parameters with
/// their types and defaults, the type of the result.
fn is_of_outer(kind: &str, field: Option<&str>) -> bool {
    matches!(kind, "parameters" | "lambda_parameters")
        || field == Some("return_type")
}

/// Whether a part of a node is a name that it gives to something.
fn is_label(parent: &str, field: Option<&str>, node: Node) -> bool {
    match parent {
        "keyword_argument"
        | "function_definition"
        | "class_definition"
        | "default_parameter"
        | "typed_default_parameter" => field == Some("name"),
        "parameters"
        | "lambda_parameters"
        | "list_splat_pattern"
        | "dictionary_splat_pattern" => node.kind() == "identifier",
        "typed_parameter" => field != Some("type"),
        "attribute" => field == Some("attribute"),
        _ => false,
    }
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
