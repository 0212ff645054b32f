//! What a file is known by: the SHA-256 of its bytes.
//!
//! Does not look at what the bytes mean. Invariant: the same bytes under any name give the same digest.

use std::io::Read;
use std::path::Path;

use crate::error::SourceError;
use crate::head;

/// Read at once, in bytes.
const AT_ONCE: usize = 64 * 1024;

/// SHA-256 of a file, lower-case hex, and its length in bytes.
pub fn digest(path: &Path) -> Result<(String, u64), SourceError> {
    let failed = |source| SourceError::io(path, source);
    let mut file = head::open_file(path).map_err(failed)?.file;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; AT_ONCE];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        context.update(&buffer[..read]);
        bytes += read as u64;
    }
    Ok((model::digest::hex(context.finish().as_ref()), bytes))
}
