// ANCHOR: all
use std::fs::{self, File};
use std::io::{Error, Result, Write};
use std::path::Path;

use tempfile::{NamedTempFile, tempdir};

/// The lines of a label, and perhaps one that cannot be rendered.
fn lines(has_address: bool) -> [Result<&'static str>; 2] {
    let address = match has_address {
        true => Ok("Bergen"),
        false => Err(Error::other("no address")),
    };
    [Ok("PARCEL\n"), address]
}

fn in_place(path: &Path, lines: [Result<&str>; 2]) -> Result<()> {
    // ANCHOR: broken
    let mut file = File::create(path)?; // the old label is gone
    for line in lines {
        file.write_all(line?.as_bytes())?;
    }
    // ANCHOR_END: broken
    Ok(())
}

fn beside(folder: &Path, path: &Path, lines: [Result<&str>; 2]) -> Result<()> {
    // ANCHOR: fixed
    let mut file = NamedTempFile::new_in(folder)?;
    for line in lines {
        file.write_all(line?.as_bytes())?;
    }
    file.persist(path)?;
    // ANCHOR_END: fixed
    Ok(())
}

fn main() -> Result<()> {
    let folder = tempdir()?;
    let (folder, path) = (folder.path(), folder.path().join("7.label"));
    fs::write(&path, "the old label")?;
    assert!(beside(folder, &path, lines(false)).is_err());
    let fixed = fs::read_to_string(&path)?;
    assert_eq!(fs::read_dir(folder)?.count(), 1, "no temporary file");

    beside(folder, &path, lines(true))?;
    assert_eq!(fs::read_to_string(&path)?, "PARCEL\nBergen");

    assert!(in_place(&path, lines(false)).is_err());
    let broken = fs::read_to_string(&path)?;
    println!("File::create: {broken:?}");
    println!("persist: {fixed:?}");
    assert_eq!((&*broken, &*fixed), ("PARCEL\n", "the old label"));
    Ok(())
}
// ANCHOR_END: all
