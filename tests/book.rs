mdbook_skeptic::tests!();
