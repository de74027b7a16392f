//! The book as it is served: rendered again when its sources change.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::render::{Book, Sources};
use crate::{failed, print, report};

/// How often the sources are compared while a page is open.
const INTERVAL: Duration = Duration::from_millis(500);

/// The book, and the last rendering of it that has succeeded.
pub struct Site {
    book: Book,
    /// The sources of the last attempt to render, successful or not.
    attempted: Mutex<Sources>,
    rendering: watch::Sender<Arc<Rendering>>,
}

/// A rendered book in a folder of its own, which is deleted with it.
pub struct Rendering {
    /// Tells this rendering from one of other sources, also after a restart.
    pub version: String,
    pub html: PathBuf,
    _folder: TempDir,
}

impl Site {
    /// # Errors
    ///
    /// The book cannot be rendered.
    pub fn new(book: Book) -> Result<Site> {
        let sources = book.sources();
        let rendering = Arc::new(Rendering::new(&book, &sources)?);
        let rendering = watch::Sender::new(rendering);
        Ok(Site { book, attempted: Mutex::new(sources), rendering })
    }

    /// The rendering of the sources as they are now. If they cannot be
    /// rendered, the earlier one.
    pub async fn current(self: &Arc<Self>) -> Arc<Rendering> {
        let site = Arc::clone(self);
        // If it panics, the earlier rendering is as good as after an error.
        let update = spawn_blocking(move || site.update()).await;
        if let Ok(Some(update)) = update {
            // Not awaited: a terminal that is stopped takes no line.
            drop(spawn_blocking(move || update.print()));
        }
        self.latest()
    }

    /// The last rendering, even if the sources have changed since.
    pub fn latest(&self) -> Arc<Rendering> {
        Arc::clone(&self.rendering.borrow())
    }

    /// Waits for a rendering of another version than this one. Until then, a
    /// page of this version counts as open.
    pub async fn wait_for_another(&self, version: &str) {
        let mut rendering = self.rendering.subscribe();
        // It cannot fail: the sender lives as long as `self`.
        _ = rendering.wait_for(|latest| latest.version != version).await;
    }

    /// Renders changed sources as long as a page is open; never returns.
    pub async fn watch(self: Arc<Self>) {
        loop {
            sleep(INTERVAL).await;
            if self.rendering.receiver_count() > 0 {
                self.current().await;
            }
        }
    }

    /// Renders the book if its sources have changed since the last attempt.
    fn update(&self) -> Option<Update> {
        let mut attempted =
            self.attempted.lock().unwrap_or_else(PoisonError::into_inner);
        let sources = self.book.sources();
        let changed = sources.changed_since(&attempted)?;
        *attempted = sources;
        let start = Instant::now();
        let rendered = Rendering::new(&self.book, &attempted);
        let rendered = rendered.map(|rendering| {
            self.rendering.send_replace(Arc::new(rendering));
            start.elapsed()
        });
        Some(Update { changed, rendered })
    }
}

/// An attempt to render the book again.
struct Update {
    /// Names of files, for a person.
    changed: String,
    /// How long it took.
    rendered: Result<Duration>,
}

impl Update {
    fn print(&self) {
        let changed = &self.changed;
        match &self.rendered {
            Ok(took) => note(&format!(
                "{changed} changed; rendered again in {:.1} s",
                took.as_secs_f64()
            )),
            Err(error) => {
                note(&format!("{changed} changed; the pages stay as before"));
                report("error", format!("{error:#}"));
            }
        }
    }
}

/// Prints a line. The server continues even if it cannot be printed.
fn note(line: &str) {
    if let Err(error) = print(line) {
        report("error", format!("{error:#}"));
    }
}

impl Rendering {
    fn new(book: &Book, sources: &Sources) -> Result<Rendering> {
        let folder =
            TempDir::with_prefix("async-cookbook-").map_err(failed(
                "cannot create a temporary folder",
                "set TMPDIR to a folder that you can write to",
            ))?;
        let version = sources.version();
        let html = book.render_to_serve(folder.path(), &version)?;
        Ok(Rendering { version, html, _folder: folder })
    }
}
