//! A child process whose output is kept, that is killed on drop, and that can be waited on with a limit.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Progress, wait_for};

/// How many lines of a log are shown when something fails.
const TAIL_LINES: usize = 60;

/// Lines as they were written.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// All lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything so far as one text.
    pub(crate) fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Whether some line holds these words.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.lines().iter().any(|line| line.contains(words))
    }

    fn tail(&self) -> String {
        let lines = self.lines();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }

    fn follow(&self, stream: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                log.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
        })
    }
}

/// A running program.
pub(crate) struct Process {
    name: String,
    child: Child,
    readers: [JoinHandle<()>; 2],
    /// Its standard output.
    pub(crate) stdout: Log,
    /// Its standard error.
    pub(crate) stderr: Log,
}

impl Process {
    /// Starts it. Standard input stays open, empty, for as long as the process is held.
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name} ({command:?}): {error}"));
        let (stdout, stderr) = (Log::default(), Log::default());
        let readers = [
            stdout.follow(child.stdout.take().expect("standard output is a pipe")),
            stderr.follow(child.stderr.take().expect("standard error is a pipe")),
        ];
        Self { name: name.to_owned(), child, readers, stdout, stderr }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child")
    }

    /// The end of both its streams, to show when something failed.
    pub(crate) fn tail(&self) -> String {
        let Self { name, stdout, stderr, .. } = self;
        format!("--- {name}, standard output\n{}\n--- {name}, standard error\n{}\n---", stdout.tail(), stderr.tail())
    }

    /// Asks until the probe has an answer; fails at the limit, and at once when the process is gone.
    pub(crate) fn wait_until<T>(
        &mut self,
        what: &str,
        limit: Duration,
        mut probe: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> T {
        wait_for(what, limit, || {
            let ended = self.ended();
            let answer = probe(self);
            self.progress(answer, ended)
        })
    }

    /// What an answer means, given how the process had ended before it was asked for.
    pub(crate) fn progress<T>(&self, answer: Result<T, String>, ended: Option<ExitStatus>) -> Progress<T> {
        match (answer, ended) {
            (Ok(answer), _) => Progress::Done(answer),
            (Err(seen), Some(status)) => {
                Progress::Broken(format!("{} ended with {status} ({seen})\n{}", self.name, self.tail()))
            }
            (Err(seen), None) => Progress::NotYet(format!("{seen}\n{}", self.tail())),
        }
    }

    /// Waits until it ends by itself and its last words are read; its exit code, or none if a signal ended it.
    pub(crate) fn wait_end(&mut self, limit: Duration) -> Option<i32> {
        let what = format!("{} ends", self.name);
        let status = wait_for(&what, limit, || match self.ended() {
            Some(status) if self.readers.iter().all(JoinHandle::is_finished) => Progress::Done(status),
            _ => Progress::NotYet(self.tail()),
        });
        status.code()
    }

    /// Sends SIGTERM and waits for the end; its exit code, or none if the signal itself ended it.
    pub(crate) fn terminate(&mut self, limit: Duration) -> Option<i32> {
        self.signal("TERM");
        self.wait_end(limit)
    }

    /// Sends a signal by its short name.
    pub(crate) fn signal(&mut self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send SIG{name} to {}", self.name);
    }

    /// Closes its standard input and waits until it ends.
    pub(crate) fn hang_up(&mut self, limit: Duration) {
        drop(self.child.stdin.take());
        self.wait_end(limit);
    }

    /// Sends SIGKILL and waits until the process is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("SIGKILL can be sent");
        self.child.wait().expect("a killed child ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already is as good as killed now.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
