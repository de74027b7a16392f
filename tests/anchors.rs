//! Every link of the rendered book leads somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use mdbook_skeptic::rt;
use memchr::{memchr, memchr2};
use regex::Regex;
use tempfile::TempDir;

use crate::BOOK;

/// What the tags of a page say.
#[derive(Default)]
struct Tags<'a> {
    anchors: BTreeSet<&'a str>,
    links: Vec<&'a str>,
}

/// Reads a page as mdBook writes it: `<` begins a tag, values have quotes, and
/// `>` in a value ends nothing. An HTML parser takes a third of a second more.
fn tags(html: &str) -> Tags<'_> {
    let mut tags = Tags::default();
    let mut rest = html;
    while let Some(start) = memchr(b'<', rest.as_bytes()) {
        rest = &rest[start + 1..];
        // The base says where links start, and is none.
        let is_base = rest.starts_with("base ");
        while let Some(end) = memchr2(b'"', b'>', rest.as_bytes())
            && let (before, value) = rest.split_at(end)
            && let Some(value) = value.strip_prefix('"')
        {
            let (value, after) = value.split_once('"').unwrap_or_default();
            let name = before.rsplit(char::is_whitespace).next();
            match name.unwrap_or_default() {
                "id=" => _ = tags.anchors.insert(value),
                "href=" | "src=" | "srcset=" if !is_base => {
                    tags.links.push(value);
                }
                _ => {}
            }
            rest = after;
        }
    }
    tags
}

/// A relative path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = plain.pop(),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// What the book is rendered from.
fn sources() -> Vec<(PathBuf, Option<u64>)> {
    let [theme, settings, lock] = ["theme", "book.toml", "Cargo.lock"];
    let folders =
        [&*BOOK.src, theme.as_ref(), settings.as_ref(), lock.as_ref()];
    let files = folders
        .into_iter()
        .flat_map(|folder| walkdir::WalkDir::new(folder).sort_by_file_name())
        .map(|entry| entry.expect("a source of the book").into_path())
        .chain(BOOK.included.iter().cloned());
    files.map(|file| (file.clone(), rt::content(&file))).collect()
}

#[test]
fn every_internal_link_and_anchor_exists() {
    let input = (include_str!("anchors.rs"), sources());
    rt::once(input, check_links);
}

fn check_links() {
    let folder = TempDir::new().expect("a temporary folder");
    let root = folder.path().join("html");
    let mut config = Config::from_disk("book.toml").expect("the settings");
    config.build.build_dir = root.clone();
    // No link leads to it, and making it is a third of the work.
    config.set("output.html.search.enable", false).expect("a setting");
    let book = MDBook::load_with_config(".", config);
    book.and_then(|book| book.build()).expect("the book is rendered");

    let mut files = BTreeSet::new();
    let mut pages = BTreeMap::new();
    for entry in walkdir::WalkDir::new(&root).into_iter().flatten() {
        if entry.file_type().is_dir() {
            continue;
        }
        let path = entry.path().strip_prefix(&root).expect("below the root");
        if path.extension().is_some_and(|extension| extension == "html") {
            let html = fs::read_to_string(entry.path()).expect("a page");
            pages.insert(path.to_owned(), html);
        }
        files.insert(path.to_owned());
    }
    assert!(pages.len() > 10, "the book has gone");
    let of_page = |(page, html): (&PathBuf, &String)| {
        Some(format!("{}: {}", page.display(), undefined(html)?))
    };
    let undefined: Vec<_> = pages.iter().filter_map(of_page).collect();
    assert!(undefined.is_empty(), "defined nowhere: {undefined:#?}");
    let pages = pages.iter().map(|(page, html)| (&**page, tags(html)));
    let pages: BTreeMap<&Path, Tags> = pages.collect();
    let checked: usize = pages.values().map(|page| page.links.len()).sum();
    assert!(checked > 100, "the links have gone");
    let faults = faults(&files, &pages);
    assert!(faults.is_empty(), "lead nowhere:\n{}", faults.join("\n"));
}

/// A reference that no line of the page defines is shown with its brackets.
fn undefined(html: &str) -> Option<String> {
    // Code is passed over, but for what stands between brackets of the text.
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?s)<pre.*?</pre>|<script.*?</script>|(\[<code[^>]*>[^<]*</code>\])|<code.*?</code>|([^\s<>]\]\[\w)",
        )
        .expect("a pattern")
    });
    let mut found = REFERENCE.captures_iter(html);
    found.find_map(|found| {
        let found = found.iter().skip(1).flatten().next()?;
        Some(found.as_str().to_owned())
    })
}

/// The links that lead nowhere. Those of the 404 page, which is shown at any
/// address, start from the root, as do those of the table of contents: both
/// pages lie there.
fn faults(
    files: &BTreeSet<PathBuf>,
    pages: &BTreeMap<&Path, Tags>,
) -> Vec<String> {
    let mut faults = Vec::new();
    for (page, Tags { links, .. }) in pages {
        let folder = page.parent().expect("a folder");
        for link in links {
            if link.contains("://") || link.starts_with("data:") {
                continue;
            }
            if link.is_empty() || *link == "#" {
                faults.push(format!("{}: {link:?}", page.display()));
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let mut target = match path {
                "" => page.to_path_buf(),
                path => plain(&folder.join(path)),
            };
            // Of a folder, a server shows this.
            if path.ends_with('/') || !files.contains(&target) {
                target.push("index.html");
            }
            let has_anchor = |page: &Tags| page.anchors.contains(anchor);
            if !files.contains(&target)
                || !anchor.is_empty()
                    && !pages.get(target.as_path()).is_none_or(has_anchor)
            {
                faults.push(format!("{}: {link}", page.display()));
            }
        }
    }
    faults
}

#[test]
fn a_reference_that_nothing_defines_is_found() {
    for html in [
        "<p>a [<code>Semaphore</code>] is</p>",
        "<p><a href=\"a.html\">one</a>, [the other][nope]</p>",
    ] {
        assert!(undefined(html).is_some(), "{html}");
    }
    for html in [
        "<pre><code>a[i][j] [<code>x</code>]</code></pre>",
        "<p>[1] <code>a[i][j]</code></p>",
        "<p>[a] [b]</p>",
    ] {
        assert_eq!(undefined(html), None);
    }
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let pages = [
        ("404.html", r#"<base href="/"><a href="bread/#rye"><a href="../b">"#),
        ("a.html", r##"<a href="bread/"><a href="bread#rye"><a href="#up">"##),
        ("b.html", r#"<a href="none/"><img src="none"><a href="a.html/">"#),
        ("bread/index.html", r#"<a href="../a.html"><a href="/" id="rye">"#),
        ("c.html", r#"<a href="bread#up"><a href="bread/index.html#up">"#),
        ("empty.html", r##"<a href=""><a href="#"><img srcset="no.png 2x">"##),
        ("none/d.html", r##"<p title=">">&lt;p id="up"></p><a href="#up">"##),
    ]
    .map(|(page, html)| (Path::new(page), tags(html)));
    let pages = BTreeMap::from(pages);
    let files = pages.keys().map(|&page| page.to_owned()).collect();
    let expected = [
        "404.html: ../b",
        "a.html: #up",
        "b.html: none/",
        "b.html: none",
        "b.html: a.html/",
        "bread/index.html: /",
        "c.html: bread#up",
        "c.html: bread/index.html#up",
        "empty.html: \"\"",
        "empty.html: \"#\"",
        "empty.html: no.png 2x",
        "none/d.html: #up",
    ];
    assert_eq!(faults(&files, &pages), expected);
}

/// Whether docs.rs has such a page, `.ci/docs-rs` asks rustdoc.
#[test]
fn every_docs_rs_link_names_the_locked_version() {
    let lock = fs::read_to_string("Cargo.lock").expect("the lock file");
    let lock: toml::Table = lock.parse().expect("valid TOML");
    let packages = lock["package"].as_array().expect("a list").iter();
    let locked: Vec<String> = packages
        .map(|package| ["name", "version"].map(|key| package[key].as_str()))
        .map(|parts| parts.map(|part| part.expect("a string")))
        .map(|[name, version]| format!("https://docs.rs/{name}/{version}/"))
        .collect();
    let mut faults = Vec::new();
    for page in &BOOK.pages {
        let text = fs::read_to_string(&page.file).expect("a page");
        for link in unlocked(&text, &locked) {
            faults.push(format!("error: {}: {link}", page.file.display()));
        }
    }
    assert!(
        faults.is_empty(),
        "{}\nhelp: write https://docs.rs/CRATE/VERSION/PAGE, with the version \
         in Cargo.lock",
        faults.join("\n")
    );
}

/// The links to docs.rs that begin with none of the locked versions.
fn unlocked<'t>(text: &'t str, locked: &[String]) -> Vec<&'t str> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"https?://docs\.rs[^\s)>"]*"#).expect("a pattern")
    });
    let links = LINK.find_iter(text).map(|link| link.as_str());
    let is_locked =
        |link: &&str| locked.iter().any(|start| link.starts_with(start));
    links.filter(|link| !is_locked(link)).collect()
}

#[test]
fn a_docs_rs_link_of_another_version_is_found() {
    let locked = ["https://docs.rs/tokio/1.54.1/".to_owned()];
    let good = "[a](https://docs.rs/tokio/1.54.1/tokio/#b), <https://docs.rs/tokio/1.54.1/>";
    assert_eq!(unlocked(good, &locked), [""; 0]);
    for link in [
        "https://docs.rs/tokio",
        "https://docs.rs/tokio/latest/tokio/",
        "https://docs.rs/tokio/1.54/tokio/",
        "https://docs.rs/tokio/1.54.10/tokio/",
        "https://docs.rs/tokio-util/1.54.1/tokio_util/",
        "http://docs.rs/tokio/1.54.1/tokio/",
    ] {
        let text = format!("{good}\n\n[c]: {link}\n");
        assert_eq!(unlocked(&text, &locked), [link]);
    }
}
