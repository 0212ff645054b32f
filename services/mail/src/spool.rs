//! A folder as a transport: one `.eml` file a message.
//!
//! Does not name files: the caller gives the name (the delivery's id). Invariant: a file `<name>.eml` is complete and
//! durable as soon as it can be seen, and is never replaced by other bytes.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What [`write`] found or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The file is new.
    Written(PathBuf),
    /// The file was there already with the same bytes, from an earlier try.
    AlreadyThere(PathBuf),
}

/// Why a message could not be stored as a file.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A name that is no file name by itself.
    #[error("`{0}` cannot name a file: use letters, digits, `-`, `_` and `.`, 200 at most, no `.` in front")]
    Name(String),
    /// Another message has the name.
    #[error("{} holds another message: move it away, then send again", .0.display())]
    Taken(PathBuf),
    /// No space left.
    #[error("cannot write {}: the disk is full; free some space, then send again", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// No right to write.
    #[error("cannot write {}: it is not writable for this user; change its owner or mode, or give another folder", path.display())]
    NotWritable {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Anything else the system says.
    #[error("cannot write {}: {source}; check the folder given with file:", path.display())]
    Other {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Stores `bytes` as `<name>.eml` in `dir`, which is made where it is missing. Blocks until file and folder are
/// durable. Two callers with one name at the same moment are the caller's to prevent (a lease on the delivery).
pub fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<Stored, SpoolError> {
    if !fits_as_name(name) {
        return Err(SpoolError::Name(name.to_owned()));
    }
    let path = dir.join(format!("{name}.eml"));
    match fs::read(&path) {
        Ok(there) if there == bytes => return Ok(Stored::AlreadyThere(path)),
        Ok(_) => return Err(SpoolError::Taken(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&path, error)),
    }
    fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    // One fixed name a message: what a killed process leaves is overwritten by the next try.
    let part = dir.join(format!(".{name}.part"));
    if let Err(error) = write_durably(&part, bytes).and_then(|()| fs::rename(&part, &path)) {
        // The first error is the one to tell; a part that stays behind is overwritten later.
        let _ = fs::remove_file(&part);
        return Err(failed(&path, error));
    }
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(|error| failed(dir, error))?;
    Ok(Stored::Written(path))
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn fits_as_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.bytes().all(fits)
}

fn failed(path: &Path, source: io::Error) -> SpoolError {
    let path = path.to_path_buf();
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SpoolError::Full { path, source },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => SpoolError::NotWritable { path, source },
        _ => SpoolError::Other { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_message_becomes_one_file_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new/outbox");
        let stored = write(&folder, "dlv_01", b"Subject: x\r\n\r\nbody\r\n").unwrap();
        assert_eq!(stored, Stored::Written(folder.join("dlv_01.eml")));
        assert_eq!(fs::read(folder.join("dlv_01.eml")).unwrap(), b"Subject: x\r\n\r\nbody\r\n");
        assert_eq!(names(&folder), ["dlv_01.eml"]);
    }

    #[test]
    fn the_same_message_again_is_done_and_another_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "dlv_01", b"one").unwrap();
        assert!(matches!(write(dir.path(), "dlv_01", b"one"), Ok(Stored::AlreadyThere(_))));
        assert!(matches!(write(dir.path(), "dlv_01", b"two"), Err(SpoolError::Taken(_))));
        assert_eq!(fs::read(dir.path().join("dlv_01.eml")).unwrap(), b"one");
    }

    #[test]
    fn what_a_killed_process_left_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".dlv_01.part"), b"a longer half-written message").unwrap();
        write(dir.path(), "dlv_01", b"one").unwrap();
        assert_eq!(fs::read(dir.path().join("dlv_01.eml")).unwrap(), b"one");
        assert_eq!(names(dir.path()), ["dlv_01.eml"]);
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["", "../x", "a/b", ".hidden", "a\0b", &"x".repeat(201)] {
            assert!(matches!(write(dir.path(), name, b"one"), Err(SpoolError::Name(_))), "{name:?}");
        }
    }

    #[test]
    fn a_full_disk_is_said_and_leaves_no_message() {
        let dir = tempfile::tempdir().unwrap();
        // Every write to /dev/full fails as on a full disk.
        std::os::unix::fs::symlink("/dev/full", dir.path().join(".dlv_01.part")).unwrap();
        let error = write(dir.path(), "dlv_01", b"one").unwrap_err();
        assert!(matches!(error, SpoolError::Full { .. }), "{error:?}");
        assert!(error.to_string().contains("dlv_01.eml: the disk is full; free some space"), "{error}");
        assert!(names(dir.path()).is_empty());
        assert!(matches!(write(dir.path(), "dlv_01", b"one"), Ok(Stored::Written(_))));
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_an_error_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = write(&file, "dlv_01", b"one").unwrap_err();
        assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    }

    #[test]
    fn a_missing_right_is_told_apart() {
        let error = failed(Path::new("outbox"), io::ErrorKind::PermissionDenied.into());
        assert!(matches!(error, SpoolError::NotWritable { .. }));
        assert!(error.to_string().starts_with("cannot write outbox: it is not writable"), "{error}");
    }
}
