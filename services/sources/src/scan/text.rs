//! Text as it stands, in a stream of any length.
//!
//! Does not parse CSV, JSON or HTML: an address stands in them as it is, but for escapes. Invariant: memory does not
//! depend on the length of the text.

use std::io::{self, Read};

use super::decode::{Encoding, Text};
use super::kind::Kind;
use super::object::{Heading, Object};
use super::options::Reason;

/// Read at once, in bytes.
const AT_ONCE: usize = 64 * 1024;

/// Reads a text to its end.
pub(crate) fn read(object: &mut Object, kind: Kind, heading: Heading, input: &mut dyn Read) -> Result<(), Reason> {
    let (mut passage, budget) = object.passage_and_budget(kind, heading);
    let mut buffer = vec![0; AT_ONCE];
    let mut decoder: Option<Text> = None;
    loop {
        let filled = fill(input, &mut buffer)?;
        if filled == 0 {
            break;
        }
        budget.charge(filled)?;
        let bytes = &buffer[..filled];
        let text = decoder.get_or_insert_with(|| Text::new(Encoding::of(bytes))).more(bytes);
        passage.text(text);
    }
    if let Some(decoder) = &mut decoder {
        passage.text(decoder.end());
    }
    passage.pause();
    Ok(())
}

/// Reads until the buffer is full or the text ends.
pub(crate) fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Reason> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Err(Reason::ReadFailed),
        }
    }
    Ok(filled)
}
