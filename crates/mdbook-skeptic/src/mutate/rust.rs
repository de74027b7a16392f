//! Small changes of Rust code.

use std::ops::Range;

use proc_macro2::Span;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Attribute, Expr, Pat, Stmt, Token};

/// One small change of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// In the program, from 1.
    pub line: usize,
    /// What it is, for a person.
    pub what: String,
    /// The whole program with the change in it.
    pub text: String,
}

/// Every change of the lines `part` of a program, from 0: a call of a method
/// chain, a statement, an operand of `&&` and `||`, an arm, an alternative of a
/// pattern or a branch of `select!` removed, and a number ten times as large.
///
/// What macros get is read where it is a list of expressions, `matches!` or
/// `select!`.
///
/// # Errors
///
/// If the program is not Rust.
pub(crate) fn changes(
    program: &str,
    part: Range<usize>,
) -> Result<Vec<Change>, String> {
    let file = syn::parse_file(program)
        .map_err(|error| format!("cannot read the program: {error}"))?;
    let ends: Vec<usize> =
        program.split_inclusive('\n').map(str::len).collect();
    let offset = |line: usize| ends.iter().take(line).sum::<usize>();
    let part = offset(part.start)..offset(part.end);
    let mut finder = Finder { program, part, changes: Vec::new() };
    finder.visit_file(&file);
    let mut changes = finder.changes;
    changes.sort_by_key(|change| change.line);
    Ok(changes)
}

struct Finder<'a> {
    program: &'a str,
    /// In bytes.
    part: Range<usize>,
    changes: Vec<Change>,
}

fn bytes(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}

impl Finder<'_> {
    fn text(&self, range: Range<usize>) -> &str {
        &self.program[range]
    }

    /// In one line, and not too long for one.
    fn short(&self, range: Range<usize>) -> String {
        let text = self.text(range).split_whitespace();
        let text = text.collect::<Vec<_>>().join(" ");
        if text.chars().count() <= 60 {
            return text;
        }
        text.chars().take(59).chain(['…']).collect()
    }

    fn replace(&mut self, range: Range<usize>, new: &str, what: String) {
        if range.start < self.part.start || range.end > self.part.end {
            return;
        }
        let line = 1 + self.program[..range.start].matches('\n').count();
        let mut text = self.program.to_owned();
        text.replace_range(range, new);
        self.changes.push(Change { line, what, text });
    }

    fn remove(&mut self, range: Range<usize>) {
        let what = format!("`{}` removed", self.short(range.clone()));
        self.replace(range, "", what);
    }

    /// A number in a literal, ten times as large; zero becomes one.
    fn tenfold(&mut self, span: Span, digits: &str, suffix: &str) {
        let zero = digits.chars().all(|c| matches!(c, '0' | '.'));
        let larger = match digits.split_once('.') {
            _ if zero => "1".to_owned(),
            Some((whole, part)) => {
                let (first, rest) = part.split_at(part.len().min(1));
                let first = if first.is_empty() { "0" } else { first };
                let rest = if rest.is_empty() { "0" } else { rest };
                format!("{whole}{first}.{rest}")
            }
            None => format!("{digits}0"),
        };
        let larger = larger + suffix;
        let range = span.byte_range();
        let what = format!("`{}` is `{larger}`", self.text(range.clone()));
        self.replace(range, &larger, what);
    }

    /// Each of several, which a mark separates, removed.
    fn without_one<'n, T: Spanned + 'n>(
        &mut self,
        all: impl Iterator<Item = &'n T>,
        between: &str,
    ) {
        let ranges: Vec<_> = all.map(bytes).collect();
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return;
        };
        let whole = first.start..last.end;
        for removed in &ranges {
            let left = ranges.iter().filter(|range| *range != removed);
            let left: Vec<_> =
                left.map(|range| self.text(range.clone())).collect();
            if !left.is_empty() {
                let left = left.join(between);
                let what = format!("`{}` removed", self.short(removed.clone()));
                self.replace(whole.clone(), &left, what);
            }
        }
    }

    fn select(&mut self, select: &Select) {
        for Branch { range, parts } in &select.branches {
            self.remove(range.clone());
            for part in parts {
                self.visit_expr(part);
            }
        }
        if let Some(biased) = &select.biased {
            self.remove(biased.clone());
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.remove(bytes(&call.receiver).end..bytes(call).end);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let is_block = |expr: &Expr| {
            matches!(
                expr,
                Expr::If(_)
                    | Expr::Match(_)
                    | Expr::While(_)
                    | Expr::ForLoop(_)
                    | Expr::Loop(_)
                    | Expr::Block(_)
            )
        };
        match statement {
            Stmt::Item(_) => {}
            Stmt::Expr(expr, None) if !is_block(expr) => {}
            _ => self.remove(bytes(statement)),
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        if matches!(binary.op, syn::BinOp::And(_) | syn::BinOp::Or(_)) {
            for (left, removed) in
                [(&binary.left, &binary.right), (&binary.right, &binary.left)]
            {
                let left = self.text(bytes(left)).to_owned();
                let what =
                    format!("operand `{}` removed", self.short(bytes(removed)));
                self.replace(bytes(binary), &left, what);
            }
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_pat_or(&mut self, pattern: &'ast syn::PatOr) {
        self.without_one(pattern.cases.iter(), " | ");
        visit::visit_pat_or(self, pattern);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.remove(bytes(arm));
        visit::visit_arm(self, arm);
    }

    fn visit_lit_int(&mut self, number: &'ast syn::LitInt) {
        let digits = number.base10_digits();
        self.tenfold(number.span(), digits, number.suffix());
    }

    fn visit_lit_float(&mut self, number: &'ast syn::LitFloat) {
        let digits = number.base10_digits();
        if !digits.contains(['e', 'E']) {
            self.tenfold(number.span(), digits, number.suffix());
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string());
        let tokens = call.tokens.clone();
        match name.as_deref() {
            Some("matches") => {
                let matches = |input: ParseStream| {
                    let of: Expr = input.parse()?;
                    input.parse::<Token![,]>()?;
                    let pattern = Pat::parse_multi_with_leading_vert(input)?;
                    let guard = if input.peek(Token![if]) {
                        input.parse::<Token![if]>()?;
                        Some(input.parse::<Expr>()?)
                    } else {
                        None
                    };
                    input.parse::<Option<Token![,]>>()?;
                    Ok((of, pattern, guard))
                };
                if let Ok((of, pattern, guard)) = matches.parse2(tokens) {
                    self.visit_expr(&of);
                    self.visit_pat(&pattern);
                    guard.iter().for_each(|guard| self.visit_expr(guard));
                }
            }
            Some("select") => {
                if let Ok(select) = Select::parse.parse2(tokens) {
                    self.select(&select);
                }
            }
            _ => {
                let list = Punctuated::<Expr, Token![,]>::parse_terminated;
                let list = list.parse2(tokens).unwrap_or_default();
                list.iter().for_each(|expr| self.visit_expr(expr));
            }
        }
    }
}

/// tokio's `select!`.
struct Select {
    /// In bytes of the program.
    biased: Option<Range<usize>>,
    branches: Vec<Branch>,
}

struct Branch {
    range: Range<usize>,
    /// The future, the condition and the handler.
    parts: Vec<Expr>,
}

impl Select {
    fn parse(input: ParseStream) -> syn::Result<Select> {
        let mut select = Select { biased: None, branches: Vec::new() };
        let is_biased = |input: ParseStream| {
            let ahead = input.fork();
            let word = ahead.parse::<syn::Ident>();
            word.is_ok_and(|word| word == "biased") && ahead.peek(Token![;])
        };
        if is_biased(input) {
            let start = bytes(&input.parse::<syn::Ident>()?).start;
            let end = bytes(&input.parse::<Token![;]>()?).end;
            select.biased = Some(start..end);
        }
        while !input.is_empty() {
            let start = input.span().byte_range().start;
            let mut parts = Vec::new();
            if input.peek(Token![else]) {
                input.parse::<Token![else]>()?;
            } else {
                Pat::parse_multi_with_leading_vert(input)?;
                input.parse::<Token![=]>()?;
                parts.push(input.parse()?);
                if input.peek(Token![,]) {
                    input.parse::<Token![,]>()?;
                    input.parse::<Token![if]>()?;
                    parts.push(input.parse()?);
                }
            }
            input.parse::<Token![=>]>()?;
            let handler: Expr = input.parse()?;
            let mut end = bytes(&handler).end;
            parts.push(handler);
            if let Some(comma) = input.parse::<Option<Token![,]>>()? {
                end = bytes(&comma).end;
            }
            select.branches.push(Branch { range: start..end, parts });
        }
        Ok(select)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the changes of a program say, of all its lines but the first and
    /// the last.
    fn of(body: &str) -> Vec<String> {
        let program = format!("fn f() {{\n{body}\n}}\n");
        let lines = 1..program.lines().count() - 1;
        let changes = changes(&program, lines).expect("it is Rust");
        for Change { text, what, .. } in &changes {
            syn::parse_file(text).unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        changes.into_iter().map(|change| change.what).collect()
    }

    #[test]
    fn each_change_is_found_and_leaves_rust() {
        for (body, expected) in [
            ("x(\n    1)", vec!["`1` is `10`"]),
            (
                "x(0, 1.5, 2., 0x1f, 7u8)",
                vec![
                    "`0` is `1`",
                    "`1.5` is `15.0`",
                    "`2.` is `20.0`",
                    "`0x1f` is `310`",
                    "`7u8` is `70u8`",
                ],
            ),
            ("a.b().c(d)", vec!["`.c(d)` removed", "`.b()` removed"]),
            (
                "a();\nlet b = c;",
                vec!["`a();` removed", "`let b = c;` removed"],
            ),
            (
                "a && b || c",
                vec![
                    "operand `c` removed",
                    "operand `a && b` removed",
                    "operand `b` removed",
                    "operand `a` removed",
                ],
            ),
            (
                "match a {\nB | C => d,\n_ => e,\n}",
                vec![
                    "`match a { B | C => d, _ => e, }` removed",
                    "`B | C => d,` removed",
                    "`B` removed",
                    "`C` removed",
                    "`_ => e,` removed",
                ],
            ),
            (
                "matches!(a, B | C if d && e)",
                vec![
                    "`B` removed",
                    "`C` removed",
                    "operand `e` removed",
                    "operand `d` removed",
                ],
            ),
            (
                "select! {\nbiased;\nx = a.b(), if c => d(1),\nelse => {}\n}",
                vec![
                    "`select! { biased; x = a.b(), if c => d(1), else => {} }` \
                     removed",
                    "`biased;` removed",
                    "`x = a.b(), if c => d(1),` removed",
                    "`.b()` removed",
                    "`1` is `10`",
                    "`else => {}` removed",
                ],
            ),
            ("join!(a.b(), c)", vec!["`.b()` removed"]),
            ("info!(%a, \"b\");", vec!["`info!(%a, \"b\");` removed"]),
            ("#[x(1)]\nfn g() {}", vec![]),
        ] {
            assert_eq!(of(body), expected, "{body}");
        }
    }

    #[test]
    fn what_lies_outside_of_the_part_is_left() {
        let program = "fn f() {\n    a(1);\n    b(2);\n}\n";
        let found = changes(program, 2..3).expect("it is Rust");
        let lines: Vec<usize> = found.iter().map(|c| c.line).collect();
        assert_eq!(lines, [3, 3]);
        assert_eq!(found[1].text, program.replace('2', "20"));
    }
}
