//! Finds the book, and renders it with mdBook's own library.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{self, Component, Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Result, bail};
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use mdbook_skeptic::is_editors;
use url::Url;
use walkdir::{DirEntry, WalkDir};

use crate::{epub, failed, feet, joined, pages};

/// The script of the Run buttons, and the key of book.toml for scripts.
const RUN: &str = "theme/run.js";
const SCRIPTS: &str = "output.html.additional-js";

/// The path of the WebSocket by which the server asks a page to reload. A `/`
/// and the version of the page follow.
pub const LIVE_RELOAD: &str = "live-reload";

/// The styles of the timelines.
const TIMELINES: &str = "theme/timeline.css";

/// The book's source on disk.
pub struct Book {
    root: PathBuf,
    src: PathBuf,
}

impl Book {
    /// The book in the current folder, or in the nearest one above it, that
    /// has both a `book.toml` and the `SUMMARY.md` of its `src`.
    ///
    /// # Errors
    ///
    /// There is none, or one of these `book.toml` cannot be read.
    pub fn find() -> Result<Book> {
        let current = env::current_dir().map_err(failed(
            "cannot determine the current folder",
            "change to the cookbook's folder",
        ))?;
        for root in current.ancestors() {
            if !root.join("book.toml").is_file() {
                continue;
            }
            let src = root.join(configuration(root)?.book.src);
            if src.join("SUMMARY.md").is_file() {
                return Ok(Book { root: root.to_owned(), src });
            }
        }
        bail!(
            "no book in {} or above it\n\
             help: change to the cookbook's folder",
            current.display()
        )
    }

    /// The folder of `book.toml`, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of `SUMMARY.md`, absolute.
    pub fn src(&self) -> &Path {
        &self.src
    }

    /// The files and folders that the book is made of.
    fn source_paths(&self) -> Vec<PathBuf> {
        // `.ci/run` has the commands that pages show.
        let names = ["book.toml", "benches", "snippets", "theme", ".ci/run"];
        let paths = names.into_iter().map(|name| self.root.join(name));
        paths.chain([self.src.clone()]).collect()
    }

    /// The files that the book is made of, as they are now.
    pub fn sources(&self) -> Sources {
        let files = self.source_paths().into_iter().flat_map(|source| {
            WalkDir::new(source).follow_links(true).into_iter()
        });
        let state = |file: DirEntry| {
            let path = file.path();
            let path = path.strip_prefix(&self.root).unwrap_or(path).to_owned();
            let metadata = file.metadata().ok()?;
            Some((path, (metadata.len(), metadata.modified().ok()?)))
        };
        // A file that is deleted in the meantime is an error, and left out.
        let files = files.filter_map(Result::ok);
        let files = files.filter(|file| {
            file.file_type().is_file() && !is_editors(file.path())
        });
        Sources(files.filter_map(state).collect())
    }

    /// Renders the book to be published, at this address if it is known, and
    /// returns the folder of the HTML.
    ///
    /// # Errors
    ///
    /// The book has problems or cannot be rendered. `dest` holds files that
    /// are not mdBook's output, which mdBook would delete; or it overlaps the
    /// sources.
    pub fn build(&self, dest: &Path, address: Option<&Url>) -> Result<PathBuf> {
        let dest = self.writable(dest)?;
        let mut config = configuration(&self.root)?;
        if let Some(address) = address {
            config.set("output.html.site-url", address.path())?;
        }
        self.render(&dest, config, address)
    }

    /// Writes the rendered book as an EPUB into the folder of its HTML, and
    /// returns its path.
    pub fn epub(&self, html: &Path) -> Result<PathBuf> {
        let config = configuration(&self.root)?;
        // In a file of its own, a drawing does not have the page's styles.
        let style = fs::read_to_string(self.root.join(TIMELINES));
        let style = style.unwrap_or_default();
        epub::write(html, &config.book, self.sources().modified(), &style)
    }

    /// Renders the book to be served from the root of a server: with Run
    /// buttons, and with pages that reload when the server has another version.
    ///
    /// Deletes the content of `dest`, an absolute path. Returns the folder of
    /// the HTML.
    pub fn render_to_serve(
        &self,
        dest: &Path,
        version: &str,
    ) -> Result<PathBuf> {
        let mut config = configuration(&self.root)?;
        let endpoint = format!("{LIVE_RELOAD}/{version}");
        config.set("output.html.live-reload-endpoint", endpoint)?;
        // The 404 page finds its styles by this, for every requested path.
        config.set("output.html.site-url", "/")?;
        // Only this server can run the programs of a page.
        if self.root.join(RUN).is_file() {
            let mut scripts: Vec<String> =
                config.get(SCRIPTS)?.unwrap_or_default();
            scripts.push(RUN.to_owned());
            config.set(SCRIPTS, scripts)?;
        }
        self.render(dest, config, None)
    }

    fn render(
        &self,
        dest: &Path,
        mut config: Config,
        address: Option<&Url>,
    ) -> Result<PathBuf> {
        // A book with an unchecked block is not shown.
        let checked =
            mdbook_skeptic::Book::load(&self.root).map_err(|p| joined(&p))?;
        config.build.build_dir = dest.to_owned();
        // mdBook would write the pages that are missing into the sources.
        config.build.create_missing = false;
        let about = config.book.clone();
        let rendered =
            MDBook::load_with_config(&self.root, config).and_then(|book| {
                book.build()?;
                Ok(book.build_dir_for("html"))
            });
        let html = rendered.map_err(failed(
            "cannot render the book",
            "correct the book and try again",
        ))?;
        pages::describe(&html, &about, address)?;
        feet::write(&html, &checked)?;
        Ok(html)
    }

    /// Creates the folder if it does not exist. Returns its absolute path, if
    /// mdBook may delete its content.
    fn writable(&self, dest: &Path) -> Result<PathBuf> {
        let elsewhere = "choose another folder with `--dest`";
        let shown = dest.display();
        let cannot = || failed(format!("cannot write to {shown}"), elsewhere);
        let dest = resolved(dest).map_err(cannot())?;
        for source in self.source_paths() {
            let source = resolved(&source).map_err(cannot())?;
            if dest.starts_with(&source) || source.starts_with(&dest) {
                bail!("{shown} overlaps the book's sources\nhelp: {elsewhere}");
            }
        }
        fs::create_dir_all(&dest).map_err(cannot())?;
        let mut files = fs::read_dir(&dest).map_err(cannot())?;
        if files.next().is_some() && !made_by_mdbook(&dest) {
            bail!(
                "{shown} holds files that are not mdBook's output\n\
                 help: {elsewhere}, or empty this one"
            );
        }
        Ok(dest)
    }
}

/// The files that a book is made of, each with its length and its date.
pub struct Sources(BTreeMap<PathBuf, (u64, SystemTime)>);

impl Sources {
    /// The names of the files that differ, at most three of them; none if
    /// all files are the same.
    pub fn changed_since(&self, earlier: &Sources) -> Option<String> {
        let paths: BTreeSet<_> =
            self.0.keys().chain(earlier.0.keys()).collect();
        let changed = paths.into_iter().filter(|path| {
            let path = path.as_path();
            self.0.get(path) != earlier.0.get(path)
        });
        let names: Vec<_> =
            changed.map(|path| path.display().to_string()).collect();
        match &names[..] {
            [] => None,
            [_, _, _, rest @ ..] if !rest.is_empty() => Some(format!(
                "{} and {} more",
                names[..3].join(", "),
                rest.len()
            )),
            names => Some(names.join(", ")),
        }
    }

    /// A text that differs for other files, lengths or dates.
    pub fn version(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The date of the newest file.
    fn modified(&self) -> SystemTime {
        let dates = self.0.values().map(|(_, modified)| *modified);
        dates.max().unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// An absolute path without links and `..`; the file need not exist.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut resolved = PathBuf::new();
    for part in path::absolute(path)?.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
        if resolved.exists() {
            resolved = resolved.canonicalize()?;
        }
    }
    Ok(resolved)
}

/// Whether a folder is a rendered book, and not a repository as well.
fn made_by_mdbook(folder: &Path) -> bool {
    // mdBook writes this file, with this sentence, into each book.
    fs::read_to_string(folder.join(".nojekyll"))
        .is_ok_and(|text| text.contains("mdBook's output"))
        && !folder.join(".git").exists()
}

fn configuration(root: &Path) -> Result<Config> {
    let file = root.join("book.toml");
    let cannot = format!("cannot read {}", file.display());
    Config::from_disk(&file).map_err(failed(cannot, "correct this file"))
}
