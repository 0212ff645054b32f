//! A message as it travels after DATA: CRLF line ends, dots doubled, the final dot.
//!
//! Does no I/O. Invariant: the only line that is a lone dot is the last, whatever the message holds. A bare CR or LF
//! becomes CRLF, because servers differ on whether it ends a line, and a message must not be able to use that.

/// Replaces the content of `out` by `message`, ready for the wire with its final dot.
pub(super) fn stuff(message: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.reserve(message.len() + message.len() / 32 + 8);
    let mut rest = message;
    while let Some(first) = rest.first() {
        if *first == b'.' {
            out.push(b'.');
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
    }
    out.extend_from_slice(b".\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(message: &str, expect: &str) {
        let mut out = b"rubbish of the message before".to_vec();
        stuff(message.as_bytes(), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expect, "{message:?}");
    }

    #[test]
    fn lines_that_start_with_a_dot_get_another() {
        check(".\r\n..\r\na.b\r\n.x\r\n", "..\r\n...\r\na.b\r\n..x\r\n.\r\n");
    }

    #[test]
    fn the_last_line_gets_its_end() {
        check("a", "a\r\n.\r\n");
        check("a\r\n", "a\r\n.\r\n");
        check("a\r\n.", "a\r\n..\r\n.\r\n");
        check("", ".\r\n");
        check("\r\n", "\r\n.\r\n");
    }

    #[test]
    fn no_line_end_smuggles_a_final_dot() {
        for end in ["\n", "\r"] {
            check(&format!("a{end}.{end}MAIL FROM:<x@y.example>{end}"), "a\r\n..\r\nMAIL FROM:<x@y.example>\r\n.\r\n");
        }
        check("a\r\r\nb\n\rc", "a\r\n\r\nb\r\n\r\nc\r\n.\r\n");
    }

    proptest! {
        #[test]
        fn only_the_end_is_a_lone_dot(message in "[a.\r\n]{0,40}") {
            let mut out = Vec::new();
            stuff(message.as_bytes(), &mut out);
            let text = String::from_utf8(out).unwrap();
            prop_assert!(text == ".\r\n" || text.ends_with("\r\n.\r\n"));
            let lines: Vec<&str> = text.split("\r\n").collect();
            prop_assert_eq!(lines.iter().filter(|line| **line == ".").count(), 1);
            prop_assert!(lines.iter().all(|line| !line.contains(['\r', '\n'])));
        }
    }
}
