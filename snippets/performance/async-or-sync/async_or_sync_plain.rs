// ANCHOR: all
use std::fs;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

fn render(address: &[u8]) -> Vec<u8> {
    [b"PARCEL\n", address].concat()
}

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: String| folder.path().join(name);
    for parcel in 0..8 {
        fs::write(path(format!("{parcel}.address")), format!("{parcel}"))?;
    }

    // ANCHOR: plain
    (0..8).into_par_iter().try_for_each(|parcel| {
        let address = fs::read(path(format!("{parcel}.address")))?;
        fs::write(path(format!("{parcel}.label")), render(&address))
    })?;
    // ANCHOR_END: plain

    for parcel in 0..8 {
        let label = fs::read_to_string(path(format!("{parcel}.label")))?;
        assert_eq!(label, format!("PARCEL\n{parcel}"));
    }
    println!("8 labels, without a runtime");
    Ok(())
}
// ANCHOR_END: all
