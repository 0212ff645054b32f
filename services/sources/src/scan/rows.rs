//! Rows of the manifest that a scan writes: JSON Lines, one for each object and address or host.
//!
//! Does not count by the rules (`model::intake` does, at the import). Invariant: the same object gives the same bytes.

use std::io::{self, Write};

use serde::Serialize;

use super::container::Entry;
use super::found::Found;

/// A row with those fields of the manifest that a scan knows; the others are absent.
#[derive(Debug, Serialize)]
struct Row<'r> {
    object_path: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_type: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_date: Option<&'r str>,
    size_bytes: u64,
}

/// Writes the rows of an object, addresses before hosts, each in order; how many.
pub(crate) fn write(
    out: &mut dyn Write,
    path: &str,
    entry: &Entry,
    data_type: Option<&str>,
    found: &Found,
) -> io::Result<u64> {
    let date = entry.modified.and_then(day);
    let row = |domain, email| Row {
        object_path: path,
        domain,
        email,
        data_type,
        document_date: date.as_deref(),
        size_bytes: entry.size,
    };
    let addresses = found.addresses().map(|address| row(None, Some(address.as_str())));
    let hosts = found.hosts().map(|host| row(Some(host.as_str()), None));
    let mut rows = 0;
    for row in addresses.chain(hosts) {
        let mut line = serde_json::to_vec(&row)?;
        line.push(b'\n');
        out.write_all(&line)?;
        rows += 1;
    }
    Ok(rows)
}

/// The day of a time, UTC.
fn day(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok()?.to_string();
    time.split_once('T').map(|(day, _)| day.to_owned())
}
