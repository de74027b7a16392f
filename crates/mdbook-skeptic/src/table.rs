//! Tables of a page whose rows are made from the book.

/// A page with these rows in the table that begins so; `None` where it has no
/// such table.
pub(crate) fn filled(text: &str, table: &str, rows: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n");
    let (before, after) = text.split_once(table)?;
    let end = after.lines().take_while(|line| line.starts_with('|'));
    let end: usize = end.map(|line| line.len() + 1).sum();
    let after = after.get(end..).unwrap_or_default();
    Some(format!("{before}{table}{rows}{after}"))
}
