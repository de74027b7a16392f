//! The guard's table in `book.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mdbook_driver::config::Config;
use serde::Deserialize;

/// What `[preprocessor.skeptic]` in `book.toml` says.
///
/// mdBook takes no tables of its own making, and runs what stands under
/// `preprocessor`, so the table needs `renderers = []`: run for no renderer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Settings {
    renderers: Option<Vec<String>>,
    /// The folder of the programs, in which every file must be shown by a
    /// page.
    pub snippets: Option<PathBuf>,
    /// In seconds, 1 to 3600: what runs longer is killed. 60 by default.
    pub time_limit: u64,
    /// The script that runs what `sh` fences show.
    pub commands: Option<PathBuf>,
    /// Which use of a crate asks for which of its features; a table per crate,
    /// in it `feature = ["regular expression", …]`.
    pub features: Option<PathBuf>,
    /// The script that says which lines of a page's Python correspond to which
    /// of its Rust.
    pub parts: Option<PathBuf>,
    /// The folder of figures that a test of the book's own compares with what
    /// was measured.
    pub plots: Option<PathBuf>,
    /// The file in which is kept what became of the mutants of the book.
    pub mutants: Option<PathBuf>,
    /// The package with the stress tests of programs: those of a recipe are
    /// the module `tests/<chapter>/<recipe>.rs` of its test `stress_<chapter>`.
    pub stress: Option<PathBuf>,
    /// For an environment variable that a program reads, the script that
    /// starts the server whose address it holds.
    pub services: BTreeMap<String, PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            renderers: None,
            snippets: None,
            time_limit: 60,
            commands: None,
            features: None,
            parts: None,
            plots: None,
            mutants: None,
            stress: None,
            services: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The variable and the script of the service that a program needs: it
    /// names the variable.
    pub(crate) fn service_of(&self, program: &str) -> Option<(&str, &Path)> {
        let mut services = self.services.iter();
        let (variable, script) = services
            .find(|(name, _)| program.contains(&format!("\"{name}\"")))?;
        Some((variable, script))
    }

    pub(crate) fn read(config: &Config) -> Result<Settings, String> {
        let table = config.get("preprocessor.skeptic");
        let table: Option<Settings> =
            table.map_err(|error| format!("{error:#}"))?;
        let Some(settings) = table else { return Ok(Settings::default()) };
        if settings.renderers.as_ref().is_none_or(|some| !some.is_empty()) {
            return Err(
                "[preprocessor.skeptic] needs `renderers = []`: it is \
                        settings, not a program for mdBook to run"
                    .into(),
            );
        }
        if !(1..=3600).contains(&settings.time_limit) {
            return Err("`time-limit` is 1 to 3600 seconds".into());
        }
        Ok(settings)
    }
}
