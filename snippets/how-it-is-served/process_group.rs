// ANCHOR: all
use std::io;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;

// ANCHOR: group
/// A program and all that it starts. Dropped, they are killed.
pub struct Group {
    pub leader: Child,
    id: Option<u32>,
}

impl Group {
    pub fn spawn(command: &mut Command) -> io::Result<Group> {
        command.process_group(0); // a new one, with its own number
        let leader = command.kill_on_drop(true).spawn()?;
        let id = leader.id(); // one that has ended has none
        Ok(Group { leader, id })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.id.and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = id {
            // An error says that nobody is left in it.
            _ = kill_process_group(group, Signal::KILL);
        }
    }
}
// ANCHOR_END: group

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    for (script, shell) in [
        ("sleep 1000 & echo on; wait", "runs"),
        ("sleep 1000 & echo on", "has ended"),
    ] {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        // Each of the processes holds an end of the pipe.
        let mut pipe = group.leader.stdout.take().expect("piped");
        let mut on = [0; 3];
        pipe.read_exact(&mut on).await?;
        if shell == "has ended" {
            assert!(group.leader.wait().await?.success());
        }

        drop(group);
        let mut rest = Vec::new();
        let all_gone = pipe.read_to_end(&mut rest);
        timeout(Duration::from_secs(10), all_gone).await??;
        println!("the shell {shell}: dropped, and its sleep is gone");
    }
    Ok(())
}
// ANCHOR_END: all
