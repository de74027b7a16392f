//! Writes a rendered book as one EPUB.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use epub_builder::{
    EpubBuilder, EpubContent, EpubVersion, ReferenceType, ZipLibrary,
};
use mdbook_driver::config::BookConfig;
use scraper::{ElementRef, Node};
use uuid::Uuid;

use crate::pages::{self, PICTURE, escape, parse, selector};
use crate::{DISK, failed};

/// Writes the pages in a folder of HTML as an EPUB into the same folder, and
/// returns its path.
///
/// The same pages give the same bytes. `modified` is the date of the newest
/// page; `style` is the CSS of the drawings.
pub fn write(
    html: &Path,
    book: &BookConfig,
    modified: SystemTime,
    style: &str,
) -> Result<PathBuf> {
    let title = book.title.as_deref().unwrap_or("book");
    let file = html.join(format!("{}.epub", name(title)));
    let epub = epub(html, book, title, modified, style).map_err(failed(
        "cannot make the EPUB",
        "correct the page and try again",
    ))?;
    let cannot = format!("cannot write {}", file.display());
    fs::write(&file, epub).map_err(failed(cannot, DISK))?;
    Ok(file)
}

/// A file name made of the words of a title.
fn name(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}

fn epub(
    html: &Path,
    book: &BookConfig,
    title: &str,
    modified: SystemTime,
    style: &str,
) -> Result<Vec<u8>> {
    let language = book.language.as_deref().unwrap_or("en");
    let description = book.description.as_deref().unwrap_or_default();
    let mut epub = EpubBuilder::new(ZipLibrary::new()?)?;
    epub.epub_version(EpubVersion::V30);
    epub.set_title(title);
    epub.add_language(language);
    if !description.is_empty() {
        epub.add_description(description);
    }
    epub.set_generator("async-cookbook");
    epub.set_toc_name("Contents");
    epub.set_modified_date(modified.into());
    // The same id: in a library, a new edition replaces an earlier one.
    epub.set_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, title.as_bytes()));
    let styles = format!("{}\n{style}", include_str!("epub.css"));
    epub.stylesheet(styles.as_bytes())?;
    if let Ok(picture) = fs::read(html.join(PICTURE)) {
        epub.add_cover_image(PICTURE, picture.as_slice(), "image/png")?;
    }

    let front =
        format!("<h1>{}</h1>\n<p>{}</p>\n", escape(title), escape(description));
    let front = document("title.xhtml", title, language, &front);
    let front = EpubContent::new("title.xhtml", front.as_bytes());
    epub.add_content(front.title(title).reftype(ReferenceType::TitlePage))?;
    for page in pages::list(html)? {
        let path = renamed(&page.path);
        let mut writer = Writer { path: &path, style, ..Writer::default() };
        let parsed = parse(&html.join(&page.path))?;
        let main = parsed.select(&selector("main")).next();
        let main = main.with_context(|| format!("{path} has no <main>"))?;
        writer.children(main);
        for (name, picture) in &writer.drawings {
            epub.add_resource(name, picture.as_bytes(), "image/svg+xml")?;
        }
        let text = document(&path, &page.title, language, &writer.text);
        let content = EpubContent::new(&path, text.as_bytes());
        let level = i32::try_from(page.level)?;
        epub.add_content(content.title(page.title).level(level))?;
    }
    let mut bytes = Vec::new();
    epub.generate(&mut bytes)?;
    Ok(bytes)
}

fn document(path: &str, title: &str, language: &str, body: &str) -> String {
    let up = "../".repeat(path.matches('/').count());
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"{language}\" \
         xml:lang=\"{language}\">\n<head><title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"{up}stylesheet.css\"/></head>\n\
         <body>{body}</body>\n</html>\n",
        escape(title)
    )
}

/// The link as it must be in an EPUB, whose pages end with `.xhtml`.
fn renamed(link: &str) -> String {
    let (path, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
    match path.strip_suffix(".html") {
        Some(path) if !path.contains(':') => format!("{path}.xhtml{anchor}"),
        _ => link.to_owned(),
    }
}

/// Writes elements of a rendered page as XML that needs no scripts.
#[derive(Default)]
struct Writer<'a> {
    /// The path of the page in the EPUB.
    path: &'a str,
    style: &'a str,
    text: String,
    /// The names and the texts of its drawings, which get files of their own:
    /// EPUB requires a mark on a page that has SVG in it, and epub-builder
    /// cannot set that mark.
    drawings: Vec<(String, String)>,
    /// Whether it writes a drawing.
    draws: bool,
}

impl Writer<'_> {
    fn children(&mut self, element: ElementRef) {
        for child in element.children() {
            match (ElementRef::wrap(child), child.value()) {
                (Some(element), _) => self.element(element),
                (None, Node::Text(text)) => self.text += &escape(text),
                _ => {}
            }
        }
    }

    fn element(&mut self, element: ElementRef) {
        let class = |name| element.value().classes().any(|c| c == name);
        match element.value().name() {
            _ if self.draws => self.whole(element),
            // Hidden lines, and elements that need a script.
            _ if class("boring") => {}
            "button" | "script" => {}
            "a" if class("header") => self.children(element),
            "svg" => self.drawing(element),
            _ => self.whole(element),
        }
    }

    fn whole(&mut self, element: ElementRef) {
        let name = element.value().name();
        self.text += &format!("<{name}");
        for (key, value) in element.value().attrs() {
            match key {
                "xmlns" => {}
                "href" => self.attribute(key, &renamed(value)),
                _ => self.attribute(key, value),
            }
        }
        if element.has_children() {
            self.text.push('>');
            self.children(element);
            self.text += &format!("</{name}>");
        } else {
            self.text += "/>";
        }
    }

    fn attribute(&mut self, key: &str, value: &str) {
        self.text += &format!(" {key}=\"{}\"", escape(value));
    }

    fn drawing(&mut self, svg: ElementRef) {
        // A drawing without a title is an icon.
        let title = selector("title");
        let Some(title) = svg.select(&title).next() else { return };
        let id = title.attr("id");
        let title: String = title.text().collect();
        let mut drawing = Writer { draws: true, ..Writer::default() };
        drawing.whole(svg);
        let root = "<svg xmlns=\"http://www.w3.org/2000/svg\"";
        // In a file of its own, it does not inherit the page's background.
        let style = escape(self.style);
        let style = format!("><style>:root {{ --bg: #fff }}\n{style}</style>");
        let text = drawing.text.replacen("<svg", root, 1);
        let text = text.replacen('>', &style, 1);

        let number = self.drawings.len() + 1;
        let name = format!("{}.{number}.svg", self.path);
        let file = name.rsplit('/').next().unwrap_or_default();
        self.text += "<img";
        self.attribute("src", file);
        self.attribute("alt", &title);
        // Links lead to it.
        if let Some(id) = id {
            self.attribute("id", id);
        }
        if let Some(height) = svg.attr("height") {
            self.attribute("height", height);
        }
        self.text += "/>";
        self.drawings.push((name, text));
    }
}
