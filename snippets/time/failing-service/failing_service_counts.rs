// ANCHOR: all
/// Which call opens the breaker, if one does.
fn opened_by(
    calls: &[u16],
    is_failure: fn(u16) -> bool,
    mut opens: impl FnMut(bool) -> bool,
) -> Option<usize> {
    calls.iter().position(|status| opens(is_failure(*status)))
}

// ANCHOR: broken_kind
fn is_error(status: u16) -> bool {
    status != 200
}
// ANCHOR_END: broken_kind

// ANCHOR: fixed_kind
fn is_failure(status: u16) -> bool {
    matches!(status, 429 | 500 | 502..=504)
}
// ANCHOR_END: fixed_kind

// ANCHOR: broken
/// Opens after five failures in a row.
fn in_a_row(failures: &mut u32, failed: bool) -> bool {
    *failures = if failed { *failures + 1 } else { 0 };
    *failures >= 5
}
// ANCHOR_END: broken

// ANCHOR: fixed
/// Opens after five failures in a row, or more than one in three.
fn score(score: &mut u32, failed: bool) -> bool {
    *score = if failed { *score + 2 } else { score.saturating_sub(1) };
    *score >= 10
}
// ANCHOR_END: fixed

fn main() {
    // Callers that track parcels which the carrier does not know.
    let unknown = [&[200; 4][..], &[404; 8], &[200]].concat();
    let [broken, fixed] = [is_error as fn(u16) -> bool, is_failure].map(|of| {
        let mut failures = 0;
        opened_by(&unknown, of, |failed| in_a_row(&mut failures, failed))
    });
    println!("404: every error {broken:?}, a failure {fixed:?}");
    assert_eq!((broken, fixed), (Some(8), None));

    // Every other call fails.
    let every_other = [200, 503].repeat(500);
    let (mut failures, mut points) = (0, 0);
    let broken = opened_by(&every_other, is_failure, |failed| {
        in_a_row(&mut failures, failed)
    });
    let fixed = opened_by(&every_other, is_failure, |failed| {
        score(&mut points, failed)
    });
    println!("every other: in a row {broken:?}, the score {fixed:?}");
    assert_eq!((broken, fixed), (None, Some(17)));
    // So many calls until it opens, on average, if failures come at random.
    let mut rng = fastrand::Rng::with_seed(7);
    let every = [0.2, 0.3, 0.5].map(|share| {
        let (mut points, mut opened) = (0, 0);
        for _ in 0..1_000_000 {
            if score(&mut points, rng.f64() < share) {
                (points, opened) = (0, opened + 1);
            }
        }
        1_000_000 / opened
    });
    println!("at random: 20 % fail, 30 %, 50 %: opens after {every:?}");
    assert!((500..900).contains(&every[0]) && every[2] < 20);
    // Five in a row.
    let mut points = 0;
    let fixed =
        opened_by(&[503; 9], is_failure, |failed| score(&mut points, failed));
    assert_eq!(fixed, Some(4));
    for status in [400, 404, 429, 500, 501, 502, 503, 504, 505] {
        let expected = [429, 500, 502, 503, 504].contains(&status);
        assert_eq!(is_failure(status), expected, "{status}");
    }
}
// ANCHOR_END: all
