//! What a file is known by: the SHA-256 of its bytes.
//!
//! Does not look at what the bytes mean. Invariant: the same bytes under any name give the same digest.

use std::io::Read;
use std::path::Path;

use md5::Digest;

use crate::error::SourceError;
use crate::input;

/// Read at once, in bytes.
const AT_ONCE: usize = 64 * 1024;

/// SHA-256 of a file, lower-case hex, and its length in bytes.
pub fn digest(path: &Path) -> Result<(String, u64), SourceError> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let bytes = read_all(path, |part| context.update(part))?;
    Ok((model::digest::hex(context.finish().as_ref()), bytes))
}

/// MD5 of a file, lower-case hex: what storage systems list, no proof against anybody.
pub(crate) fn md5(path: &Path) -> Result<String, SourceError> {
    let mut context = md5::Md5::new();
    read_all(path, |part| context.update(part))?;
    Ok(model::digest::hex(&context.finalize()))
}

/// Gives the bytes of a file to `take`; how many there are.
fn read_all(path: &Path, mut take: impl FnMut(&[u8])) -> Result<u64, SourceError> {
    let failed = |source| SourceError::io(path, source);
    let mut file = input::open_file(path).map_err(failed)?;
    let mut buffer = vec![0; AT_ONCE];
    let mut bytes = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        take(&buffer[..read]);
        bytes += read as u64;
    }
}
