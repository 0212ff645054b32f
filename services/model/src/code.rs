//! Notice codes: short, typed by hand, read over the phone, and told apart from slips of the hand.
//!
//! A code is eleven random characters and one that checks them, in groups of four: `K7QF-2M9X-0WTR`. The alphabet is
//! Crockford's (no i, l, o, u). Does not know which codes exist. Invariant: one wrong character, and two neighbours that
//! changed places, never give a code that checks.
//!
//! Guessing: 11 characters are 55 bits. With 100,000 notices sent and [`A_SECOND`] tries answered each second for a year,
//! a guess is right once in about 570 years (2^55 / (100,000 · 20 · 31,557,600)).

use crate::digest::base32;

/// Characters of a code without its dashes.
const LENGTH: usize = 12;
/// Tries a second that a public page answers at the most, from everybody together: what guessing is reckoned with.
pub const A_SECOND: u32 = 20;
/// The longest text that is read at all, in bytes.
const LONGEST: usize = 64;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeCode(String);

/// Whether the last character of a code fits the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// It does: nothing was mistyped.
    Right,
    /// It does not: something was mistyped, or the code is of an early store, where none checked.
    Wrong,
}

impl NoticeCode {
    /// From at least 7 bytes of a keyed hash.
    pub fn of(mac: &[u8]) -> Self {
        let mut code = base32(mac).to_ascii_uppercase();
        code.truncate(LENGTH - 1);
        let check = checksum(code.bytes());
        code.push(char::from(ALPHABET[usize::from(check)]));
        Self(code)
    }

    /// What somebody typed: any case, with or without dashes and spaces, `o` for 0, `i` and `l` for 1. `None`: it has not
    /// the form of a code.
    pub fn read(typed: &str) -> Option<Self> {
        if typed.len() > LONGEST {
            return None;
        }
        let mut code = String::with_capacity(LENGTH);
        for char in typed.chars().filter(|char| !char.is_whitespace() && !"-–—‐‑_.".contains(*char)) {
            let plain = match char.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            value(plain)?;
            code.push(plain);
        }
        (code.len() == LENGTH).then_some(Self(code))
    }

    /// Whether it can be a code that was given out.
    pub fn checks(&self) -> Checks {
        let (random, last) = self.0.split_at(LENGTH - 1);
        match last.chars().next().and_then(value) == Some(checksum(random.bytes())) {
            true => Checks::Right,
            false => Checks::Wrong,
        }
    }
}

/// `K7QF-2M9X-0WTR`.
impl std::fmt::Display for NoticeCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", &self.0[..4], &self.0[4..8], &self.0[8..])
    }
}

fn value(char: char) -> Option<u8> {
    ALPHABET.iter().position(|known| char::from(*known) == char).and_then(|at| u8::try_from(at).ok())
}

/// Each character times another power of 2 in the field of 32 elements, summed: what one slip and one swap cannot keep.
fn checksum(random: impl Iterator<Item = u8>) -> u8 {
    random.fold(0, |sum, char| doubled(sum ^ value(char::from(char)).unwrap_or_default()))
}

/// Times 2 in GF(2^5), modulo x^5 + x^2 + 1.
fn doubled(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 { shifted } else { (shifted ^ 0b10_0101) & 31 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(mac: [u8; 32]) -> String {
        NoticeCode::of(&mac).to_string()
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = NoticeCode::of(b"0123456789");
        let printed = code.to_string();
        assert_eq!(printed.len(), 14);
        for typed in [
            printed.clone(),
            printed.to_lowercase(),
            printed.replace('-', ""),
            printed.replace('-', " "),
            format!("  {} ", printed.replace('-', "–")),
            printed.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(NoticeCode::read(&typed).as_ref(), Some(&code), "{typed}");
        }
        for typed in ["", "K7QF", "K7QF-2M9X-0WTRX", "U7QF-2M9X-0WTR", "K7QF-2M9X-0WT?", &"0".repeat(1_000)] {
            assert_eq!(NoticeCode::read(typed), None, "{typed}");
        }
    }

    #[test]
    fn the_sum_tells_as_many_codes_apart_as_are_reckoned_with() {
        let guesses = 100_000.0 * f64::from(A_SECOND) * 31_557_600.0;
        assert!(2_f64.powi(5 * (LENGTH as i32 - 1)) / guesses > 500.0);
    }

    proptest! {
        #[test]
        fn every_code_checks_and_no_slip_of_one_character_does(mac in any::<[u8; 32]>(), at in 0..LENGTH, other in 0..32_usize) {
            let right: String = code(mac).replace('-', "");
            prop_assert_eq!(NoticeCode::read(&right).unwrap().checks(), Checks::Right);
            let mut wrong: Vec<u8> = right.clone().into_bytes();
            wrong[at] = ALPHABET[other];
            let wrong = String::from_utf8(wrong).unwrap();
            let expected = if wrong == right { Checks::Right } else { Checks::Wrong };
            prop_assert_eq!(NoticeCode::read(&wrong).unwrap().checks(), expected);
        }

        #[test]
        fn two_neighbours_that_changed_places_never_check(mac in any::<[u8; 32]>(), at in 0..LENGTH - 1) {
            let right: String = code(mac).replace('-', "");
            let mut wrong = right.clone().into_bytes();
            wrong.swap(at, at + 1);
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assume!(wrong != right);
            prop_assert_eq!(NoticeCode::read(&wrong).unwrap().checks(), Checks::Wrong);
        }
    }
}
