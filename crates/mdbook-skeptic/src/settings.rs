//! The guard's table in `book.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mdbook_driver::config::Config;
use toml::Value;

/// What `[preprocessor.skeptic]` in `book.toml` says.
///
/// mdBook takes no tables of its own making, and runs what stands under
/// `preprocessor`, so the table needs `renderers = []`: run for no renderer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// `snippets`: the folder of the programs, in which every file must be
    /// shown by a page.
    pub snippets: Option<PathBuf>,
    /// `time-limit`, in seconds: what runs longer is killed. 60 by default.
    pub time_limit: Duration,
    /// `commands`: the script that runs what `sh` fences show.
    pub commands: Option<PathBuf>,
    /// `features`: which use of a crate asks for which of its features; a
    /// table per crate, in it `feature = ["regular expression", …]`.
    pub features: Option<PathBuf>,
    /// `parts`: the script that says which lines of a page's Python correspond
    /// to which of its Rust.
    pub parts: Option<PathBuf>,
    /// `plots`: the folder of figures that a test of the book's own compares
    /// with what was measured.
    pub plots: Option<PathBuf>,
    /// `services`: for an environment variable that a program reads, the
    /// script that starts the server whose address it holds.
    pub services: BTreeMap<String, PathBuf>,
}

impl Settings {
    pub(crate) fn read(config: &Config) -> Result<Settings, String> {
        let mut settings = Settings {
            snippets: None,
            time_limit: Duration::from_secs(60),
            commands: None,
            features: None,
            parts: None,
            plots: None,
            services: BTreeMap::new(),
        };
        let table: Option<toml::Table> = config
            .get("preprocessor.skeptic")
            .map_err(|error| format!("{error:#}"))?;
        let Some(table) = table else { return Ok(settings) };
        let nobody = Value::Array(Vec::new());
        if table.get("renderers") != Some(&nobody) {
            return Err(
                "[preprocessor.skeptic] needs `renderers = []`: it is \
                        settings, not a program for mdBook to run"
                    .into(),
            );
        }
        for (key, value) in &table {
            match (key.as_str(), value) {
                ("renderers", _) => {}
                ("snippets", Value::String(folder)) => {
                    settings.snippets = Some(folder.into());
                }
                ("time-limit", Value::Integer(seconds @ 1..=3600)) => {
                    settings.time_limit =
                        Duration::from_secs(seconds.unsigned_abs());
                }
                ("commands", Value::String(script)) => {
                    settings.commands = Some(script.into());
                }
                ("features", Value::String(file)) => {
                    settings.features = Some(file.into());
                }
                ("parts", Value::String(script)) => {
                    settings.parts = Some(script.into());
                }
                ("plots", Value::String(folder)) => {
                    settings.plots = Some(folder.into());
                }
                ("services", Value::Table(services)) => {
                    for (variable, script) in services {
                        let script = script
                            .as_str()
                            .ok_or("`services` names scripts, as strings")?;
                        settings
                            .services
                            .insert(variable.clone(), script.into());
                    }
                }
                _ => {
                    return Err(format!(
                        "`{key} = {value}` is no setting of the guard's; it \
                         has `snippets = \"folder\"`, `time-limit = 60` (1 \
                         to 3600 seconds), `commands = \"script\"`, \
                         `features = \"file.toml\"`, `parts = \"script.js\"`, \
                         `plots = \"folder\"` and \
                         `services = {{ VARIABLE = \"script\" }}`"
                    ));
                }
            }
        }
        Ok(settings)
    }
}
