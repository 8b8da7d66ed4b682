//! Child processes that end when we end, however that is, and that take signals in between.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::wait::{Progress, seconds, wait_for};

/// Runs a program whose number it writes to the file `$1`, and ends it once our end of its standard input closes.
const GUARDIAN: &str = r#"
place=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
echo "$server" > "$place"
( cat <&3; kill -9 "$server" ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$server"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
"#;
/// A shell tells of a signal so.
const SIGNALLED: i32 = 128;
const START_LIMIT: Duration = seconds(20);
const KILL_LIMIT: Duration = seconds(20);
/// How much of a log is shown when something fails.
const TAIL_LINES: usize = 25;

/// A signal that the storm sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ends it at once.
    Kill,
    /// Asks it to end.
    Terminate,
    /// Freezes it.
    Stop,
    /// Lets it go on.
    Continue,
}

impl Signal {
    fn option(self) -> &'static str {
        match self {
            Self::Kill => "-KILL",
            Self::Terminate => "-TERM",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
        }
    }
}

/// A running program. It is killed on drop, and when this process ends.
#[derive(Debug)]
pub(crate) struct Guarded {
    name: String,
    log: PathBuf,
    guardian: Child,
    number: u32,
}

impl Guarded {
    /// Starts a program, both its streams in one file.
    pub(crate) fn start(name: &str, log: &Path, program: &Command) -> Result<Self> {
        let place = log.with_extension("pid");
        fs::remove_file(&place).unwrap_or_default();
        let stream = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut guardian = Command::new("sh");
        guardian.args(["-c", GUARDIAN, "sh"]).arg(&place).arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => guardian.env(name, value),
                None => guardian.env_remove(name),
            };
        }
        guardian.stdin(Stdio::piped()).stdout(stream.try_clone()?).stderr(stream);
        let guardian = guardian.spawn().with_context(|| format!("cannot start {name}"))?;
        let number = wait_for(&format!("{name} starts"), START_LIMIT, || {
            let text = fs::read_to_string(&place).unwrap_or_default();
            let number = text.strip_suffix('\n').and_then(|text| text.parse().ok());
            Ok(number.map_or_else(|| Progress::NotYet(text), Progress::Done))
        })?;
        Ok(Self { name: name.to_owned(), log: log.to_owned(), guardian, number })
    }

    /// Sends a signal to the program itself.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let sent = Command::new("kill").arg(signal.option()).arg(self.number.to_string()).status()?;
        ensure!(sent.success(), "cannot send {signal:?} to {}: it is gone\n{}", self.name, self.tail());
        Ok(())
    }

    /// Sends SIGKILL and waits until the program is gone.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.signal(Signal::Kill)?;
        self.wait_end(KILL_LIMIT)?;
        Ok(())
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Result<Option<Ending>> {
        Ok(self.guardian.try_wait()?.map(Ending::of))
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait_end(&mut self, limit: Duration) -> Result<Ending> {
        let what = format!("{} ends", self.name);
        wait_for(&what, limit, || {
            Ok(self.ended()?.map_or_else(|| Progress::NotYet(format!("it runs\n{}", self.tail())), Progress::Done))
        })
    }

    /// All that it wrote so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The end of what it wrote.
    pub(crate) fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        format!("--- {}, {}\n{last}\n---", self.name, self.log.display())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The guardian kills what it guards; where both are gone already, that is as good.
        drop(self.guardian.stdin.take());
        drop(self.guardian.wait());
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

impl Ending {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) if code > SIGNALLED => Self::Signal(code - SIGNALLED),
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}
