//! Files, unpacked by their ending, with a bar that follows the bytes read.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use indicatif::ProgressBar;

const BUFFER_BYTES: usize = 1 << 18;

/// More than any sane last line has.
const TAIL_BYTES: u64 = 1 << 16;

/// Whether a file is packed, by its ending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    fn of(path: &Path) -> Self {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// Opens a file; the bar is as long as its bytes on disk.
pub(super) fn open(path: &Path, bar: &ProgressBar) -> io::Result<Box<dyn Read>> {
    let file = File::open(path)?;
    if let Some(length) = length_of(&file)? {
        bar.set_length(length);
    }
    bar.set_position(0);
    unpacked(path, bar.wrap_read(file))
}

fn unpacked(path: &Path, file: impl Read + 'static) -> io::Result<Box<dyn Read>> {
    let file = BufReader::with_capacity(BUFFER_BYTES, file);
    Ok(match Packing::of(path) {
        Packing::Plain => Box::new(file),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Packing::Zstd => Box::new(zstd::Decoder::with_buffer(file)?),
    })
}

/// How many bytes a file has; none of a pipe or a terminal.
fn length_of(file: &File) -> io::Result<Option<u64>> {
    let known = file.metadata()?;
    Ok(known.is_file().then_some(known.len()))
}

/// The last line of a file that is not blank, or as much of it as the file's last bytes hold. A packed file is unpacked for it. None of
/// what can be read only once, such as a pipe: it is not opened.
pub(super) fn last_line(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if !path.metadata()?.is_file() {
        return Ok(None);
    }
    let tail = if Packing::of(path) == Packing::Plain { plain_tail(path)? } else { packed_tail(path)? };
    let line = tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Some(line.to_vec()))
}

fn plain_tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    Ok(tail)
}

fn packed_tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut reader = unpacked(path, File::open(path)?)?;
    let (mut tail, mut block) = (Vec::new(), vec![0; BUFFER_BYTES]);
    loop {
        let read = reader.read(&mut block)?;
        if read == 0 {
            return Ok(tail);
        }
        tail.extend_from_slice(&block[..read]);
        let most = usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX);
        let surplus = tail.len().saturating_sub(most);
        tail.drain(..surplus);
    }
}
