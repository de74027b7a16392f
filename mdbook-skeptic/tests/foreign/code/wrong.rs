// A sum of nothing.
fn main() {
    let _: u8 = "one";
}
