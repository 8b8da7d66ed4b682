//! A directory that keeps the newest checkpoint, for one daemon.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{FormatError, Snapshot, decode, encode};

const STATE: &str = "state.latido";
const TEMPORARY: &str = "state.latido.tmp";
const LOCK: &str = "lock";
const INSTANCE: &str = "instance-id";

/// Why the directory cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}; checkpoint.directory must be a directory that this user may write")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another daemon has it.
    #[error("{path} is in use by another latido: give each daemon a checkpoint.directory of its own")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The file in it is not a checkpoint that can be read.
    #[error(
        "{path} cannot be restored: {source}. Starting from nothing would lose the windows: \
         put the file back from a copy, or move it away to start anew"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FormatError,
    },
    /// The snapshot cannot be encoded.
    #[error("the state cannot be encoded: {0}")]
    Encode(#[source] FormatError),
}

/// The checkpoint directory, locked for this process. The lock dies with the process, however it dies.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if there is none and locks it.
    ///
    /// # Errors
    /// If it cannot be made, written or locked, or if another daemon holds it.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        fs::create_dir_all(path).map_err(io_error("create", path))?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(io_error("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(DirectoryError::Locked { path: path.to_owned() }),
            Err(fs::TryLockError::Error(source)) => Err(io_error("lock", &lock_path)(source)),
        }
    }

    /// The newest checkpoint; none if nothing was saved yet.
    ///
    /// # Errors
    /// If there is one that cannot be read: state is never thrown away in silence.
    pub fn load(&self) -> Result<Option<Snapshot>, DirectoryError> {
        read(&self.path)
    }

    /// Saves a checkpoint: temporary file, fsync, rename, fsync of the directory. Whoever dies in between, a whole
    /// checkpoint stands there.
    ///
    /// # Errors
    /// If the disk refuses; the checkpoint before then still stands.
    pub fn save(&self, snapshot: &Snapshot) -> Result<(), DirectoryError> {
        let bytes = encode(snapshot).map_err(DirectoryError::Encode)?;
        self.replace(TEMPORARY, STATE, &bytes)
    }

    /// The daemon's static member name in the consumer group: made once, then the same after each restart.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn instance_id(&self) -> Result<String, DirectoryError> {
        let path = self.path.join(INSTANCE);
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("read", &path)(error)),
        }
        let name = format!("latido-{:016x}", rand::random::<u64>());
        self.replace("instance-id.tmp", INSTANCE, name.as_bytes())?;
        Ok(name)
    }

    fn replace(&self, temporary: &str, name: &str, bytes: &[u8]) -> Result<(), DirectoryError> {
        let temporary = self.path.join(temporary);
        let mut file = File::create(&temporary).map_err(io_error("create", &temporary))?;
        file.write_all(bytes).map_err(io_error("write", &temporary))?;
        file.sync_all().map_err(io_error("sync", &temporary))?;
        drop(file);
        let path = self.path.join(name);
        fs::rename(&temporary, &path).map_err(io_error("rename to", &path))?;
        let directory = File::open(&self.path).map_err(io_error("open", &self.path))?;
        directory.sync_all().map_err(io_error("sync", &self.path))
    }
}

/// The newest checkpoint in a directory, without locking it: for looking at it while a daemon runs.
///
/// # Errors
/// If there is one that cannot be read.
pub fn read(directory: &Path) -> Result<Option<Snapshot>, DirectoryError> {
    let path = directory.join(STATE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    decode(&bytes).map(Some).map_err(|source| DirectoryError::Damaged { path, source })
}

/// Wraps an I/O error with what was tried on what.
fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    let path = path.to_owned();
    move |source| DirectoryError::Io { action, path, source }
}
