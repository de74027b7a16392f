//! The plan as text, Markdown, JSON or HTML.

use std::cmp::Reverse;
use std::fmt::Write as _;

use clap::ValueEnum;
use dictionary::cell;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

use crate::plan::{Name, Plan};

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Text,
    Markdown,
    Json,
    Html,
}

impl Format {
    pub fn write(self, plan: &Plan) -> String {
        match self {
            Format::Text => text(plan),
            Format::Markdown => markdown(plan),
            Format::Json => {
                let json = serde_json::to_string_pretty(plan);
                json.expect("texts and numbers only") + "\n"
            }
            Format::Html => page(plan),
        }
    }
}

/// How much of the text is covered, in sentences that all formats share.
fn summary(plan: &Plan) -> Vec<String> {
    let covered = &plan.covered;
    let mut lines = vec![format!(
        "{} with {}.",
        counted(plan.files, "Python file"),
        counted(plan.lines, "line")
    )];
    if covered.of_uses == 0 {
        lines.push(
            "They use none of the libraries that the dictionary has.".into(),
        );
        return lines;
    }
    lines.push(format!(
        "They use names of the libraries that the dictionary knows {}. It has a \
         row for {:.1} % of these uses, and for {} of the {} names. Methods of \
         values, such as `session.get`, are not counted.",
        counted_times(covered.of_uses),
        100.0 * covered.uses as f64 / covered.of_uses as f64,
        covered.names,
        covered.of_names
    ));
    if !plan.unknown.is_empty() {
        let most = plan.unknown.iter().take(10).map(|unknown| {
            let files = counted(unknown.files, "file");
            format!("{} ({files})", code(&unknown.package))
        });
        let most = most.collect::<Vec<_>>().join(", ");
        let more = match plan.unknown.len().saturating_sub(10) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        lines.push(format!(
            "It knows nothing of these packages, and you have to find crates for \
             them: {most}{more}."
        ));
    }
    lines
}

/// What to do, one thing after the other. Markdown.
fn steps(plan: &Plan, address: &str) -> Vec<String> {
    let mut steps = vec![format!(
        "Read [Rust for asyncio people]({address}rust-for-asyncio.html) and [Set \
         up a project]({address}setting-up.html), and make the project."
    )];
    if !plan.crates.is_empty() {
        steps[0] += " Paste the dependencies below.";
    }
    if !plan.instead.is_empty() {
        let names = plan.instead.iter().take(3);
        let names = names.map(|name| code(&name.python));
        steps.push(format!(
            "Decide what replaces the names without a counterpart ({} and others \
             in their table), and the packages that the dictionary does not know.",
            names.collect::<Vec<_>>().join(", ")
        ));
    }
    let mut pages: Vec<_> =
        plan.read.iter().flat_map(|chapter| &chapter.pages).collect();
    pages.sort_by_key(|page| Reverse(page.uses));
    if !pages.is_empty() {
        let pages = pages.iter().take(4).map(|page| {
            let uses = counted(page.uses, "use");
            format!("[{}]({}) ({uses})", page.title, page.address)
        });
        steps.push(format!(
            "Read the recipes that answer most uses: {}.",
            pages.collect::<Vec<_>>().join(", ")
        ));
    }
    if !plan.first.is_empty() {
        let files = plan.first.iter().map(|first| {
            let lines = counted(first.lines, "line");
            format!("{} ({lines})", code(&first.file))
        });
        steps.push(format!(
            "To begin, port these files with their tests: {}. Each name in them \
             has a counterpart, and nothing that they import has names to port. \
             Then port the files that use them.",
            files.collect::<Vec<_>>().join(", ")
        ));
    }
    steps
}

fn markdown(plan: &Plan) -> String {
    let mut out = format!("# A plan for {}\n\n", code(&plan.root));
    for line in summary(plan) {
        let _ = writeln!(out, "{line}");
    }
    out += "\n## Do this first\n\n";
    for (number, step) in steps(plan, &plan.url).iter().enumerate() {
        let _ = writeln!(out, "{}. {step}", number + 1);
    }
    if !plan.crates.is_empty() {
        out += "\n## Dependencies\n\nThe crates of the counterparts, with the \
                versions and features of the book. Leave out what you do not \
                use.\n\n```toml\n[dependencies]\n";
        for dependency in &plan.crates {
            let _ = writeln!(out, "{}", dependency.line);
        }
        out += "```\n";
    }
    if !plan.read.is_empty() {
        out += "\n## Read in this order\n\nThe number says how many uses of names \
                a page answers.\n";
        for chapter in &plan.read {
            let _ = writeln!(out, "\n- {} ({})", chapter.title, chapter.uses);
            for page in &chapter.pages {
                let _ = writeln!(
                    out,
                    "  - [{}]({}) ({})",
                    page.title, page.address, page.uses
                );
            }
        }
    }
    table(&mut out, "Names that have a counterpart", &plan.names);
    table(&mut out, "Names without a counterpart", &plan.instead);
    table(&mut out, "Syntax", &plan.constructs);
    if !plan.lacking.is_empty() {
        out += "\n## Names that the dictionary lacks\n\n\
                | Python | Uses | Files |\n|---|---|---|\n";
        for name in &plan.lacking {
            let _ = writeln!(
                out,
                "| {} | {} | {} |",
                code(&name.python),
                name.uses,
                name.files
            );
            // A row has one line: the places come after the table.
        }
        let with_places = plan.lacking.iter();
        let with_places = with_places.map(|name| (&name.python, &name.places));
        places(&mut out, with_places);
    }
    if !plan.problems.is_empty() {
        out += "\n## Files that were not read, or not all of it\n\n";
        for problem in &plan.problems {
            let _ = writeln!(out, "- {}: {}", code(&problem.file), problem.why);
        }
    }
    out
}

fn table(out: &mut String, title: &str, names: &[Name]) {
    if names.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "\n## {title}\n\n| Python | Uses | Files | Rust | What is different | \
         Recipe |\n|---|---|---|---|---|---|\n"
    );
    for name in names {
        let recipes = name.recipes.iter();
        let recipes =
            recipes.map(|it| format!("[{}]({})", it.title, it.address));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            code(&name.python),
            name.uses,
            name.files,
            cell(name.rust.as_deref().unwrap_or("none")),
            cell(&name.differs),
            recipes.collect::<Vec<_>>().join(", ")
        );
    }
    places(out, names.iter().map(|name| (&name.python, &name.places)));
}

/// Where each name is used, if that was asked for.
fn places<'p>(
    out: &mut String,
    names: impl Iterator<Item = (&'p String, &'p Vec<String>)>,
) {
    let names: Vec<_> =
        names.filter(|(_, places)| !places.is_empty()).collect();
    if names.is_empty() {
        return;
    }
    *out += "\nWhere they are used:\n\n";
    for (name, places) in names {
        let places: Vec<_> = places.iter().map(|place| code(place)).collect();
        let _ = writeln!(out, "- {}: {}", code(name), places.join(", "));
    }
}

/// How wide the text is, in characters.
const WIDTH: usize = 88;

fn text(plan: &Plan) -> String {
    let mut out = format!("A plan for {}\n\n", plan.root);
    wrapped(&mut out, 0, &plain(&summary(plan).join(" ")));
    heading(&mut out, "Do this first");
    for (number, step) in steps(plan, &plan.url).iter().enumerate() {
        let _ = write!(out, "{}. ", number + 1);
        wrapped(&mut out, 3, &with_addresses(step));
    }
    if !plan.crates.is_empty() {
        heading(&mut out, "Dependencies (leave out what you do not use)");
        out += "[dependencies]\n";
        for dependency in &plan.crates {
            let _ = writeln!(out, "{}", dependency.line);
        }
    }
    if !plan.read.is_empty() {
        heading(
            &mut out,
            "Read in this order (with the uses that a page answers)",
        );
        for chapter in &plan.read {
            let _ = writeln!(out, "{} ({})", chapter.title, chapter.uses);
            for page in &chapter.pages {
                let _ = writeln!(out, "{:7} {}", page.uses, page.title);
                let _ = writeln!(out, "        {}", page.address);
            }
        }
    }
    rows(&mut out, "Names that have a counterpart", &plan.names);
    rows(&mut out, "Names without a counterpart", &plan.instead);
    rows(&mut out, "Syntax", &plan.constructs);
    if !plan.lacking.is_empty() {
        heading(&mut out, "Names that the dictionary lacks");
        for name in &plan.lacking {
            let files = counted(name.files, "file");
            let _ = writeln!(out, "{:7} {} ({files})", name.uses, name.python);
            for place in &name.places {
                let _ = writeln!(out, "        {place}");
            }
        }
    }
    if !plan.problems.is_empty() {
        heading(&mut out, "Files that were not read, or not all of it");
        for problem in &plan.problems {
            let _ = writeln!(out, "{}: {}", problem.file, problem.why);
        }
    }
    out
}

fn heading(out: &mut String, title: &str) {
    let line = "-".repeat(title.chars().count());
    let _ = writeln!(out, "\n{title}\n{line}");
}

fn rows(out: &mut String, title: &str, names: &[Name]) {
    if names.is_empty() {
        return;
    }
    heading(out, title);
    for name in names {
        let rust = name.rust.as_deref().map(plain);
        let rust = rust.map(|rust| format!(" -> {rust}")).unwrap_or_default();
        let files = counted(name.files, "file");
        let _ = write!(out, "{:7} ", name.uses);
        wrapped(out, 8, &format!("{} ({files}){rust}", name.python));
        if !name.differs.is_empty() {
            *out += "        ";
            wrapped(out, 8, &plain(&name.differs));
        }
        for recipe in &name.recipes {
            let _ = writeln!(out, "        {}", recipe.address);
        }
        for place in &name.places {
            let _ = writeln!(out, "        {place}");
        }
    }
}

/// Writes words in lines. The first line begins where the text ends.
fn wrapped(out: &mut String, indent: usize, text: &str) {
    let mut column = indent;
    for (index, word) in text.split_whitespace().enumerate() {
        let width = word.chars().count();
        if index > 0 && column + 1 + width > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if index > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}

/// Markdown without its marks. A link keeps its text.
fn plain(markdown: &str) -> String {
    let events = Parser::new(markdown).map(|event| match event {
        Event::Text(text) | Event::Code(text) => text.into_string(),
        Event::SoftBreak | Event::HardBreak => " ".into(),
        _ => String::new(),
    });
    events.collect()
}

/// The same, with the address of each link behind its text.
fn with_addresses(markdown: &str) -> String {
    let mut addresses = Vec::new();
    let events = Parser::new(markdown).map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => {
            addresses.push(dest_url);
            String::new()
        }
        Event::End(TagEnd::Link) => match addresses.pop() {
            Some(address) => format!(" ({address})"),
            None => String::new(),
        },
        Event::Text(text) | Event::Code(text) => text.into_string(),
        Event::SoftBreak | Event::HardBreak => " ".into(),
        _ => String::new(),
    });
    events.collect()
}

fn page(plan: &Plan) -> String {
    let markdown = markdown(plan);
    let mut body = String::new();
    html::push_html(
        &mut body,
        Parser::new_ext(&markdown, Options::ENABLE_TABLES),
    );
    let mut title = String::new();
    let name = format!("A plan for {}", plan.root);
    html::push_html(&mut title, [Event::Text(name.into())].into_iter());
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         {body}</main>\n</body>\n</html>\n"
    )
}

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
main { margin: 0 auto; max-width: 72rem; padding: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #8886; padding: .3rem .6rem;
    text-align: left; vertical-align: top; }
pre { overflow-x: auto; padding: .6rem; background: #8882; }
";

/// Code in Markdown, also in a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

/// `1 file`, `12,345 files`
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

fn counted_times(count: usize) -> String {
    match count {
        1 => "once".into(),
        _ => format!("{} times", grouped(count)),
    }
}

/// `12,345`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
