//! The build script of the recipes that read files when they are compiled: cargo
//! does not know which files a macro has read.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed=.sqlx");
}
