//! `build`: folders, addresses, EPUB.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::serve::UNKNOWN_KEY;
use crate::support::book::TestBook;
use crate::support::process::{error_of, finish};
use crate::with_command;

#[test]
fn build_renders_to_a_fresh_folder_and_again() {
    with_command(|| {
        let book = TestBook::new();
        let dest = book.at("out/deep");
        let arguments = ["build", "--dest", "out/deep"];
        let end = book.run(&arguments);
        assert!(end.status.success(), "{}", end.stderr);
        assert!(end.stdout.contains("out/deep"), "{}", end.stdout);
        assert!(dest.join("tracking/find-parcel.html").is_file());
        assert!(dest.join("404.html").is_file());

        // The second build may replace the first, and deletes old pages.
        book.write("out/deep/stale.html", "");
        assert!(book.run(&arguments).status.success());
        assert!(!dest.join("stale.html").exists());
        assert!(dest.join("index.html").is_file());
    });
}

#[test]
fn build_renders_to_target_book_from_any_folder() {
    with_command(|| {
        let book = TestBook::new();
        let mut command = book.command(&["build"]);
        let end = finish(command.current_dir(book.at("src/tracking")));
        assert!(end.status.success(), "{}", end.stderr);
        assert!(book.at("target/book/index.html").is_file());
    });
}

#[test]
fn build_deletes_no_other_files() {
    with_command(|| {
        let book = TestBook::new();
        book.write("precious/novel.txt", "Chapter 1");
        book.write("hand-made/.nojekyll", "");
        book.write("site/.git/HEAD", "ref: refs/heads/pages");
        for folder in ["site", "."] {
            let mark = format!("{folder}/.nojekyll");
            book.write(&mark, "... process mdBook's output.\n");
        }
        for (dest, kept) in [
            ("precious", "precious/novel.txt"),
            ("hand-made", "hand-made/.nojekyll"),
            ("site", "site/.git/HEAD"),
            (".", "book.toml"),
        ] {
            let error = if dest == "." {
                "overlaps the book's sources\n\
                 help: choose another folder with `--dest`\n"
            } else {
                "holds files that are not mdBook's output\n\
                 help: choose another folder with `--dest`, or empty this one\n"
            };
            let mut command = book.command(&["build", "--dest", dest]);
            assert_eq!(
                error_of(&mut command),
                format!("error: {dest} {error}")
            );
            assert!(book.at(kept).is_file(), "{dest}");
            assert!(!book.at(dest).join("index.html").exists(), "{dest}");
        }
    });
}

#[test]
fn build_writes_neither_into_the_sources_nor_over_a_file() {
    with_command(|| {
        let book = TestBook::new();
        for dest in [
            "src",
            "src/html",
            "new/../src/html",
            "book.toml",
            "book.toml/html",
        ] {
            let mut command = book.command(&["build", "--dest", dest]);
            let message = error_of(&mut command);
            let help = "\nhelp: choose another folder with `--dest`\n";
            assert!(message.ends_with(help), "{dest}: {message}");
        }
        assert!(book.at("src/SUMMARY.md").is_file());
        assert!(
            !book.at("src/html").exists(),
            "no empty folder is left behind"
        );
    });
}

#[test]
fn build_creates_no_page_that_only_the_summary_has() {
    with_command(|| {
        let book = TestBook::new();
        book.append("src/SUMMARY.md", "- [Missing](missing.md)\n");
        let message = error_of(&mut book.command(&["build"]));
        assert!(message.contains("missing.md"), "{message}");
        assert!(!book.at("src/missing.md").exists());
    });
}

#[test]
fn build_fails_if_mdbook_logs_errors() {
    with_command(|| {
        let book = TestBook::new();
        book.append("book.toml", UNKNOWN_KEY);
        let end = book.run(&["build"]);
        assert_eq!(end.status.code(), Some(1));
        assert!(end.stderr.contains("`depot-map`"), "{}", end.stderr);
        let error = "\nerror: mdBook has logged errors, and left out what they \
                     name\nhelp: correct the errors above and build again\n";
        assert!(end.stderr.ends_with(error), "{}", end.stderr);
    });
}

/// The contents of the `<meta>` elements of this name in a page.
fn metas(html: &str, name: &str) -> Vec<String> {
    let mark = format!("=\"{name}\" content=\"");
    let parts = html.split(&mark).skip(1);
    let contents = parts.filter_map(|part| part.split('"').next());
    contents.map(ToOwned::to_owned).collect()
}

#[test]
fn every_page_has_a_description() {
    with_command(|| {
        let book = TestBook::new();
        book.write(
            "src/labels/README.md",
            &format!(
                "# Labels\n\nPrint `\"<labels>\"` &\nscans. {}\n\nMore.\n",
                "Every day, ".repeat(20)
            ),
        );
        let server = book.serve(&["--port", "0"]);
        let page = server.get("/tracking/find-parcel.html").body;
        assert_eq!(metas(&page, "description"), ["By its number."]);
        assert_eq!(metas(&page, "og:description"), ["By its number."]);
        assert_eq!(metas(&page, "og:title"), ["Find a parcel"]);
        assert_eq!(metas(&page, "og:type"), ["article"]);
        assert_eq!(metas(&page, "og:site_name"), ["Parcels"]);
        assert_eq!(metas(&page, "twitter:card"), ["summary"]);
        assert!(metas(&page, "og:url").is_empty(), "it has no address");
        assert!(page.contains("<title>Find a parcel - Parcels</title>"));
        let home = server.get("/").body;
        assert_eq!(metas(&home, "description"), ["Welcome to the depot."]);
        assert_eq!(metas(&home, "og:type"), ["website"]);
        let labels = server.get("/labels/").body;
        let [description] = &metas(&labels, "description")[..] else {
            panic!("one description: {labels}");
        };
        let begin = "Print &quot;&lt;labels&gt;&quot; &amp; scans. Every day";
        assert!(description.starts_with(begin), "{description}");
        assert!(description.ends_with(" day…"), "a word's end: {description}");
        let length = description.chars().count();
        assert!((150..200).contains(&length), "{description}");
        // One without text has the description of the book.
        assert_eq!(
            metas(&server.get("/labels/print-label.html").body, "description")
                .len(),
            1
        );
    });
}

#[test]
fn every_page_says_in_its_foot_what_was_checked() {
    with_command(|| {
        let book = TestBook::new();
        assert!(book.run(&["build", "--dest", "out"]).status.success());
        for (page, begin) in [
            ("index.html", "Checks of this book: 0 of 4 "),
            ("welcome.html", "Checks of this book: 0 of 4 "),
            ("tracking/find-parcel.html", "Checks of this page: 0 of 3 "),
            ("labels/index.html", "Checks of this book: 0 of 4 "),
            ("labels/print-label.html", "Checks of this page: 0 of 1 "),
        ] {
            let page = book.read(&format!("out/{page}"));
            let feet: Vec<_> =
                page.split("<footer class=\"checked\">").skip(1).collect();
            let [foot] = feet[..] else { panic!("one foot: {page}") };
            assert!(foot.starts_with(begin), "{foot}");
            let (foot, _) = foot.split_once("</footer>").expect("its end");
            assert!(foot.contains(" with Rust 1."), "{foot}");
        }
    });
}

#[test]
fn build_with_an_address_adds_the_address_of_every_page() {
    with_command(|| {
        let book = TestBook::new();
        book.write("src/social-card.png", "a picture");
        // A slash is missing.
        let address = "https://example.org/a%20depot";
        let arguments = ["build", "--dest", "out", "--url", address];
        assert!(book.run(&arguments).status.success());
        let read = |path: &str| book.read(&format!("out/{path}"));
        for (path, url) in [
            ("index.html", ""),
            ("welcome.html", ""),
            ("tracking/find-parcel.html", "tracking/find-parcel.html"),
        ] {
            let page = read(path);
            let url = format!("{address}/{url}");
            assert_eq!(metas(&page, "og:url"), [&*url], "{path}");
            let canonical = format!("<link rel=\"canonical\" href=\"{url}\">");
            assert_eq!(page.matches(&canonical).count(), 1, "{path}");
            let picture = format!("{address}/social-card.png");
            assert_eq!(metas(&page, "og:image"), [picture], "{path}");
            let card = metas(&page, "twitter:card");
            assert_eq!(card, ["summary_large_image"], "{path}");
            let map = read("sitemap.xml");
            let place = format!("<loc>{url}</loc>");
            assert_eq!(map.matches(&place).count(), 1, "{path}");
        }
        let map = read("sitemap.xml");
        assert_eq!(map.matches("<loc>").count(), 4, "{map}");
        assert!(read("404.html").contains("<base href=\"/a%20depot/\">"));
    });
}

#[test]
fn a_template_with_two_descriptions_is_an_error() {
    with_command(|| {
        let book = TestBook::new();
        let head = "<meta name=\"description\" content=\"another\">\n";
        book.write("theme/head.hbs", head);
        let message = error_of(&mut book.command(&["build"]));
        let page = book.at("target/book/index.html").display().to_string();
        assert_eq!(
            message,
            format!(
                "error: {page} does not have the one description of mdBook's \
                 template\n\
                 help: correct the templates in theme/\n"
            )
        );
    });
}

/// The files of an EPUB, and the names in their order.
fn unpacked(file: &Path) -> (Vec<String>, impl FnMut(&str) -> String) {
    let file = fs::File::open(file).expect("the EPUB");
    let mut archive = zip::ZipArchive::new(file).expect("a ZIP archive");
    let names = (0..archive.len()).map(|index| {
        archive.by_index_raw(index).expect("a file").name().to_owned()
    });
    let names = names.collect();
    let read = move |name: &str| {
        let mut file = archive.by_name(name).expect("in the EPUB");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        text
    };
    (names, read)
}

#[test]
fn build_makes_one_epub_of_all_pages() {
    with_command(|| {
        let book = TestBook::new();
        book.replace("book.toml", "Parcels", "Parcels & Their Labels");
        book.append(
            "src/welcome.md",
            "\n[Parcels](tracking/find-parcel.md#when-it-is-unknown), \
             [elsewhere](https://example.org/a.html)  \nfresh\n\n\
             | a | b |\n|---|---|\n| 1 < 2 | `&` |\n\n\
             ```rust\n{{#rustdoc_include ../snippets/map.rs:hot}}\n```\n\n\
             > [!NOTE]\n> Hot.\n\n\
             {{#include ../snippets/map.svg}}\n",
        );
        book.write(
            "snippets/map.rs",
            "fn main() {\n    let hidden = 3;\n    // ANCHOR: hot\n    \
             let shown = 2 < hidden;\n    // ANCHOR_END: hot\n    \
             assert!(shown);\n}\n",
        );
        book.write(
            "snippets/map.svg",
            "<figure class=\"timeline\"><svg class=\"timeline\" \
             height=\"40\" viewBox=\"0 0 1 1\"><title id=\"two-maps\">Two \
             maps</title><rect width=\"1\"/></svg></figure>\n",
        );
        book.write("theme/timeline.css", ".map > rect { fill: red; }");
        let arguments = ["build", "--dest", "out", "--epub"];
        let end = book.run(&arguments);
        assert!(end.status.success(), "{}", end.stderr);
        let file = book.at("out/parcels-their-labels.epub");
        assert!(end.stdout.contains("parcels-their-labels.epub"));
        assert!(book.at("out/index.html").is_file(), "and the pages");
        let bytes = fs::read(&file).expect("the EPUB");
        // The type of the file, in the place where programs look for it.
        assert_eq!(&bytes[30..58], b"mimetypeapplication/epub+zip");

        let (names, mut read) = unpacked(&file);
        for path in ["title", "welcome", "tracking/find-parcel", "labels/index"]
        {
            let name = format!("OEBPS/{path}.xhtml");
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        let welcome = read("OEBPS/welcome.xhtml");
        for part in [
            "href=\"tracking/find-parcel.xhtml#when-it-is-unknown\"",
            "href=\"https://example.org/a.html\"",
            "<br/>",
            "<td>1 &lt; 2</td>",
            "<code>&amp;</code>",
            "let shown = 2 &lt; hidden;",
            "<img src=\"welcome.xhtml.1.svg\" alt=\"Two maps\" id=\"two-maps\" height=\"40\"/>",
            "Hot.",
        ] {
            assert!(welcome.contains(part), "{part}: {welcome}");
        }
        for part in ["hidden = 3", "<svg", "<button", "class=\"header\""] {
            assert!(!welcome.contains(part), "{part}: {welcome}");
        }
        let maps = read("OEBPS/welcome.xhtml.1.svg");
        for part in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"",
            "viewBox",
            ".map &gt; rect { fill: red; }</style>",
            "<rect width=\"1\"/>",
        ] {
            assert!(maps.contains(part), "{part}: {maps}");
        }
        let find = read("OEBPS/tracking/find-parcel.xhtml");
        assert!(find.contains(" id=\"when-it-is-unknown\""), "{find}");
        assert!(find.contains("href=\"../stylesheet.css\""), "{find}");
        let nav = read("OEBPS/nav.xhtml");
        let labels = nav.split("labels/index.xhtml\">Labels</a>").nth(1);
        let inside = labels.and_then(|rest| rest.split("</ol>").next());
        assert!(inside.is_some_and(|i| i.contains("Print a label")), "{nav}");
        let package = read("OEBPS/content.opf");
        let title = "<dc:title>Parcels &amp; Their Labels</dc:title>";
        assert!(package.contains(title), "{package}");

        // The same sources, the same bytes; and a date of the newest.
        assert!(book.run(&arguments).status.success());
        assert!(fs::read(&file).expect("the EPUB") == bytes);
        let page = fs::File::options().write(true).open(book.at("book.toml"));
        let day = Duration::from_secs(86_400 * 365 * 68 + 86_400 * 17);
        let day = SystemTime::UNIX_EPOCH + day;
        page.expect("the file").set_modified(day).expect("a date");
        assert!(book.run(&arguments).status.success());
        let package = unpacked(&file).1("OEBPS/content.opf");
        let date = "dcterms:modified\">2038-01-01T00:00:00Z<";
        assert!(package.contains(date), "{package}");
    });
}
