//! Finds the book, and renders it with mdBook's own library.

use std::env;
use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{self, Component, Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Result, bail};
use mdbook_driver::MDBook;
use mdbook_driver::config::Config;
use url::Url;
use walkdir::WalkDir;

use crate::{epub, failed, lines, pages};

/// The script of the Run buttons, and where book.toml lists the others.
const RUN: &str = "theme/run.js";
const SCRIPTS: &str = "output.html.additional-js";

/// The styles of the drawings.
const DRAWINGS: &str = "theme/timeline.css";

/// The book's source on disk.
pub struct Book {
    root: PathBuf,
    src: PathBuf,
}

impl Book {
    /// The book in the current folder, or in the nearest one above it, that
    /// has both a `book.toml` and the `SUMMARY.md` that it leads to.
    ///
    /// # Errors
    ///
    /// Where there is none, or a `book.toml` on the way cannot be read.
    pub fn find() -> Result<Book> {
        let current = env::current_dir()
            .map_err(failed("cannot tell the current folder", "change it"))?;
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
            "no book in {} or above it; change to the cookbook's folder",
            current.display()
        )
    }

    /// The folder of `book.toml`, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn sources(&self) -> [PathBuf; 4] {
        let [toml, snippets, theme] =
            ["book.toml", "snippets", "theme"].map(|name| self.root.join(name));
        [toml, self.src.clone(), snippets, theme]
    }

    fn files(&self) -> impl Iterator<Item = (PathBuf, Metadata)> {
        self.sources().into_iter().flat_map(|source| {
            let files = WalkDir::new(source).follow_links(true);
            // One that goes away meanwhile is none.
            files.sort_by_file_name().into_iter().filter_map(|file| {
                let file = file.ok()?;
                let metadata = file.metadata().ok()?;
                Some((file.into_path(), metadata))
            })
        })
    }

    /// A number that changes whenever a file changes that the book is made of.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (path, metadata) in self.files() {
            path.hash(&mut hasher);
            metadata.len().hash(&mut hasher);
            metadata.modified().ok().hash(&mut hasher);
        }
        hasher.finish()
    }

    /// When the newest file was written that the book is made of.
    fn modified(&self) -> SystemTime {
        let times = self.files().filter_map(|(_, file)| file.modified().ok());
        times.max().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Renders for readers elsewhere, at this address if there is one, and
    /// returns the folder of the HTML.
    ///
    /// # Errors
    ///
    /// Besides those of rendering, and what the guard finds: `dest` holds what
    /// mdBook has not made, and would delete; or it lies among the sources, or
    /// around them.
    pub fn build(&self, dest: &Path, address: Option<&Url>) -> Result<PathBuf> {
        let dest = self.writable(dest)?;
        let mut config = configuration(&self.root)?;
        if let Some(address) = address {
            config.set("output.html.site-url", address.path())?;
        }
        self.render(&dest, config, address)
    }

    /// Makes an EPUB of the rendered book, in the folder of its HTML; its file.
    pub fn epub(&self, html: &Path) -> Result<PathBuf> {
        let config = configuration(&self.root)?;
        // A drawing in a file of its own has no page to take the styles from.
        let style = fs::read_to_string(self.root.join(DRAWINGS));
        let style = style.unwrap_or_default();
        epub::write(html, &config.book, self.modified(), &style)
    }

    /// Renders to be served from the root of a server.
    ///
    /// Deletes what is in `dest`, an absolute path, before it writes there.
    /// Returns the folder of the HTML.
    pub fn render_to_serve(&self, dest: &Path) -> Result<PathBuf> {
        let mut config = configuration(&self.root)?;
        // The 404 page finds its styles by this, whatever path was asked for.
        config.set("output.html.site-url", "/")?;
        // Only here is there a server to run what a page shows.
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
        // A block that nothing checks is shown nowhere.
        mdbook_skeptic::Book::load(&self.root).map_err(|p| lines(&p))?;
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
            "mend it and try again",
        ))?;
        pages::describe(&html, &about, address)?;
        Ok(html)
    }

    /// Makes the folder where there is none; its absolute path, if mdBook may
    /// delete what is in it.
    fn writable(&self, dest: &Path) -> Result<PathBuf> {
        let elsewhere = "name another folder with `--dest`";
        let shown = dest.display();
        let cannot = || failed(format!("cannot write to {shown}"), elsewhere);
        let dest = resolved(dest).map_err(cannot())?;
        for source in self.sources() {
            let source = resolved(&source).map_err(cannot())?;
            if dest.starts_with(&source) || source.starts_with(&dest) {
                bail!("{shown} lies among the book's sources; {elsewhere}");
            }
        }
        fs::create_dir_all(&dest).map_err(cannot())?;
        let mut files = fs::read_dir(&dest).map_err(cannot())?;
        if files.next().is_some() && !made_by_mdbook(&dest) {
            bail!(
                "{shown} holds files that mdBook has not made; {elsewhere}, \
                 or empty this one"
            );
        }
        Ok(dest)
    }
}

/// An absolute path without links and `..`, also of what does not exist yet.
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

/// Whether a folder is a rendered book, and nobody's repository besides.
fn made_by_mdbook(folder: &Path) -> bool {
    // mdBook writes this file, with this sentence, into each book.
    fs::read_to_string(folder.join(".nojekyll"))
        .is_ok_and(|text| text.contains("mdBook's output"))
        && !folder.join(".git").exists()
}

fn configuration(root: &Path) -> Result<Config> {
    let file = root.join("book.toml");
    let cannot = failed(format!("cannot read {}", file.display()), "mend it");
    Config::from_disk(&file).map_err(cannot)
}
