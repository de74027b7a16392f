//! Loads a book as mdBook renders it, and checks every rule on the way.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mdbook_driver::MDBook;
use mdbook_driver::book::{Book as Chapters, Chapter};
use mdbook_driver::builtin_preprocessors::LinkPreprocessor;
use mdbook_driver::config::Config;
use mdbook_markdown::MarkdownOptions;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use mdbook_renderer::{RenderContext, Renderer};
use mdbook_summary::Summary;

use super::config::{LARGEST, check_file, configuration, inside, summary};
use super::include::{self, Directive};
use super::source::{Expanded, Piece};
use super::{about, page};
use crate::lint::{disguise, files, html, keep, pairs, parts};
use crate::model::{About, Book, Page};
use crate::problem::Problem;

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
            vec![Problem::whole(
                root,
                format!("cannot open the book's folder: {error}"),
                "name the folder that holds book.toml",
            )]
        })?;
        let (config, settings) = configuration(&root).map_err(|p| vec![p])?;
        let src = config.book.src.clone();
        if !inside(&src) {
            return Err(vec![Problem::whole(
                "book.toml",
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
            files::orphans(&book, &mut problems);
        }
        if problems.is_empty() { Ok(book) } else { Err(sorted(problems)) }
    }

    fn read_pages(
        &mut self,
        config: Config,
        summary: Summary,
        problems: &mut Vec<Problem>,
    ) {
        let broken = |error: anyhow::Error| {
            Problem::whole(
                "book.toml",
                format!("mdBook cannot load the book: {error:#}"),
                "correct book.toml or SUMMARY.md; mdBook names the file",
            )
        };
        for key in ["code.hidelines", "mathjax-support", "input-404"] {
            let set: Result<Option<toml::Value>, _> =
                config.get(&format!("output.html.{key}"));
            let off = toml::Value::Boolean(false);
            if set.is_ok_and(|set| set.is_some_and(|value| value != off)) {
                problems.push(Problem::whole(
                    "book.toml",
                    format!("{key} shows what no check reads"),
                    "remove it",
                ));
            }
        }
        files::theme(&self.root, &config, problems);
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
        let sources = match loaded {
            Ok(book) => book,
            Err(error) => return problems.push(broken(error)),
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
            return problems.push(Problem::whole(
                "book.toml",
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
                problems.push(Problem::whole(
                    &file,
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
                problems.push(Problem::whole(
                    &file,
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
                let fault = html::in_figure(&plot.text);
                problems.extend(fault.map(|fault| fault.at(&plot.file, None)));
            }
            let (keep, faults) = keep::of(&self.root, &blocks);
            for (line, fault) in faults {
                problems.push(fault.at(&file, line));
            }
            let keep_at = keep.as_ref().map(|keep| keep.line);
            let faults = pairs::check(&self.root, &blocks, &commands, keep_at);
            let of_pictures = pairs::pictures(&self.root, &blocks, &pictures);
            for (line, fault) in faults.into_iter().chain(of_pictures) {
                problems.push(fault.at(&file, line));
            }
            let about =
                about::read(&source.content).unwrap_or_else(|(line, fault)| {
                    problems.push(fault.at(&file, line));
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
                keep,
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
            keep: None,
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
            if let Err(fault) = checked {
                problems.push(fault.at(file, line_of(directive.range.start)));
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
        if rebuilt != expanded {
            problems.push(Problem::whole(
                file,
                "a preprocessor changes what this page shows",
                "leave it to the preprocessors that mdBook has by default",
            ));
        }
        pieces
    }

    /// What each directive brings in, by mdBook's own preprocessor.
    fn expand(
        &self,
        text: &str,
        path: &Path,
        directives: &[Directive],
        config: &Config,
    ) -> Vec<String> {
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
            Problem::whole(
                "book.toml",
                format!("cannot read {}: {error}", script.display()),
                "correct `commands` in [preprocessor.skeptic]",
            )
        })?;
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|l| !l.is_empty() && !l.starts_with('#'));
        Ok(lines.map(str::to_owned).collect())
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

fn below(root: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(root).unwrap_or(file).to_owned()
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems.dedup();
    problems
}
