//! The holidays that are compiled in, by country and part of a country.
//!
//! Says nothing of hours. Invariant: a code that is not there is an error, never an empty list.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{BadFile, Holidays};

/// The file of each country by its code, ISO 3166-1.
const FILES: &[(&str, &str)] = &[
    ("AE", include_str!("../../data/holidays/AE.txt")),
    ("AT", include_str!("../../data/holidays/AT.txt")),
    ("AU", include_str!("../../data/holidays/AU.txt")),
    ("BE", include_str!("../../data/holidays/BE.txt")),
    ("BG", include_str!("../../data/holidays/BG.txt")),
    ("BR", include_str!("../../data/holidays/BR.txt")),
    ("CA", include_str!("../../data/holidays/CA.txt")),
    ("CH", include_str!("../../data/holidays/CH.txt")),
    ("CN", include_str!("../../data/holidays/CN.txt")),
    ("CY", include_str!("../../data/holidays/CY.txt")),
    ("CZ", include_str!("../../data/holidays/CZ.txt")),
    ("DE", include_str!("../../data/holidays/DE.txt")),
    ("DK", include_str!("../../data/holidays/DK.txt")),
    ("EE", include_str!("../../data/holidays/EE.txt")),
    ("ES", include_str!("../../data/holidays/ES.txt")),
    ("FI", include_str!("../../data/holidays/FI.txt")),
    ("FR", include_str!("../../data/holidays/FR.txt")),
    ("GB", include_str!("../../data/holidays/GB.txt")),
    ("GR", include_str!("../../data/holidays/GR.txt")),
    ("HR", include_str!("../../data/holidays/HR.txt")),
    ("HU", include_str!("../../data/holidays/HU.txt")),
    ("IE", include_str!("../../data/holidays/IE.txt")),
    ("IN", include_str!("../../data/holidays/IN.txt")),
    ("IS", include_str!("../../data/holidays/IS.txt")),
    ("IT", include_str!("../../data/holidays/IT.txt")),
    ("JP", include_str!("../../data/holidays/JP.txt")),
    ("KE", include_str!("../../data/holidays/KE.txt")),
    ("KR", include_str!("../../data/holidays/KR.txt")),
    ("LI", include_str!("../../data/holidays/LI.txt")),
    ("LT", include_str!("../../data/holidays/LT.txt")),
    ("LU", include_str!("../../data/holidays/LU.txt")),
    ("LV", include_str!("../../data/holidays/LV.txt")),
    ("MT", include_str!("../../data/holidays/MT.txt")),
    ("MX", include_str!("../../data/holidays/MX.txt")),
    ("NL", include_str!("../../data/holidays/NL.txt")),
    ("NO", include_str!("../../data/holidays/NO.txt")),
    ("NZ", include_str!("../../data/holidays/NZ.txt")),
    ("PL", include_str!("../../data/holidays/PL.txt")),
    ("PT", include_str!("../../data/holidays/PT.txt")),
    ("RO", include_str!("../../data/holidays/RO.txt")),
    ("SE", include_str!("../../data/holidays/SE.txt")),
    ("SG", include_str!("../../data/holidays/SG.txt")),
    ("SI", include_str!("../../data/holidays/SI.txt")),
    ("SK", include_str!("../../data/holidays/SK.txt")),
    ("US", include_str!("../../data/holidays/US.txt")),
    ("ZA", include_str!("../../data/holidays/ZA.txt")),
];

/// The countries that there are files of.
pub const CODES: [&str; FILES.len()] = {
    let mut codes = [""; FILES.len()];
    let mut index = 0;
    while index < FILES.len() {
        codes[index] = FILES[index].0;
        index += 1;
    }
    codes
};

/// Why there are no such holidays.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotACode {
    /// Nothing is called so.
    #[error("no holidays are called `{0}`: `forthright calendar list` shows what there is")]
    Unknown(String),
    /// The file is broken.
    #[error("the holidays of {code} cannot be read")]
    File {
        /// The country.
        code: String,
        /// Where it breaks.
        #[source]
        source: BadFile,
    },
}

/// The holidays of a country or a part of it: `DE`, `DE-BY`.
pub fn builtin(code: &str) -> Result<Holidays, NotACode> {
    let (country, part) = code.split_once('-').map_or((code, None), |(country, part)| (country, Some(part)));
    let unknown = || NotACode::Unknown(code.to_owned());
    let (_, text) = FILES.iter().find(|(name, _)| *name == country).ok_or_else(unknown)?;
    if part.is_some_and(|part| !parts(country).contains(&part)) {
        return Err(unknown());
    }
    Holidays::parse(text, part).map_err(|source| NotACode::File { code: code.to_owned(), source })
}

/// The holidays of a country as a whole, without those of its parts; empty and unknown where there is no file.
pub fn national(country: &str) -> &'static Holidays {
    static READ: LazyLock<BTreeMap<&str, Holidays>> =
        LazyLock::new(|| CODES.iter().filter_map(|code| Some((*code, builtin(code).ok()?))).collect());
    static NONE: LazyLock<Holidays> = LazyLock::new(Holidays::default);
    READ.get(country).unwrap_or(&NONE)
}

/// The parts of a country that have holidays of their own.
pub fn parts(country: &str) -> Vec<&'static str> {
    let file = FILES.iter().find(|(name, _)| *name == country);
    let line = file.and_then(|(_, text)| text.lines().find_map(|line| line.strip_prefix("parts\t")));
    line.map_or_else(Vec::new, |names| names.split(' ').collect())
}
