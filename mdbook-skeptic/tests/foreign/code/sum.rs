// ANCHOR: all
fn main() -> anyhow::Result<()> {
    // ANCHOR: sum
    let sum = 1 + 1;
    anyhow::ensure!(sum == 2, "not {sum}");
    // ANCHOR_END: sum
    println!("{sum}");
    Ok(())
}
// ANCHOR_END: all
