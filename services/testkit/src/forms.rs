//! The same manifest in other forms: packed, in another encoding, with another delimiter, as Parquet.
//!
//! Each writes a file beside the given one and gives its path. Nothing of the product is used.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// gzip, in two members, as `cat a.gz b.gz` makes them.
pub fn gzip(file: &Path) -> Result<PathBuf> {
    let bytes = fs::read(file)?;
    let mut packed = Vec::new();
    for half in [&bytes[..bytes.len() / 2], &bytes[bytes.len() / 2..]] {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        member.write_all(half)?;
        packed.extend(member.finish()?);
    }
    beside(file, "gz", &packed)
}

/// zstd.
pub fn zstd(file: &Path) -> Result<PathBuf> {
    beside(file, "zst", &zstd::bulk::compress(&fs::read(file)?, 3)?)
}

/// UTF-16, little-endian, with its mark, as spreadsheets export it.
pub fn utf16(file: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(file)?;
    let bytes: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    beside(file, "utf16.csv", &bytes)
}

/// CSV with another delimiter between columns.
pub fn delimited(file: &Path, delimiter: u8) -> Result<PathBuf> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
    let mut writer = csv::WriterBuilder::new().flexible(true).delimiter(delimiter).from_writer(Vec::new());
    writer.write_byte_record(reader.byte_headers()?)?;
    for record in reader.byte_records() {
        writer.write_byte_record(&record?)?;
    }
    beside(file, &format!("{delimiter}.csv"), &writer.into_inner()?)
}

/// Parquet, every column a text, empty fields null, in row groups of a thousand rows. Rows with another number of
/// columns than the header cannot be in a table: their numbers of lines are given back.
pub fn parquet(file: &Path) -> Result<(PathBuf, usize)> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let fields: Vec<String> = header.iter().map(|name| format!("optional binary {name} (UTF8);")).collect();
    let schema = Arc::new(parse_message_type(&format!("message manifest {{ {} }}", fields.join(" ")))?);
    let path = file.with_extension("parquet");
    let out = fs::File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(WriterProperties::builder().build()))?;
    let mut left_out = 0;
    let mut rows: Vec<csv::StringRecord> = Vec::new();
    for record in reader.records() {
        let record = record?;
        if record.len() == header.len() { rows.push(record) } else { left_out += 1 }
    }
    for group in rows.chunks(1_000) {
        let mut group_writer = writer.next_row_group()?;
        for at in 0..header.len() {
            let mut column = group_writer.next_column()?.context("a column for each field")?;
            let values: Vec<&str> = group.iter().map(|row| &row[at]).collect();
            let levels: Vec<i16> = values.iter().map(|value| i16::from(!value.is_empty())).collect();
            let there: Vec<ByteArray> =
                values.into_iter().filter(|value| !value.is_empty()).map(ByteArray::from).collect();
            column.typed::<ByteArrayType>().write_batch(&there, Some(&levels), None)?;
            column.close()?;
        }
        group_writer.close()?;
    }
    writer.close()?;
    Ok((path, left_out))
}

fn beside(file: &Path, end: &str, bytes: &[u8]) -> Result<PathBuf> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{end}"));
    let path = PathBuf::from(name);
    fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
