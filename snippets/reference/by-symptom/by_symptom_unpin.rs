// ANCHOR: all
async fn repair() -> &'static str {
    "bike"
}

#[tokio::main]
async fn main() {
    let mut repaired = repair();
    println!("{}", (&mut repaired).await);
}
// ANCHOR_END: all
