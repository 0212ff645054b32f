//! What the envelope asks of delivery reports (RFC 3461): ENVID, RET, NOTIFY, ORCPT.
//!
//! Reads no report (that is `inbound`). Invariant: nothing of an id or address ends the command or its parameter.

use std::io::Write;

use model::delivery::ReportsWanted;

/// The wish for reports of one mail.
#[derive(Debug, Clone, Copy)]
pub struct Reports<'a> {
    wanted: ReportsWanted,
    id: &'a str,
}

impl<'a> Reports<'a> {
    /// `None` where none is wanted. The id comes back in reports as `Original-Envelope-Id`; RFC 3461 4.4 allows 100
    /// characters of it.
    pub fn of(wanted: ReportsWanted, id: &'a str) -> Option<Self> {
        (wanted != ReportsWanted::Off && !id.is_empty() && id.len() <= 100 && id.is_ascii())
            .then_some(Self { wanted, id })
    }

    /// Behind MAIL. Headers are enough: they hold the Message-ID.
    pub(super) fn write_sender(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b" RET=HDRS ENVID=");
        write_xtext(out, self.id);
    }

    /// Behind RCPT. An address beyond ASCII would need the server to know `utf-8` addresses here too (RFC 6533), so it
    /// is left out.
    pub(super) fn write_recipient(&self, out: &mut Vec<u8>, recipient: &str) {
        out.extend_from_slice(match self.wanted {
            ReportsWanted::Success => b" NOTIFY=SUCCESS,FAILURE,DELAY".as_slice(),
            ReportsWanted::Failure | ReportsWanted::Off => b" NOTIFY=FAILURE,DELAY",
        });
        // 500 octets at most (4.2), three for each that has to be written as a number.
        if recipient.is_ascii() && recipient.len() <= 160 {
            out.extend_from_slice(b" ORCPT=rfc822;");
            write_xtext(out, recipient);
        }
    }
}

/// RFC 3461 4: printable ASCII but for `+` and `=`, which are written as `+` and two digits.
fn write_xtext(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'+' | b'=' | 0..=32 | 127.. => {
                // Writing to memory does not fail.
                let _ = write!(out, "+{byte:02X}");
            }
            byte => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: ReportsWanted, id: &str, recipient: &str, expect: &str) {
        let mut out = Vec::new();
        if let Some(reports) = Reports::of(wanted, id) {
            reports.write_sender(&mut out);
            reports.write_recipient(&mut out, recipient);
        }
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn reports_are_asked_for_as_wanted() {
        let (failure, success) = (ReportsWanted::Failure, ReportsWanted::Success);
        let head = " RET=HDRS ENVID=dlv_1 NOTIFY=";
        check(failure, "dlv_1", "a@b.example", &format!("{head}FAILURE,DELAY ORCPT=rfc822;a@b.example"));
        check(success, "dlv_1", "a@b.example", &format!("{head}SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@b.example"));
        check(ReportsWanted::Off, "dlv_1", "a@b.example", "");
    }

    #[test]
    fn what_would_end_a_parameter_is_written_as_a_number() {
        let expect = " RET=HDRS ENVID=a+2Bb+3D+20+0D+0A NOTIFY=FAILURE,DELAY ORCPT=rfc822;\"a+20+2B\"@b.example";
        check(ReportsWanted::Failure, "a+b= \r\n", "\"a +\"@b.example", expect);
    }

    #[test]
    fn an_address_beyond_ascii_and_an_id_too_long_are_left_out() {
        check(ReportsWanted::Failure, "a", "\u{fc}@b.example", " RET=HDRS ENVID=a NOTIFY=FAILURE,DELAY");
        check(ReportsWanted::Failure, &"a".repeat(101), "a@b.example", "");
    }
}
