//! The lines of a data file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// A line longer than this is refused.
const MAX_LINE_BYTES: usize = 64 << 20;

/// Lines of a file, unpacked by its ending, each held in one reused buffer.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let reader: Box<dyn BufRead> = match ending.as_deref() {
            Some("gz") => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(file)))),
            Some("zst") => Box::new(BufReader::new(zstd::Decoder::new(file)?)),
            _ => Box::new(BufReader::new(file)),
        };
        Ok(Self { reader, line: Vec::new(), number: 0 })
    }

    /// The next line without its end, and its number, from 1.
    pub(super) fn next(&mut self) -> std::io::Result<Option<(u64, &[u8])>> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(MAX_LINE_BYTES as u64);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.line.len() >= MAX_LINE_BYTES {
            return Err(std::io::Error::other(format!("line {} is longer than {MAX_LINE_BYTES} bytes", self.number)));
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        Ok(Some((self.number, line)))
    }
}
