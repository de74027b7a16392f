// ANCHOR: all
use std::collections::VecDeque;

/// The status of an answer; none, if the time was up.
type Answer = Option<u16>;

/// Opens when three have failed in a row.
#[derive(Default)]
struct Row(u32);

impl Row {
    fn opens(&mut self, failed: bool) -> bool {
        self.0 = if failed { self.0 + 1 } else { 0 };
        self.0 == 3
    }
}

// ANCHOR: window
/// Opens when five of the last ten have failed.
#[derive(Default)]
struct Window(VecDeque<bool>);

impl Window {
    fn opens(&mut self, failed: bool) -> bool {
        self.0.push_back(failed);
        if self.0.len() > 10 {
            self.0.pop_front();
        }
        self.0.iter().filter(|failed| **failed).count() == 5
    }
}
// ANCHOR_END: window

/// Which answer opens it; none, if it stays closed.
fn opened_by(
    answers: &[Answer],
    mut opens: impl FnMut(bool) -> bool,
    is_failure: impl Fn(Answer) -> bool,
) -> Option<usize> {
    answers.iter().position(|answer| opens(is_failure(*answer)))
}

fn main() {
    // ANCHOR: failure
    let careless = |answer| !matches!(answer, Some(200));
    let careful = |answer| matches!(answer, None | Some(500..));
    // ANCHOR_END: failure

    // Three customers want what the wholesaler does not have.
    let unknown = [Some(200), Some(404), Some(404), Some(404), Some(200)];
    let mut row = Row::default();
    let broken = opened_by(&unknown, |failed| row.opens(failed), careless);
    let mut row = Row::default();
    let fixed = opened_by(&unknown, |failed| row.opens(failed), careful);
    println!("404: opens {broken:?}, a failure is theirs: {fixed:?}");
    assert_eq!((broken, fixed), (Some(3), None));

    // Every other call times out.
    let every_other = [Some(200), None].repeat(500);
    let mut row = Row::default();
    let broken = opened_by(&every_other, |failed| row.opens(failed), careful);
    let mut window = Window::default();
    let fixed = opened_by(&every_other, |failed| window.opens(failed), careful);
    println!("every other: in a row {broken:?}, in a window {fixed:?}");
    assert_eq!((broken, fixed), (None, Some(9)));
}
// ANCHOR_END: all
