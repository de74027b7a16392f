//! Loads a book as mdBook renders it, and checks every rule on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use mdbook_driver::MDBook;
use mdbook_driver::book::{Book as Chapters, Chapter};
use mdbook_driver::builtin_preprocessors::LinkPreprocessor;
use mdbook_driver::config::Config;
use mdbook_markdown::MarkdownOptions;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use mdbook_renderer::{RenderContext, Renderer};
use mdbook_summary::{Summary, SummaryItem, parse_summary};
use regex::Regex;
use walkdir::WalkDir;

use crate::about::{self, About};
use crate::disguise;
use crate::fence::Kind;
use crate::include::{self, Directive};
use crate::page::{self, Expanded, Page, Piece};
use crate::pairs;
use crate::parts;
use crate::problem::Problem;
use crate::settings::Settings;

/// A book that has passed every rule that can be checked without running it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Book {
    /// The folder of `book.toml`.
    pub root: PathBuf,
    /// mdBook's source folder, relative to the root.
    pub src: PathBuf,
    /// The pages, in the order of `SUMMARY.md`.
    pub pages: Vec<Page>,
    /// What `book.toml` says to the guard.
    pub settings: Settings,
    /// Every file that a page includes, relative to the root.
    pub included: BTreeSet<PathBuf>,
}

/// Files of the source folder that mdBook publishes and that hold no code.
const IMAGES: [&str; 7] = ["png", "jpg", "jpeg", "gif", "webp", "avif", "ico"];

/// A page, or a text that a page includes, is refused above this, in bytes.
const LARGEST: usize = 4 << 20;

impl Book {
    /// Loads the book in `root`, expanded by its own preprocessors as for the
    /// HTML renderer, and checks how its blocks are shown.
    ///
    /// Writes nothing.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, sorted by file and line; never an empty list.
    pub fn load(root: impl AsRef<Path>) -> Result<Book, Vec<Problem>> {
        let root = root.as_ref();
        let root = root.canonicalize().map_err(|error| {
            vec![Problem::new(
                root,
                None,
                format!("cannot open the book's folder: {error}"),
                "name the folder that holds book.toml",
            )]
        })?;
        let (config, settings) = configuration(&root).map_err(|p| vec![p])?;
        let src = config.book.src.clone();
        if !inside(&src) {
            return Err(vec![Problem::new(
                "book.toml",
                None,
                format!("src = {src:?} lies outside the book's folder"),
                "move the source below book.toml",
            )]);
        }
        let mut problems = Vec::new();
        let summary = match summary(&root, &src, &mut problems) {
            Some(summary) if problems.is_empty() => summary,
            _ => return Err(sorted(problems)),
        };
        let mut book = Book {
            root,
            src,
            pages: Vec::new(),
            settings,
            included: BTreeSet::new(),
        };
        book.read_pages(config, summary, &mut problems);
        // Of a book that could not be read nothing is known.
        if !book.pages.is_empty() {
            book.find_orphans(&mut problems);
        }
        if problems.is_empty() { Ok(book) } else { Err(sorted(problems)) }
    }

    /// Styles and templates are on every page: they must show no code.
    fn read_theme(&self, config: &Config, problems: &mut Vec<Problem>) {
        static CODE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r#"(?i)<(pre|code|textarea|xmp|tt|samp|svg)\b|\bcontent\s*:\s*(["'][^"']{3}|var)|@import"#,
            )
            .expect("a valid pattern")
        });
        let html = config.html_config().unwrap_or_default();
        let theme = html.theme.clone().unwrap_or_else(|| "theme".into());
        let mut files = html.additional_css.clone();
        for entry in WalkDir::new(self.root.join(&theme)).sort_by_file_name() {
            let Ok(entry) = entry else { continue };
            let extension = entry.path().extension().and_then(|e| e.to_str());
            if matches!(extension, Some("hbs" | "css" | "html")) {
                let below = entry.path().strip_prefix(&self.root);
                files.push(below.unwrap_or(entry.path()).to_owned());
            }
        }
        files.sort();
        files.dedup();
        for file in files {
            let text = fs::read_to_string(self.root.join(&file));
            if let Some(code) = text.ok().as_deref().and_then(|t| CODE.find(t))
            {
                problems.push(Problem::new(
                    &file,
                    None,
                    format!(
                        "`{}` may show code that nothing ran",
                        code.as_str()
                    ),
                    "show code on a page, where it is checked",
                ));
            }
        }
    }

    fn read_pages(
        &mut self,
        config: Config,
        summary: Summary,
        problems: &mut Vec<Problem>,
    ) {
        let broken = |error: anyhow::Error| {
            Problem::new(
                "book.toml",
                None,
                format!("mdBook cannot load the book: {error:#}"),
                "correct book.toml or SUMMARY.md; mdBook names the file",
            )
        };
        for key in ["code.hidelines", "mathjax-support", "input-404"] {
            let set: Result<Option<toml::Value>, _> =
                config.get(&format!("output.html.{key}"));
            let off = toml::Value::Boolean(false);
            if set.is_ok_and(|set| set.is_some_and(|value| value != off)) {
                problems.push(Problem::new(
                    "book.toml",
                    None,
                    format!("{key} shows what no check reads"),
                    "remove it",
                ));
            }
        }
        self.read_theme(&config, problems);
        let mut options = MarkdownOptions::default();
        if let Some(html) = config.html_config() {
            options.smart_punctuation = html.smart_punctuation;
            options.definition_lists = html.definition_lists;
            options.admonitions = html.admonitions;
        }
        let loaded = MDBook::load_with_config_and_summary(
            &self.root,
            config.clone(),
            summary,
        );
        let sources = match &loaded {
            Ok(book) => book,
            Err(_) => {
                problems.extend(loaded.err().map(broken));
                return;
            }
        };
        let expanded = match sources.preprocess_book(&Html) {
            Ok((book, _)) => book,
            Err(error) => return problems.push(broken(error)),
        };
        let commands = match self.commands() {
            Ok(commands) => commands,
            Err(problem) => return problems.push(problem),
        };
        let paths = |book: &Chapters| -> Vec<Option<PathBuf>> {
            book.chapters().map(|c| c.source_path.clone()).collect()
        };
        if paths(&sources.book) != paths(&expanded) {
            return problems.push(Problem::new(
                "book.toml",
                None,
                "a preprocessor adds or removes pages, which no check reads",
                "write the pages into the source folder",
            ));
        }
        let sources = sources.book.chapters();
        for (source, rendered) in sources.zip(expanded.chapters()) {
            let path = source.path.clone().expect("chapters() skips drafts");
            let file = self.src.join(&path);
            let mut faults = Vec::new();
            let pieces = self.pieces(
                &file,
                source,
                &rendered.content,
                &config,
                &mut faults,
            );
            // An expansion that failed leaves a block that is not what its
            // author meant; what it shows says nothing about the book.
            if !faults.is_empty() {
                problems.append(&mut faults);
                continue;
            }
            if rendered.content.len() > LARGEST {
                problems.push(Problem::new(
                    &file,
                    None,
                    "with its includes this page has more than 4 MiB",
                    "split it, or show less of the files",
                ));
                continue;
            }
            for piece in &pieces {
                if let Piece::Included { files, .. } = piece {
                    self.included.extend(files.iter().cloned());
                }
            }
            let expanded = Expanded::new(&rendered.content, pieces);
            if disguise::code_in(&source.name).is_some() {
                problems.push(Problem::new(
                    &file,
                    None,
                    format!("this page is called {:?}", source.name),
                    "give it a title without code in SUMMARY.md",
                ));
            }
            let (blocks, pictures) =
                page::read(&file, &expanded, &options, problems);
            let (plots, pictures): (Vec<_>, Vec<_>) =
                pictures.into_iter().partition(|picture| {
                    let folder = self.settings.plots.as_ref();
                    folder.is_some_and(|plots| picture.file.starts_with(plots))
                });
            for plot in &plots {
                if let Some(what) = page::raw_svg(&plot.text) {
                    problems.push(Problem::new(
                        &plot.file,
                        None,
                        what,
                        "draw it of shapes and text alone",
                    ));
                }
            }
            for (line, what, help) in
                pairs::check(&self.root, &blocks, &commands)
            {
                problems.push(Problem::new(&file, line, what, help));
            }
            for (line, what, help) in
                pairs::pictures(&self.root, &blocks, &pictures)
            {
                problems.push(Problem::new(&file, line, what, help));
            }
            let about =
                About::read(&source.content).unwrap_or_else(|(line, what)| {
                    let problem = Problem::new(&file, line, what, about::KEYS);
                    problems.push(problem);
                    About::default()
                });
            let parts = match self.settings.parts {
                Some(_) => parts::of(&self.root, &blocks, problems),
                None => Vec::new(),
            };
            self.pages.push(Page {
                file,
                path,
                title: source.name.clone(),
                parents: source.parent_names.clone(),
                about,
                blocks,
                pictures,
                plots,
                parts,
            });
        }
        self.read_404(&options, problems);
    }

    /// The page for an address that has none. mdBook renders it as it stands,
    /// by no preprocessor, though `SUMMARY.md` does not name it.
    fn read_404(
        &mut self,
        options: &MarkdownOptions,
        problems: &mut Vec<Problem>,
    ) {
        let path = PathBuf::from("404.md");
        let file = self.src.join(&path);
        if !self.root.join(&file).exists() {
            return;
        }
        let before = problems.len();
        check_file(&self.root, &file, &file, None, problems);
        let Ok(text) = fs::read_to_string(self.root.join(&file)) else {
            return;
        };
        if problems.len() > before {
            return;
        }
        let whole = Piece::Source { range: 0..text.len(), line: 1 };
        let expanded = Expanded::new(&text, vec![whole]);
        for directive in include::directives(&text) {
            problems.push(Problem::new(
                &file,
                expanded.line(directive.range.start),
                "mdBook shows this directive as it stands, on this page only",
                "write it out, or remove it",
            ));
        }
        let (blocks, pictures) =
            page::read(&file, &expanded, options, problems);
        for block in &blocks {
            problems.push(Problem::new(
                &file,
                block.line,
                "a block on this page has no checker",
                "show it on a page of SUMMARY.md, and link to that",
            ));
        }
        self.pages.push(Page {
            file,
            path,
            title: "Page not found".to_owned(),
            parents: Vec::new(),
            about: About::default(),
            blocks,
            pictures,
            plots: Vec::new(),
            parts: Vec::new(),
        });
    }

    /// Cuts the expanded text into what the page says itself and what its
    /// directives bring in.
    fn pieces(
        &self,
        file: &Path,
        chapter: &Chapter,
        expanded: &str,
        config: &Config,
        problems: &mut Vec<Problem>,
    ) -> Vec<Piece> {
        let text = &chapter.content;
        let path = chapter.path.as_ref().expect("chapters() skips drafts");
        let folder = self.root.join(file);
        let folder = folder.parent().expect("a page lies in a folder");
        let line_of = |offset: usize| 1 + text[..offset].matches('\n').count();

        let directives = include::directives(text);
        let mut files = Vec::new();
        for directive in &directives {
            let mut of = Vec::new();
            let checked =
                include::check(directive, text, folder, &self.root, &mut of);
            if let Err((what, help)) = checked {
                let line = line_of(directive.range.start);
                problems.push(Problem::new(file, line, what, help));
            }
            files.push(
                of.iter()
                    .map(|file| below(&self.root, file))
                    .collect::<Vec<_>>(),
            );
        }
        if !problems.is_empty() {
            return Vec::new();
        }
        let included = self.expand(text, path, &directives, config);
        let mut pieces = Vec::new();
        let mut rebuilt = String::new();
        let mut copied = 0;
        for ((directive, included), files) in
            directives.iter().zip(included).zip(files)
        {
            let start = rebuilt.len();
            rebuilt.push_str(&text[copied..directive.range.start]);
            pieces.push(Piece::Source {
                range: start..rebuilt.len(),
                line: line_of(copied),
            });
            let start = rebuilt.len();
            rebuilt.push_str(&included);
            pieces.push(Piece::Included {
                range: start..rebuilt.len(),
                line: line_of(directive.range.start),
                files,
            });
            copied = directive.range.end;
        }
        let start = rebuilt.len();
        rebuilt.push_str(&text[copied..]);
        pieces.push(Piece::Source {
            range: start..rebuilt.len(),
            line: line_of(copied),
        });
        if rebuilt == expanded {
            pieces
        } else {
            nearest(&rebuilt, expanded, &pieces)
        }
    }

    /// What each directive brings in, by mdBook's own preprocessor.
    fn expand(
        &self,
        text: &str,
        path: &Path,
        directives: &[Directive],
        config: &Config,
    ) -> Vec<String> {
        if !config.build.use_default_preprocessors {
            return directives
                .iter()
                .map(|directive| text[directive.range.clone()].to_owned())
                .collect();
        }
        let mut chapters = Chapters::new();
        for directive in directives {
            let text = text[directive.range.clone()].to_owned();
            chapters.push_item(Chapter::new("", text, path, Vec::new()));
        }
        let context = PreprocessorContext::new(
            self.root.clone(),
            config.clone(),
            Html.name().to_owned(),
        );
        let expanded = LinkPreprocessor::new()
            .run(&context, chapters)
            .expect("mdBook's links preprocessor reports by logging only");
        expanded.chapters().map(|chapter| chapter.content.clone()).collect()
    }

    /// The lines of the script that runs what `sh` fences show.
    fn commands(&self) -> Result<Vec<String>, Problem> {
        let Some(script) = &self.settings.commands else {
            return Ok(Vec::new());
        };
        let text = fs::read_to_string(self.root.join(script));
        let text = text.map_err(|error| {
            Problem::new(
                "book.toml",
                None,
                format!("cannot read {}: {error}", script.display()),
                "correct `commands` in [preprocessor.skeptic]",
            )
        })?;
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|l| !l.is_empty() && !l.starts_with('#'));
        Ok(lines.map(str::to_owned).collect())
    }

    /// Pages outside SUMMARY.md, and snippets that no page shows.
    fn find_orphans(&self, problems: &mut Vec<Problem>) {
        let listed: BTreeSet<PathBuf> =
            self.pages.iter().map(|page| page.file.clone()).collect();
        let broken: BTreeSet<PathBuf> =
            problems.iter().map(|problem| problem.file.clone()).collect();
        let shown: BTreeSet<&Path> = self
            .pages
            .iter()
            .flat_map(|page| {
                let blocks = page.blocks.iter().flat_map(|b| &b.files);
                blocks.chain(page.pictures.iter().map(|p| &p.file))
            })
            .map(PathBuf::as_path)
            .collect();
        for file in files(&self.root, &self.src) {
            let extension = extension(&file);
            if extension == "md" {
                let known = listed.contains(&file)
                    || broken.contains(&file)
                    || shown.contains(file.as_path())
                    || file == self.src.join("SUMMARY.md");
                if !known {
                    problems.push(Problem::new(
                        &file,
                        None,
                        "no line of SUMMARY.md names this page",
                        "add it there, or remove the file",
                    ));
                }
            } else if !IMAGES.contains(&extension.as_str())
                && !shown.contains(file.as_path())
            {
                problems.push(Problem::new(
                    &file,
                    None,
                    "mdBook publishes this file as it is, unchecked",
                    "show it on a page, or move it out of the source folder",
                ));
            }
            if self.root.join(&file).is_symlink() {
                problems.push(Problem::new(
                    &file,
                    None,
                    "what this link leads to is published, unchecked",
                    "put the file itself here",
                ));
            }
        }
        // A page that could not be read says nothing of what it shows.
        if !problems.is_empty() {
            return;
        }
        if let Some(folder) = &self.settings.snippets {
            for file in files(&self.root, folder) {
                let kind = extension(&file);
                if !shown.contains(file.as_path())
                    && matches!(kind.as_str(), "rs" | "py" | "sql" | "svg")
                {
                    problems.push(Problem::new(
                        &file,
                        None,
                        "no page shows this file",
                        "show it with {{#include}} in a fence, or remove it",
                    ));
                }
            }
        }
    }

    /// Every block with its page.
    pub fn blocks(
        &self,
    ) -> impl Iterator<Item = (&Page, &page::Block)> + Clone {
        self.pages
            .iter()
            .flat_map(|page| page.blocks.iter().map(move |block| (page, block)))
    }

    /// The distinct programs of a page that must run.
    pub(crate) fn programs_of<'a>(&self, page: &'a Page) -> Vec<&'a str> {
        let programs: BTreeSet<&str> = page
            .blocks
            .iter()
            .filter(|block| {
                block.kind.is_rust()
                    && !matches!(block.kind, Kind::CompileFail(_))
            })
            .map(|block| block.text.trim_end())
            .collect();
        programs.into_iter().collect()
    }
}

/// Stands in for mdBook's HTML renderer: preprocessors ask for its name.
struct Html;

impl Renderer for Html {
    fn name(&self) -> &str {
        "html"
    }

    fn render(&self, _: &RenderContext) -> anyhow::Result<()> {
        Ok(())
    }
}

fn configuration(root: &Path) -> Result<(Config, Settings), Problem> {
    let problem =
        |what: String, help: &str| Problem::new("book.toml", None, what, help);
    let file = root.join("book.toml");
    let text = fs::read_to_string(&file).map_err(|error| {
        problem(
            format!("cannot read it: {error}"),
            "write it, as UTF-8, or name the folder that holds it",
        )
    })?;
    let mut config: Config = text.parse().map_err(|error: anyhow::Error| {
        problem(format!("{error:#}"), "correct book.toml")
    })?;
    // mdBook would write the pages that are missing; here they are an error.
    config.build.create_missing = false;
    let settings = Settings::read(&config)
        .map_err(|what| problem(what, "correct [preprocessor.skeptic]"))?;
    let named = settings.services.values().chain(&settings.commands);
    for file in named.chain(&settings.features) {
        if !inside(file) || !root.join(file).is_file() {
            return Err(problem(
                format!("{} is no file of the book's", file.display()),
                "correct [preprocessor.skeptic]",
            ));
        }
    }
    if let Some(file) = settings.parts.as_deref().filter(|file| !inside(file)) {
        return Err(problem(
            format!("{} lies outside the book's folder", file.display()),
            "correct `parts` in [preprocessor.skeptic]",
        ));
    }
    for folder in settings.snippets.iter().chain(&settings.plots) {
        if !inside(folder) || !root.join(folder).is_dir() {
            return Err(problem(
                format!("{folder:?} is no folder of the book's"),
                "correct [preprocessor.skeptic]",
            ));
        }
    }
    Ok((config, settings))
}

/// Parses SUMMARY.md, and checks every page that it names.
fn summary(
    root: &Path,
    src: &Path,
    problems: &mut Vec<Problem>,
) -> Option<Summary> {
    let file = src.join("SUMMARY.md");
    let text = match fs::read_to_string(root.join(&file)) {
        Ok(text) => text,
        Err(error) => {
            problems.push(Problem::new(
                &file,
                None,
                format!("cannot read the table of contents: {error}"),
                "write it: a line `- [Title](page.md)` for every page",
            ));
            return None;
        }
    };
    let summary = match parse_summary(&text) {
        Ok(summary) => summary,
        Err(error) => {
            problems.push(Problem::new(
                &file,
                None,
                format!("mdBook cannot read it: {error:#}"),
                "correct the list",
            ));
            return None;
        }
    };
    let mut pages = BTreeMap::new();
    let items = [
        &summary.prefix_chapters,
        &summary.numbered_chapters,
        &summary.suffix_chapters,
    ];
    for item in items.into_iter().flatten() {
        visit(item, &mut |location: &Path| {
            let line = text
                .lines()
                .position(|line| line.contains(&*location.to_string_lossy()))
                .map(|index| index + 1);
            if !inside(location) {
                problems.push(Problem::new(
                    &file,
                    line,
                    format!(
                        "{} lies outside {}",
                        location.display(),
                        src.display()
                    ),
                    "move the page into the source folder",
                ));
                return;
            }
            // mdBook renders README.md as index.html.
            let mut rendered: PathBuf = location
                .components()
                .filter(|part| *part != Component::CurDir)
                .collect();
            let stem = location.file_stem().map(|s| s.to_ascii_lowercase());
            if stem.is_some_and(|stem| stem == "readme") {
                rendered.set_file_name("index.md");
            }
            if let Some(other) = pages.insert(rendered, location.to_owned()) {
                let what = format!(
                    "{} and {} become the same page",
                    other.display(),
                    location.display()
                );
                problems.push(Problem::new(
                    &file,
                    line,
                    what,
                    "list every page once, under a name of its own",
                ));
            }
            check_file(root, &src.join(location), &file, line, problems);
        });
    }
    if pages.is_empty() && problems.is_empty() {
        problems.push(Problem::new(
            &file,
            None,
            "the book has no page",
            "add a line `- [Title](page.md)`",
        ));
    }
    Some(summary)
}

fn visit(item: &SummaryItem, each: &mut impl FnMut(&Path)) {
    if let SummaryItem::Link(link) = item {
        if let Some(location) = &link.location {
            each(location);
        }
        for nested in &link.nested_items {
            visit(nested, each);
        }
    }
}

fn check_file(
    root: &Path,
    page: &Path,
    summary: &Path,
    line: Option<usize>,
    problems: &mut Vec<Problem>,
) {
    let path = root.join(page);
    // The size first: what is too large is not read.
    let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    if size > LARGEST as u64 {
        problems.push(Problem::new(
            page,
            None,
            format!("this page has {} MiB", size >> 20),
            "split it: 4 MiB are the most",
        ));
        return;
    }
    match fs::read(path) {
        Err(error) => problems.push(Problem::new(
            summary,
            line,
            format!("cannot read {}: {error}", page.display()),
            "write the page, or correct its path",
        )),
        Ok(bytes) => {
            if let Err(error) = String::from_utf8(bytes) {
                let valid = error.utf8_error().valid_up_to();
                let before = &error.as_bytes()[..valid];
                let line = 1 + before.iter().filter(|b| **b == b'\n').count();
                problems.push(Problem::new(
                    page,
                    line,
                    "this page is not UTF-8",
                    "save it as UTF-8",
                ));
            }
        }
    }
}

/// Maps a text that other preprocessors have changed back to the source, line
/// by line.
fn nearest(ours: &str, theirs: &str, pieces: &[Piece]) -> Vec<Piece> {
    let starts = |text: &str| {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        starts
    };
    let (our_starts, their_starts) = (starts(ours), starts(theirs));
    let diff = similar::TextDiff::from_lines(ours, theirs);
    let mut mapped = Vec::new();
    for op in diff.ops() {
        let old = op.old_range();
        for (index, line) in op.new_range().enumerate() {
            let at = (old.start + index).min(old.end.max(1) - 1);
            let offset = our_starts[at.min(our_starts.len() - 1)];
            let end = their_starts.get(line + 1).copied();
            let range = their_starts[line]..end.unwrap_or(theirs.len());
            let origin =
                pieces.iter().rev().find(|piece| piece_start(piece) <= offset);
            mapped.push(match origin {
                Some(Piece::Included { line, files, .. }) => {
                    Piece::Included { range, line: *line, files: files.clone() }
                }
                Some(Piece::Source { range: of, line }) => {
                    let before = &ours[of.start..offset];
                    let line = line + before.matches('\n').count();
                    Piece::Source { range, line }
                }
                None => Piece::Source { range, line: 1 },
            });
        }
    }
    mapped
}

fn piece_start(piece: &Piece) -> usize {
    match piece {
        Piece::Source { range, .. } | Piece::Included { range, .. } => {
            range.start
        }
    }
}

/// Whether a relative path stays below where it starts.
fn inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn below(root: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(root).unwrap_or(file).to_owned()
}

fn extension(file: &Path) -> String {
    let extension = file.extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}

/// Whether a file is one that an editor keeps while another is open: vim's
/// `.page.md.swp` and `4913`, Emacs' `#page.md#` and `.#page.md`, `page.md~`.
#[must_use]
pub fn is_editors(file: &Path) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(\..*\.sw[a-z]|\.#.*|#.*#|4913|.*~)$")
            .expect("a valid pattern")
    });
    let name = file.file_name().unwrap_or_default();
    NAME.is_match(&name.to_string_lossy())
}

/// The files below a folder, relative to the root, sorted, without those that
/// an editor keeps.
fn files(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = WalkDir::new(root.join(folder))
        .into_iter()
        .filter_entry(|entry| entry.path() != root.join("target"))
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_dir())
        .filter(|entry| !is_editors(entry.path()))
        .map(|entry| below(root, entry.path()))
        .collect();
    files.sort();
    files
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems.dedup();
    problems
}
