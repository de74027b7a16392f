//! Where in a page's source each place of its expanded text comes from.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// A stretch of the expanded text and the source line that it came from.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Copied from the source, starting at this line.
    Source { range: Range<usize>, line: usize },
    /// Brought in by a directive on this line.
    Included { range: Range<usize>, line: usize, files: Vec<PathBuf> },
}

impl Piece {
    pub(crate) fn range(&self) -> &Range<usize> {
        match self {
            Piece::Source { range, .. } | Piece::Included { range, .. } => {
                range
            }
        }
    }
}

/// The expanded text of a page with its way back to the source.
pub(crate) struct Expanded<'a> {
    pub text: &'a str,
    pieces: Vec<Piece>,
    newlines: Vec<usize>,
}

impl<'a> Expanded<'a> {
    pub(crate) fn new(text: &'a str, pieces: Vec<Piece>) -> Self {
        let newlines = text.match_indices('\n').map(|(at, _)| at).collect();
        Expanded { text, pieces, newlines }
    }

    /// How many lines end before this place.
    fn lines_before(&self, offset: usize) -> usize {
        self.newlines.partition_point(|at| *at < offset)
    }

    /// The line of the source, from 1, that this place comes from.
    pub(crate) fn line(&self, offset: usize) -> usize {
        let piece = self
            .pieces
            .iter()
            .rev()
            .find(|piece| piece.range().start <= offset);
        match piece {
            Some(Piece::Source { range, line }) => {
                line + self.lines_before(offset)
                    - self.lines_before(range.start)
            }
            Some(Piece::Included { line, .. }) => *line,
            None => 1,
        }
    }

    /// Whether a fence that includes a file shows nothing besides.
    pub(crate) fn shows_one_file_alone(&self, range: &Range<usize>) -> bool {
        let mut included = 0;
        let mut own = String::new();
        for piece in &self.pieces {
            let at = piece.range();
            let (start, end) =
                (at.start.max(range.start), at.end.min(range.end));
            if start >= end {
                continue;
            }
            match piece {
                Piece::Source { .. } => own.push_str(&self.text[start..end]),
                Piece::Included { files, .. } if !files.is_empty() => {
                    included += 1;
                }
                Piece::Included { .. } => own.push_str(&self.text[start..end]),
            }
        }
        let marks = |c: char| c.is_whitespace() || c == '>';
        let lines = own.lines().map(|line| line.trim_matches(marks));
        // The fence, and the fence's end.
        let own = lines.filter(|line| !line.is_empty()).count();
        included == 0 || (included == 1 && own <= 2)
    }

    /// The SVG file that a block of HTML includes, if that is all of both.
    pub(crate) fn picture(&self, range: &Range<usize>) -> Option<&Path> {
        let block = self.text[range.clone()].trim_end();
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Included { range: at, files, .. }
                if at.start == range.start
                    && self.text[at.clone()].trim_end() == block =>
            {
                let file = files.first().map(PathBuf::as_path)?;
                (file.extension()? == "svg").then_some(file)
            }
            _ => None,
        })
    }

    pub(crate) fn files(&self, range: &Range<usize>) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for piece in &self.pieces {
            if let Piece::Included { range: at, files: of, .. } = piece
                && at.start < range.end
                && range.start < at.end
            {
                // The first is the one named; the rest it includes itself.
                files.extend(of.first().cloned());
            }
        }
        files
    }
}
