//! Types of Parquet columns, and which of them a field takes.
//!
//! Does not read values. Invariant: what is not listed here is refused by name, never guessed at.

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::schema::types::Type;

use crate::rows::Accepts;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// UTF-8.
    Text,
    Integer {
        is_signed: bool,
    },
    /// Days since 1970-01-01.
    Day,
    /// Units since 1970-01-01; so many make a second.
    Time {
        per_second: i64,
        is_utc: bool,
    },
    /// The old time of Hive and Spark: nanoseconds of a Julian day.
    Time96,
    Flag,
    /// Nothing but nulls: what pandas writes of a column without values, in some physical type.
    Null,
}

impl Kind {
    pub(crate) fn suits(self, accepts: Accepts) -> bool {
        match (self, accepts) {
            (Self::Text | Self::Null, _)
            | (Self::Integer { .. }, Accepts::TextOrInteger)
            | (Self::Day | Self::Time { .. } | Self::Time96, Accepts::Date)
            | (Self::Flag, Accepts::Flag) => true,
            (Self::Integer { .. } | Self::Day | Self::Time { .. } | Self::Time96 | Self::Flag, _) => false,
        }
    }
}

/// In words.
pub(crate) fn accepted(accepts: Accepts) -> &'static str {
    match accepts {
        Accepts::Text => "a string",
        Accepts::TextOrInteger => "an integer (INT32, INT64) or a string",
        Accepts::Date => "a date, a timestamp or a string",
        Accepts::Flag => "a boolean or a string",
    }
}

/// `None` for what is not read.
pub(crate) fn kind(field: &Type) -> Option<Kind> {
    if !field.is_primitive() || field.get_basic_info().repetition() == Repetition::REPEATED {
        return None;
    }
    let info = field.get_basic_info();
    match (field.get_physical_type(), info.logical_type_ref()) {
        (_, Some(LogicalType::Unknown)) => Some(Kind::Null),
        (Physical::BOOLEAN, None) => Some(Kind::Flag),
        (Physical::INT96, _) => Some(Kind::Time96),
        (Physical::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json)) => Some(Kind::Text),
        (Physical::INT32, Some(LogicalType::Date)) => Some(Kind::Day),
        (Physical::INT32 | Physical::INT64, Some(LogicalType::Integer(int))) => {
            Some(Kind::Integer { is_signed: int.is_signed })
        }
        (Physical::INT64, Some(LogicalType::Timestamp(time))) => {
            let per_second = match time.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            };
            Some(Kind::Time { per_second, is_utc: time.is_adjusted_to_u_t_c })
        }
        (physical, None) => converted(physical, info.converted_type()),
        (_, Some(_)) => None,
    }
}

/// The older way to say it. Old writers say nothing about their strings.
fn converted(physical: Physical, converted: ConvertedType) -> Option<Kind> {
    use ConvertedType as C;
    match (physical, converted) {
        (Physical::BYTE_ARRAY, C::NONE | C::UTF8 | C::ENUM | C::JSON) => Some(Kind::Text),
        (Physical::INT32, C::DATE) => Some(Kind::Day),
        (Physical::INT64, C::TIMESTAMP_MILLIS) => Some(Kind::Time { per_second: 1_000, is_utc: true }),
        (Physical::INT64, C::TIMESTAMP_MICROS) => Some(Kind::Time { per_second: 1_000_000, is_utc: true }),
        (Physical::INT32 | Physical::INT64, C::NONE | C::INT_8 | C::INT_16 | C::INT_32 | C::INT_64) => {
            Some(Kind::Integer { is_signed: true })
        }
        (Physical::INT32 | Physical::INT64, C::UINT_8 | C::UINT_16 | C::UINT_32 | C::UINT_64) => {
            Some(Kind::Integer { is_signed: false })
        }
        _ => None,
    }
}

/// The type as tools for Parquet write it.
pub(crate) fn shown(field: &Type) -> String {
    if !field.is_primitive() {
        return "nested (a group of columns)".to_owned();
    }
    let info = field.get_basic_info();
    let physical = field.get_physical_type();
    let list = if info.repetition() == Repetition::REPEATED { "a list of " } else { "" };
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(logical), _) => format!("{list}{physical} ({logical:?})"),
        (None, ConvertedType::NONE) => format!("{list}{physical}"),
        (None, converted) => format!("{list}{physical} ({converted:?})"),
    }
}
