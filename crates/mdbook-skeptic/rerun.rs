//! The build script of the recipes that read files when they are compiled: cargo
//! does not know which files a macro has read.

use std::path::Path;

fn main() {
    for folder in ["migrations", ".sqlx"] {
        // A path that does not exist counts as changed in every build.
        if Path::new(folder).exists() {
            println!("cargo::rerun-if-changed={folder}");
        }
    }
}
