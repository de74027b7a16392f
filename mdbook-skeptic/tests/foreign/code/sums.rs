// ANCHOR: all
#[test]
fn one_and_one_are_two() {
    assert_eq!(1 + 1, 2);
}

#[test]
fn the_server_says_so_too() {
    let said = std::env::var("SUM_SERVER");
    assert_eq!(said.as_deref(), Ok("2"));
}
// ANCHOR_END: all
