// ANCHOR: all
#[test]
fn one_and_one_are_two() {
    assert_eq!(1 + 1, 2);
}
// ANCHOR_END: all
