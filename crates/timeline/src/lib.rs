//! Draws which tasks of a tokio program ran when.
//!
//! [`instrument`] rewrites a program so that its run prints a log: every poll,
//! wake-up, start and end of an async function, by the runtime's paused clock.
//! [`Recorded::figure`] turns that log into SVG with the same in words. What
//! lies between, compiling the program and running it, is the caller's.

mod draw;
mod instrument;
mod run;

pub use instrument::{Recorded, instrument};

/// Ends what the program itself has printed; what follows is the log.
pub const LOG: char = '\u{1}';

impl Recorded {
    /// The figure of a run: SVG and the same in words, in a `<figure>`.
    ///
    /// `program` is the name that the figure gives the program, `part` that of
    /// the part that was asked for, `log` what the run has printed after
    /// [`LOG`].
    ///
    /// # Errors
    ///
    /// If the part never runs, runs twice, or takes no time by the paused
    /// clock, so that there is nothing to draw.
    pub fn figure(
        &self,
        program: &str,
        part: Option<&str>,
        log: &str,
    ) -> Result<String, String> {
        let run = run::read(log, self.marked, &self.functions)?;
        Ok(draw::figure(program, part, &run))
    }
}
