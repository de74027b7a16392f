//! A server that a program needs and that is started for it alone.

use std::hash::Hash;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::hash;
use crate::model::Check;

/// A server that a program asks for.
#[derive(Clone, Copy)]
pub(crate) struct Needed<'a> {
    /// The environment variable that is to hold its address.
    pub variable: &'a str,
    /// The script that starts it, relative to the book's root.
    pub script: &'a Path,
    pub root: &'a Path,
}

impl<'a> Needed<'a> {
    /// The server that a check needs.
    pub(crate) fn by(check: &'a Check, root: &'a Path) -> Option<Needed<'a>> {
        let (variable, script) = check.service.as_ref()?;
        Some(Needed { variable, script, root })
    }

    /// The script as it is now.
    pub(crate) fn stamp(&self) -> impl Hash + use<> {
        hash::stamp(&self.root.join(self.script))
    }

    /// What to say where it is not installed.
    pub(crate) fn is_missing(&self) -> String {
        format!("no server for {}", self.variable)
    }
}

/// A server that runs until this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it is: what its script has printed.
    pub address: String,
}

/// The status with which a script says that its server is not installed.
const NOT_INSTALLED: i32 = 3;

impl Server {
    /// Starts the server that a program needs, if it does, and passes it the
    /// address.
    ///
    /// # Errors
    ///
    /// If it is not installed, or its script fails.
    pub(crate) fn serve(
        command: &mut Command,
        needed: Option<Needed>,
    ) -> Result<Option<Server>, String> {
        let Some(needed) = needed else { return Ok(None) };
        let server =
            Server::start(needed)?.ok_or_else(|| needed.is_missing())?;
        command.env(needed.variable, &server.address);
        Ok(Some(server))
    }

    /// Runs a script that starts a server, prints its address in a line, and
    /// ends the server when its standard input ends. `None` where the server
    /// is not installed.
    ///
    /// # Errors
    ///
    /// If the script fails otherwise.
    pub(crate) fn start(needed: Needed) -> Result<Option<Server>, String> {
        let Needed { script, root, .. } = needed;
        let name = script.display();
        let mut child = Command::new(root.join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run {name}: {error}"))?;
        let stdout = child.stdout.take().expect("it is piped");
        let mut address = String::new();
        let read = BufReader::new(stdout).read_line(&mut address);
        read.map_err(|error| format!("cannot read from {name}: {error}"))?;
        if !address.is_empty() {
            let address = address.trim().to_owned();
            return Ok(Some(Server { child, address }));
        }
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut said);
        }
        match child.wait().ok().and_then(|status| status.code()) {
            Some(NOT_INSTALLED) => Ok(None),
            _ => Err(format!("{name} starts no server: {said}")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has nothing left to do but to clean up.
        let _ = self.child.wait();
    }
}
