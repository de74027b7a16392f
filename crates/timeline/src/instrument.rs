//! Rewrites a program so that its run tells who waits for what, and when.
//!
//! The program itself stays as a reader would write it. Its every `.await`
//! gets a wrapper that sees polls and wake-ups, its every async function, block
//! and closure a guard that sees the start and the end: futures that share a
//! task are told apart, which a tracing layer or tokio's hooks, which know
//! tasks alone, could not do.

use quote::{ToTokens as _, quote};
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprAsync, ExprClosure, ExprMethodCall, FnArg, ImplItemFn,
    Item, ItemFn, Local, Macro, Pat, Signature, Token, parse_quote,
};

/// What is appended to the program.
const RECORDER: &str = include_str!("recorder.rs");

/// A program that logs its own run.
pub struct Recorded {
    /// Its source.
    pub program: String,
    /// Whether it is a test that runs, and not `main`.
    pub is_test: bool,
    /// The functions whose calls are the part to draw; empty where the program
    /// itself logs when it enters and leaves the part.
    pub(crate) functions: Vec<String>,
    /// Whether it logs that.
    pub(crate) marked: bool,
}

/// Whether a line begins an anchor of this name (`false`) or ends it (`true`).
fn bounds(line: &str, name: &str) -> Option<bool> {
    let (_, rest) = line.split_once("// ANCHOR")?;
    let end = rest.strip_prefix("_END");
    let found = end.unwrap_or(rest).strip_prefix(':')?;
    (found.trim() == name).then_some(end.is_some())
}

/// Rewrites a program so that it logs its own run. `part` names what of the
/// run is to be drawn: an anchor, around statements of `main` or around
/// functions, or a `#[tokio::test]`; `None` is all of it.
///
/// # Errors
///
/// If `source` is not a program, or has no such part.
pub fn instrument(
    source: &str,
    part: Option<&str>,
) -> Result<Recorded, String> {
    let mut marked = String::new();
    let mut within = String::new();
    let mut inside = false;
    let mut marks = 0;
    for line in source.lines() {
        if let Some(ends) = part.and_then(|part| bounds(line, part)) {
            marks += 1;
            inside = !ends;
            marked += &format!("crate::__timeline::part({inside});");
        }
        if inside {
            within = within + line + "\n";
        }
        marked = marked + line + "\n";
    }
    let missing = || {
        let part = part.unwrap_or_default();
        format!(
            "has no part `{part}`: put `ANCHOR` and `ANCHOR_END` comments \
             around statements of main, or around functions, or name a test"
        )
    };
    let test = part.filter(|_| marks == 0);
    if part.is_some() && ![0, 2].contains(&marks) {
        return Err(missing());
    }
    let mut functions = Vec::new();
    let mut file = match (syn::parse_file(&marked), syn::parse_file(&within)) {
        (Ok(file), _) => file,
        // Between items there is no place for a call.
        (Err(_), Ok(items)) => {
            functions.extend(items.items.iter().filter_map(
                |item| match item {
                    Item::Fn(function) => Some(function.sig.ident.to_string()),
                    _ => None,
                },
            ));
            syn::parse_file(source).map_err(|e| no_program(&e))?
        }
        (Err(error), Err(_)) => return Err(no_program(&error)),
    };
    let mut rewrite = Rewrite::default();
    rewrite.visit_file_mut(&mut file);
    let twice = |name: &&String| {
        rewrite.functions.iter().filter(|other| other == name).count() > 1
    };
    if let Some(name) = functions.iter().find(twice) {
        return Err(format!("has two functions `{name}`; rename one of them"));
    }
    if let Some(why) = rewrite.refused {
        return Err(why);
    }
    let mut output = None;
    for item in &mut file.items {
        if let Item::Fn(main) = item
            && main.sig.ident == "main"
        {
            main.sig.ident = syn::Ident::new("__main", main.sig.ident.span());
            output = Some(main.sig.output.clone());
        }
    }
    let main = if let Some(test) = test {
        let test = as_program(test, &mut file.items).ok_or_else(missing)?;
        quote! {
            fn main() {
                // A test that should panic does.
                let _ = std::panic::catch_unwind(#test);
                crate::__timeline::print();
            }
        }
    } else {
        let output =
            output.ok_or("has no main; name a part after one of its tests")?;
        quote! {
            fn main() #output {
                let ended = __main();
                crate::__timeline::print();
                ended
            }
        }
    };
    let file = file.into_token_stream();
    let program =
        format!("{file}\n{main}\nmod __timeline {{\n{RECORDER}\n}}\n");
    let marked = part.is_some() && test.is_none() && functions.is_empty();
    Ok(Recorded { program, functions, marked, is_test: test.is_some() })
}

/// Makes an async test a function that `main` can call; its name.
fn as_program<'a>(name: &str, items: &'a mut [Item]) -> Option<&'a syn::Ident> {
    let test = items.iter_mut().find_map(|item| match item {
        Item::Fn(test) if test.sig.ident == name => Some(test),
        _ => None,
    })?;
    let attributes = std::mem::take(&mut test.attrs);
    let tokio_test = attributes.iter().find(|attribute| {
        let path = attribute.path();
        path.segments.last().is_some_and(|last| last.ident == "test")
    })?;
    let arguments = match &tokio_test.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => proc_macro2::TokenStream::new(),
    };
    test.attrs.push(parse_quote! {
        #[tokio::main(flavor = "current_thread", #arguments)]
    });
    Some(&test.sig.ident)
}

fn no_program(error: &syn::Error) -> String {
    format!("cannot be read as a program: {error}")
}

#[derive(Default)]
struct Rewrite {
    /// The names of all functions.
    functions: Vec<String>,
    /// Why the program cannot be recorded.
    refused: Option<String>,
    /// Whether this code is part of a future that has a guard.
    in_lane: bool,
    /// Of the variable that is being bound.
    name: Option<String>,
}

impl Rewrite {
    /// Visits the body of a future, and gives it its guard.
    fn lane(&mut self, name: &str, arguments: &[syn::Ident], body: &mut Block) {
        let outside = std::mem::replace(&mut self.in_lane, true);
        self.visit_block_mut(body);
        self.in_lane = outside;
        let guard = quote! {
            let __guard = {
                #[allow(unused_imports)]
                use crate::__timeline::{Other as _, Plain as _};
                crate::__timeline::lane(#name, &[
                    #((&crate::__timeline::Argument(&#arguments)).text()),*
                ])
            };
        };
        body.stmts.insert(0, parse_quote! { #guard });
        let lane = parse_quote! { #[allow(unused)] let __lane = __guard.0; };
        body.stmts.insert(1, lane);
    }

    fn function(&mut self, signature: &Signature, body: &mut Block) {
        self.functions.push(signature.ident.to_string());
        if signature.asyncness.is_some() {
            let arguments = signature.inputs.iter().filter_map(|input| {
                let FnArg::Typed(argument) = input else { return None };
                bound(&argument.pat)
            });
            let arguments: Vec<_> = arguments.collect();
            self.lane(&signature.ident.to_string(), &arguments, body);
        } else {
            let outside = std::mem::replace(&mut self.in_lane, false);
            self.visit_block_mut(body);
            self.in_lane = outside;
        }
    }

    /// The futures of a macro that awaits several, and what others are given.
    /// Whether it is one that is known.
    fn arguments(&mut self, mac: &mut Macro) -> syn::Result<bool> {
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        type List = syn::punctuated::Punctuated<Expr, Token![,]>;
        let tokens = match name.as_deref() {
            Some(
                "assert" | "assert_eq" | "assert_ne" | "format" | "println"
                | "vec",
            ) => {
                let mut list = mac.parse_body_with(List::parse_terminated)?;
                list.iter_mut().for_each(|value| self.visit_expr_mut(value));
                list.into_token_stream()
            }
            Some("join" | "try_join") => {
                let mut list = mac.parse_body_with(List::parse_terminated)?;
                list.iter_mut().for_each(|future| self.branch(future));
                list.into_token_stream()
            }
            Some("select") => {
                let Select { biased, mut arms } = mac.parse_body()?;
                for arm in &mut arms {
                    if let Some(future) = &mut arm.future {
                        self.branch(future);
                    }
                    self.visit_expr_mut(&mut arm.handler);
                }
                let arms = arms.iter().map(|arm| {
                    let Arm { pattern, future, condition, handler } = arm;
                    match future {
                        Some(future) => quote! {
                            #pattern = #future #condition => { #handler }
                        },
                        None => quote! { else => { #handler } },
                    }
                });
                quote! { #biased #(#arms)* }
            }
            _ => return Ok(false),
        };
        mac.tokens = tokens;
        Ok(true)
    }

    fn branch(&mut self, future: &mut Expr) {
        let text = short(future);
        self.visit_inside(future);
        *future = parse_quote! {
            crate::__timeline::wait(__lane, #text, true, #future)
        };
    }

    /// A call that is awaited is a wait, and no mark besides.
    fn visit_inside(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
    }
}

impl VisitMut for Rewrite {
    fn visit_item_fn_mut(&mut self, function: &mut ItemFn) {
        self.function(&function.sig, &mut function.block);
    }

    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        self.function(&function.sig, &mut function.block);
    }

    fn visit_local_mut(&mut self, local: &mut Local) {
        self.name = bound(&local.pat).map(|name| name.to_string());
        visit_mut::visit_local_mut(self, local);
        self.name = None;
    }

    fn visit_expr_async_mut(&mut self, block: &mut ExprAsync) {
        let name = self.name.take().unwrap_or_default();
        self.lane(&name, &[], &mut block.block);
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        if closure.asyncness.is_none() {
            return visit_mut::visit_expr_closure_mut(self, closure);
        }
        let name = self.name.take().unwrap_or_default();
        let arguments: Vec<_> =
            closure.inputs.iter().filter_map(bound).collect();
        let body = &closure.body;
        let mut block: Block = parse_quote! { { #body } };
        self.lane(&name, &arguments, &mut block);
        *closure.body = parse_quote! { #block };
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if !self.in_lane {
            return self.visit_inside(expression);
        }
        match expression {
            Expr::Await(awaited) => {
                let text = short(&awaited.base);
                self.visit_inside(&mut awaited.base);
                let base = &awaited.base;
                awaited.base = parse_quote! {
                    crate::__timeline::wait(__lane, #text, false, #base)
                };
            }
            Expr::MethodCall(_) | Expr::Call(_) => {
                let text = short(expression);
                let marked = is_mark(expression);
                self.visit_inside(expression);
                if marked {
                    *expression = parse_quote! {
                        (#expression, crate::__timeline::mark(__lane, #text)).0
                    };
                }
            }
            _ => self.visit_inside(expression),
        }
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        let name = name.unwrap_or_default();
        let known = self.in_lane && matches!(self.arguments(mac), Ok(true));
        let awaits = !known && awaits(mac.tokens.clone());
        // What these say depends on where the program stands in its file.
        let places = ["column", "file", "line", "module_path"];
        if awaits || places.contains(&name.as_str()) {
            self.refused.get_or_insert(format!(
                "cannot be recorded: it has an `{name}!`{}",
                if awaits { " that awaits" } else { "" }
            ));
        }
    }
}

/// Whether there is an `.await` among the tokens.
fn awaits(tokens: proc_macro2::TokenStream) -> bool {
    use proc_macro2::TokenTree;
    let mut after_dot = false;
    tokens.into_iter().any(|token| {
        let awaits = match &token {
            TokenTree::Group(group) => awaits(group.stream()),
            TokenTree::Ident(word) => after_dot && word == "await",
            _ => false,
        };
        after_dot =
            matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '.');
        awaits
    })
}

/// The variable that a pattern binds, if it is a plain one.
fn bound(pattern: &Pat) -> Option<syn::Ident> {
    match pattern {
        Pat::Ident(name) => Some(name.ident.clone()),
        Pat::Type(typed) => bound(&typed.pat),
        _ => None,
    }
}

/// Calls that others feel.
fn is_mark(call: &Expr) -> bool {
    const METHODS: [&str; 12] = [
        "abort",
        "abort_all",
        "advance",
        "cancel",
        "close",
        "notify_last",
        "notify_one",
        "notify_waiters",
        "send",
        "send_replace",
        "shutdown",
        "try_send",
    ];
    match call {
        Expr::MethodCall(ExprMethodCall { method, .. }) => {
            METHODS.iter().any(|name| method == name)
        }
        Expr::Call(call) => {
            matches!(&*call.func, Expr::Path(path) if path.path.is_ident("drop"))
        }
        _ => false,
    }
}

/// An expression in few words: `hatch.lock()`, `join_all(…)`.
fn short(expression: &Expr) -> String {
    let with =
        |name: String, empty: bool| name + if empty { "()" } else { "(…)" };
    match expression {
        Expr::MethodCall(call) => {
            let receiver = short(&call.receiver);
            let name = if receiver.contains(['(', '…']) || receiver.is_empty()
            {
                call.method.to_string()
            } else {
                format!("{receiver}.{}", call.method)
            };
            with(name, call.args.is_empty())
        }
        Expr::Call(call) => {
            let drops = is_mark(expression);
            match call.args.first() {
                Some(argument) if drops => format!("drop({})", short(argument)),
                _ => with(short(&call.func), call.args.is_empty()),
            }
        }
        Expr::Path(path) => {
            let last = path.path.segments.last();
            last.map(|last| last.ident.to_string()).unwrap_or_default()
        }
        Expr::Field(field) => {
            let member = field.member.to_token_stream().to_string();
            match short(&field.base) {
                base if base == "self" || base.is_empty() => member,
                base => format!("{base}.{member}"),
            }
        }
        Expr::Reference(reference) => short(&reference.expr),
        Expr::Paren(paren) => short(&paren.expr),
        Expr::Await(awaited) => short(&awaited.base),
        Expr::Try(tried) => short(&tried.expr),
        Expr::Index(index) => short(&index.expr),
        Expr::Macro(mac) => {
            let last = mac.mac.path.segments.last();
            last.map(|last| format!("{}!", last.ident)).unwrap_or_default()
        }
        Expr::Async(_) => "async".into(),
        _ => String::new(),
    }
}

/// The arms of tokio's `select!`.
struct Select {
    biased: Option<proc_macro2::TokenStream>,
    arms: Vec<Arm>,
}

struct Arm {
    pattern: Option<Pat>,
    /// None for `else`.
    future: Option<Expr>,
    condition: Option<proc_macro2::TokenStream>,
    handler: Expr,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> syn::Result<Select> {
        let mut biased = None;
        if input.peek(syn::Ident) && input.peek2(Token![;]) {
            let word: syn::Ident = input.parse()?;
            let end: Token![;] = input.parse()?;
            biased = Some(quote! { #word #end });
        }
        let mut arms = Vec::new();
        while !input.is_empty() {
            let mut arm = if input.parse::<Option<Token![else]>>()?.is_some() {
                let handler = parse_quote! { {} };
                Arm { pattern: None, future: None, condition: None, handler }
            } else {
                let pattern = Some(Pat::parse_multi(input)?);
                input.parse::<Token![=]>()?;
                let future = Some(input.parse()?);
                let handler = parse_quote! { {} };
                Arm { pattern, future, condition: None, handler }
            };
            if let Some(comma) = input.parse::<Option<Token![,]>>()? {
                let condition: Expr = {
                    input.parse::<Token![if]>()?;
                    input.parse()?
                };
                arm.condition = Some(quote! { #comma if #condition });
            }
            input.parse::<Token![=>]>()?;
            arm.handler = if input.peek(syn::token::Brace) {
                Expr::Block(input.parse()?)
            } else {
                input.parse()?
            };
            input.parse::<Option<Token![,]>>()?;
            arms.push(arm);
        }
        Ok(Select { biased, arms })
    }
}
