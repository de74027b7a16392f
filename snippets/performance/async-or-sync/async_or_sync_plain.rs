// ANCHOR: all
use std::fs;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

fn shade(heights: &[u8]) -> Vec<u8> {
    let slopes = heights.windows(2);
    let rises = slopes.map(|pair| i16::from(pair[1]) - i16::from(pair[0]));
    rises.map(|rise| (128 + rise / 2) as u8).collect()
}

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = |name: String| folder.path().join(name);
    for id in 0..8 {
        fs::write(path(format!("{id}.heights")), [id, 9 * id, id])?;
    }

    // ANCHOR: plain
    (0..8).into_par_iter().try_for_each(|id| {
        let heights = fs::read(path(format!("{id}.heights")))?;
        fs::write(path(format!("{id}.tile")), shade(&heights))
    })?;
    // ANCHOR_END: plain

    for id in 0..8 {
        let tile = fs::read(path(format!("{id}.tile")))?;
        assert_eq!(tile, [128 + 4 * id, 128 - 4 * id]);
    }
    println!("8 tiles, shaded from files");
    Ok(())
}
// ANCHOR_END: all
