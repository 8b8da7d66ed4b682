//! The same weights and texts in Python, in a process that does one round each time it is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use latido::score::lane::Tokens;

/// The process.
pub(crate) struct Python {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Starts it with the texts' ids, and waits until it has run them once.
    pub(crate) fn start(interpreter: &Path, texts: &[Tokens]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new(interpreter)
            .arg(root.join("benches/transformer/reference.py"))
            .arg(root.join("models/encoder"))
            .env("OMP_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("--python names a program");
        let mut ask = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let ids: Vec<&[u32]> = texts.iter().map(Tokens::ids).collect();
        writeln!(ask, "{}", serde_json::to_string(&ids).unwrap()).unwrap();
        let mut python = Self { child, ask, answers };
        println!("{}", python.answer());
        python
    }

    /// CPU seconds of one round over all texts.
    pub(crate) fn round(&mut self) -> f64 {
        writeln!(self.ask).unwrap();
        self.answer().parse().unwrap()
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
