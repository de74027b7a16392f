//! When two texts are equal: the one place that says so.

use similar::TextDiff;

/// Whether a reader sees the same in both: Windows line ends, and blank space
/// at the end of a line or of the text, make no difference.
pub(crate) fn same(one: &str, other: &str) -> bool {
    lines(one).eq(lines(other))
}

/// The lines that differ, marked as `diff` does it; empty where none do.
pub(crate) fn difference(old: &str, new: &str) -> String {
    let normal = |text: &str| -> String {
        lines(text).map(|line| line.to_owned() + "\n").collect()
    };
    TextDiff::from_lines(&normal(old), &normal(new))
        .unified_diff()
        .context_radius(1)
        .missing_newline_hint(false)
        .to_string()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.trim_end().lines().map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_blank_space_after_the_text_make_no_difference() {
        for other in
            ["a\n b", "a\r\n b\r\n", "a\n b\n\n", "a  \n b\t\n", "a\n b \r\n"]
        {
            assert!(same("a\n b\n", other), "{other:?}");
            assert_eq!(difference("a\n b\n", other), "");
        }
        for other in ["a\nb\n", "a\n\n b\n", "\na\n b\n", "a b\n", "a\n", ""] {
            assert!(!same("a\n b\n", other), "{other:?}");
            assert_ne!(difference("a\n b\n", other), "");
        }
        assert_eq!(
            difference("a\r\nb\r\n", "a\nc"),
            "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
    }
}
