//! A directory that keeps the newest checkpoints, for one daemon.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Encoder, FormatError, Snapshot, decode};
use crate::message::HashKey;

/// Checkpoints are `state.NUMBER.latido`, the newest with the highest number; versions before had one, `state.latido`.
const PREFIX: &str = "state.";
const SUFFIX: &str = ".latido";
const ONLY_STATE: &str = "state.latido";
const TEMPORARY: &str = "state.latido.tmp";
const LOCK: &str = "lock";
const INSTANCE: &str = "instance-id";
const HASH_KEY: &str = "hash-key";
/// How many checkpoints are kept: those before the newest serve where it is damaged.
const KEPT: usize = 3;

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
    /// None of the files in it is a checkpoint that can be read.
    #[error(
        "{path} cannot be restored: {source}. Starting from nothing would lose the windows: \
         put the file back from a copy, or move every state.*.latido away and restart with --start-empty, to go on at the \
         group's offsets with empty windows"
    )]
    Damaged {
        /// The newest file.
        path: PathBuf,
        /// What is wrong with it.
        source: FormatError,
    },
    /// The snapshot cannot be encoded.
    #[error("the state cannot be encoded: {0}")]
    Encode(#[source] FormatError),
}

/// What was found in a directory.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The newest checkpoint that can be read; none if nothing was saved yet.
    pub snapshot: Option<Snapshot>,
    /// The newer ones, which cannot: newest first.
    pub damaged: Vec<Damage>,
}

/// A checkpoint that cannot be read.
#[derive(Debug)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: FormatError,
}

/// The checkpoint directory, locked for this process. The lock dies with the process, however it dies.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    encoder: Encoder,
    lock: File,
}

impl Directory {
    /// Makes the directory if there is none and locks it.
    ///
    /// # Errors
    /// If it cannot be made, written or locked, or if another daemon holds it.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        fs::create_dir_all(path).map_err(io_error("create", path))?;
        Ok(Self { path: path.to_owned(), encoder: Encoder::default(), lock: lock(path)? })
    }

    /// Holds the lock still, or takes it anew where the directory was removed and made again: nobody else may have it.
    fn keep_lock(&mut self) -> Result<(), DirectoryError> {
        let path = self.path.join(LOCK);
        let file = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let held = self.lock.metadata().map(file).map_err(io_error("look at", &path))?;
        match fs::metadata(&path).map(file) {
            Ok(there) if there == held => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("look at", &path)(error)),
        }
        self.lock = lock(&self.path)?;
        tracing::warn!(directory = %self.path.display(), "the checkpoint directory is another one than before; locked anew");
        Ok(())
    }

    /// The newest checkpoint that can be read; see [`read`].
    ///
    /// # Errors
    /// If there are some and none can be read: state is never thrown away in silence.
    pub fn load(&self) -> Result<Loaded, DirectoryError> {
        read(&self.path)
    }

    /// Saves a checkpoint: temporary file, fsync, rename, fsync of the directory. Whoever dies in between, a whole
    /// checkpoint stands there. Of those before, the newest two stay.
    ///
    /// # Errors
    /// If the disk refuses; the checkpoints before then still stand.
    pub fn save(&mut self, snapshot: &Snapshot) -> Result<(), DirectoryError> {
        self.keep_lock()?;
        let bytes = self.encoder.encode(snapshot).map_err(DirectoryError::Encode)?;
        let before = checkpoints(&self.path)?;
        let number = before.first().map_or(0, |(number, _)| *number) + 1;
        self.replace(TEMPORARY, &format!("{PREFIX}{number}{SUFFIX}"), &bytes)?;
        for (_, path) in before.iter().skip(KEPT - 1) {
            // It is only in the way; the next save tries again.
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(path = %path.display(), %error, "an old checkpoint cannot be removed");
            }
        }
        Ok(())
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

    /// What customers' ids are hashed with: made once, at random, then the same after each restart. One that is damaged is made anew:
    /// for 12 hours customers may then count twice.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn hash_key(&self) -> Result<HashKey, DirectoryError> {
        let path = self.path.join(HASH_KEY);
        match fs::read(&path) {
            Ok(bytes) => match bytes.try_into() {
                Ok(bytes) => return Ok(HashKey::new(bytes)),
                Err(_) => tracing::warn!(path = %path.display(), "the key for customers' ids is damaged; made anew"),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("read", &path)(error)),
        }
        let key = HashKey::new(rand::random());
        self.replace("hash-key.tmp", HASH_KEY, &key.expose())?;
        Ok(key)
    }

    fn replace(&self, temporary: &str, name: &str, bytes: &[u8]) -> Result<(), DirectoryError> {
        let temporary = self.path.join(temporary);
        let path = self.path.join(name);
        let written =
            write(&temporary, bytes).and_then(|()| fs::rename(&temporary, &path).map_err(io_error("rename to", &path)));
        if written.is_err() {
            // Half a file takes room on a full disk, and nobody reads it.
            fs::remove_file(&temporary).unwrap_or_default();
            return written;
        }
        let directory = File::open(&self.path).map_err(io_error("open", &self.path))?;
        directory.sync_all().map_err(io_error("sync", &self.path))
    }
}

/// Whether a daemon of this user could keep its state there. Makes nothing, and hinders no daemon.
///
/// # Errors
/// If it could not.
pub fn try_out(directory: &Path) -> Result<String, DirectoryError> {
    let there = directory.ancestors().find(|path| path.as_os_str().is_empty() || path.exists()).unwrap_or(directory);
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let probe = there.join(format!(".latido-check-{}", std::process::id()));
    fs::create_dir(&probe).map_err(io_error("write in", there))?;
    fs::remove_dir(&probe).map_err(io_error("write in", there))?;
    Ok(if there == directory { "may be written" } else { "not there yet: the daemon makes it" }.to_owned())
}

/// Locks a directory for this process.
fn lock(directory: &Path) -> Result<File, DirectoryError> {
    let path = directory.join(LOCK);
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(io_error("open", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(DirectoryError::Locked { path: directory.to_owned() }),
        Err(fs::TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
    }
}

/// Writes a file through to the disk.
fn write(path: &Path, bytes: &[u8]) -> Result<(), DirectoryError> {
    let mut file = File::create(path).map_err(io_error("create", path))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.sync_all().map_err(io_error("sync", path))
}

/// The newest checkpoint in a directory that can be read, without locking it: for looking at it while a daemon runs. Where the
/// newest is damaged, the one before it serves: its state and its offsets belong together too.
///
/// # Errors
/// If there are some and none can be read, or if the newest is of a version that this build does not know: what a newer one
/// saved is not passed over.
pub fn read(directory: &Path) -> Result<Loaded, DirectoryError> {
    let mut damaged = Vec::new();
    for (_, path) in checkpoints(directory)? {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // A daemon that runs has saved anew since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        match decode(&bytes) {
            Ok(snapshot) => return Ok(Loaded { snapshot: Some(snapshot), damaged }),
            Err(source @ FormatError::Version { .. }) => return Err(DirectoryError::Damaged { path, source }),
            Err(source) => damaged.push(Damage { path, source }),
        }
    }
    if damaged.is_empty() {
        return Ok(Loaded::default());
    }
    let Damage { path, source } = damaged.remove(0);
    Err(DirectoryError::Damaged { path, source })
}

/// The checkpoints in a directory with their numbers, newest first; none where there is no directory.
fn checkpoints(directory: &Path) -> Result<Vec<(u64, PathBuf)>, DirectoryError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("read", directory)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(io_error("read", directory))?.file_name();
        found.extend(name.to_str().and_then(number_of).map(|number| (number, directory.join(&name))));
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found)
}

/// The number in a checkpoint's name; none where it is no checkpoint's.
fn number_of(name: &str) -> Option<u64> {
    if name == ONLY_STATE {
        return Some(0);
    }
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

/// Wraps an I/O error with what was tried on what.
fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DirectoryError {
    let path = path.to_owned();
    move |source| DirectoryError::Io { action, path, source }
}
