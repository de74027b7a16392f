fn main() {
    mdbook_skeptic::build();
}
