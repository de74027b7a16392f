//! The pages of a rendered book, and the `<meta>` elements of each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use mdbook_driver::config::BookConfig;
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::{DISK, failed};

/// The longest description of a page, in characters.
const DESCRIPTION: usize = 160;
/// The picture that is shown with a link to the book.
pub const PICTURE: &str = "social-card.png";

/// A page of the table of contents.
pub struct Page {
    /// The path of its file in the folder of the HTML.
    pub path: String,
    pub title: String,
    /// 1 for a page outside the chapters, and for the first page of a chapter.
    pub level: usize,
}

/// The pages, in the order of the book.
pub fn list(html: &Path) -> Result<Vec<Page>> {
    let toc = parse(&html.join("toc.html"))?;
    let links = selector("ol.chapter a[href]");
    let page = |link: ElementRef| {
        let lists = link.ancestors().filter_map(ElementRef::wrap);
        let text = link.children().filter_map(|child| child.value().as_text());
        Some(Page {
            path: link.attr("href")?.to_owned(),
            title: text.map(|text| &**text).collect::<String>().trim().into(),
            level: lists.filter(|e| e.value().name() == "ol").count(),
        })
    };
    let pages: Vec<Page> = toc.select(&links).filter_map(page).collect();
    ensure!(
        !pages.is_empty(),
        "the book has no pages\nhelp: list one in SUMMARY.md"
    );
    Ok(pages)
}

/// Gives each page a description of its own, and the `<meta>` elements that
/// other sites use to show a link to it. With the book's address, also the
/// canonical address of each page, and a `sitemap.xml`.
///
/// # Errors
///
/// A page does not have the one description that mdBook's template gives it.
pub fn describe(
    html: &Path,
    book: &BookConfig,
    address: Option<&Url>,
) -> Result<()> {
    let about = book.description.as_deref().unwrap_or_default();
    let picture = html.join(PICTURE).is_file();
    let mut addresses = String::new();
    for (index, page) in list(html)?.iter().enumerate() {
        // The first page is the home page too, and that is its address.
        let home = (index == 0).then_some("index.html");
        let url = address.map(|address| match home {
            Some(_) => Ok(address.clone()),
            None => address.join(&page.path),
        });
        let description = first_paragraph(&html.join(&page.path))?;
        let description = description.as_deref().unwrap_or(about);
        let mut head = meta("name", "description", description);
        for (property, content) in [
            ("og:title", page.title.as_str()),
            ("og:description", description),
            ("og:type", if index == 0 { "website" } else { "article" }),
            ("og:site_name", book.title.as_deref().unwrap_or_default()),
        ] {
            head += &meta("property", property, content);
        }
        let large = address.is_some() && picture;
        let card = if large { "summary_large_image" } else { "summary" };
        head += &meta("name", "twitter:card", card);
        if let (Some(address), Some(url)) = (address, url.transpose()?) {
            head += &meta("property", "og:url", url.as_str());
            if picture {
                let picture = address.join(PICTURE)?;
                head += &meta("property", "og:image", picture.as_str());
            }
            let url = escape(url.as_str());
            head += &format!("<link rel=\"canonical\" href=\"{url}\">\n");
            addresses += &format!("<url><loc>{url}</loc></url>\n");
        }
        let files = BTreeSet::from_iter([Some(page.path.as_str()), home]);
        for file in files.into_iter().flatten() {
            replace_description(&html.join(file), &head)?;
        }
    }
    if address.is_some() {
        let map = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n\
             {addresses}</urlset>\n"
        );
        write(&html.join("sitemap.xml"), &map)?;
    }
    Ok(())
}

fn meta(key: &str, name: &str, content: &str) -> String {
    format!("<meta {key}=\"{name}\" content=\"{}\">\n", escape(content))
}

/// The first paragraph of a page as plain text, shortened at the end of a
/// word.
fn first_paragraph(file: &Path) -> Result<Option<String>> {
    let page = parse(file)?;
    let paragraphs = selector("main > p");
    let texts = page.select(&paragraphs).map(|p| p.text().collect::<String>());
    let mut texts = texts.filter(|text| !text.trim().is_empty());
    let Some(text) = texts.next() else { return Ok(None) };
    let mut short = String::new();
    for word in text.split_whitespace() {
        if short.chars().count() + 1 + word.chars().count() >= DESCRIPTION {
            let end = [',', ';', ':'];
            return Ok(Some(format!("{}…", short.trim_end_matches(end))));
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short += word;
    }
    Ok(Some(short))
}

fn replace_description(file: &Path, head: &str) -> Result<()> {
    let text = read(file)?;
    let mark = "<meta name=\"description\" content=\"";
    let (before, rest) = around(file, &text, mark, "description")?;
    let (_, after) = rest.split_once("\">\n").with_context(|| {
        format!(
            "the description in {} has no end\n\
             help: correct the templates in theme/",
            file.display()
        )
    })?;
    write(file, &format!("{before}{head}{after}"))
}

/// What stands before and after a mark that mdBook's template has once.
pub fn around<'t>(
    file: &Path,
    text: &'t str,
    mark: &str,
    name: &str,
) -> Result<(&'t str, &'t str)> {
    let mut parts = text.split(mark);
    let (Some(before), Some(after), None) =
        (parts.next(), parts.next(), parts.next())
    else {
        bail!(
            "{} does not have the one {name} of mdBook's template\n\
             help: correct the templates in theme/",
            file.display()
        );
    };
    Ok((before, after))
}

/// A file of the rendered book.
pub fn parse(file: &Path) -> Result<Html> {
    Ok(Html::parse_document(&read(file)?))
}

pub fn read(file: &Path) -> Result<String> {
    let cannot = format!("cannot read {}", file.display());
    fs::read_to_string(file).map_err(failed(cannot, "render the book again"))
}

pub fn write(file: &Path, text: &str) -> Result<()> {
    let cannot = format!("cannot write {}", file.display());
    fs::write(file, text).map_err(failed(cannot, DISK))
}

/// A selector that is a constant of the program.
pub fn selector(css: &str) -> Selector {
    Selector::parse(css).expect("a valid selector")
}

/// Escapes text for HTML and XML, attributes included.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
