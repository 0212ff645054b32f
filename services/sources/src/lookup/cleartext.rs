//! Takes a text out of its OpenPGP cleartext signature (RFC 9580 7), if it is in one.
//!
//! Does not verify the signature: whose key it would have to be is not known. Invariant: of a signed file only the
//! signed lines come out, so nobody adds a contact before or behind them.

/// Lines of a text, each with its number in the file, from 1.
pub(crate) type Lines<'a> = Vec<(usize, &'a str)>;

/// Whether a text was in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// There is none.
    Absent,
    /// There is one, and nobody has verified it.
    Unverified,
}

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";

/// The lines that count; an error says what is wrong with the signature.
pub(crate) fn unwrap(text: &str) -> Result<(Lines<'_>, Signature), &'static str> {
    let lines: Lines<'_> = text.lines().enumerate().map(|(at, line)| (at + 1, line)).collect();
    let is = |line: &str, marker| line.trim_end() == marker;
    if !lines.first().is_some_and(|(_, line)| is(line, BEGIN)) {
        let is_marker = |line: &str| is(line, BEGIN) || is(line, BEGIN_SIGNATURE) || is(line, END);
        return match lines.iter().any(|(_, line)| is_marker(line)) {
            true => Err("the signature does not begin on the first line"),
            false => Ok((lines, Signature::Absent)),
        };
    }
    let blank = position(&lines, |line| line.trim().is_empty()).ok_or("the signed text is cut off")?;
    if lines[1..blank].iter().any(|(_, line)| !line.starts_with("Hash:")) {
        return Err("the signature has a header other than Hash");
    }
    let signature = position(&lines, |line| is(line, BEGIN_SIGNATURE)).ok_or("the signature is cut off")?;
    let end = position(&lines, |line| is(line, END)).ok_or("the signature is cut off")?;
    if signature <= blank || end < signature {
        return Err("the parts of the signature are out of order");
    }
    if lines[end + 1..].iter().any(|(_, line)| !line.trim().is_empty()) {
        return Err("there is text after the signature");
    }
    let signed = lines[blank + 1..signature].iter();
    let signed = signed.map(|(number, line)| without_dash(line).map(|line| (*number, line)));
    Ok((signed.collect::<Result<_, _>>()?, Signature::Unverified))
}

fn position(lines: &Lines<'_>, is: impl Fn(&str) -> bool) -> Option<usize> {
    lines.iter().position(|(_, line)| is(line))
}

fn without_dash(line: &str) -> Result<&str, &'static str> {
    match line.strip_prefix('-') {
        None => Ok(line),
        Some(rest) => rest.strip_prefix(' ').ok_or("a signed line begins with a dash that is not escaped"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n# a\r\n- -b\r\n- c\r\n\
        -----BEGIN PGP SIGNATURE-----\r\nVersion: x\r\n\r\nabc=\r\n-----END PGP SIGNATURE-----\r\n";

    fn check(text: &str, expect: Result<&[(usize, &str)], &str>) {
        assert_eq!(unwrap(text).as_ref().map(|(lines, _)| lines.as_slice()), expect.as_ref().copied(), "{text}");
    }

    #[test]
    fn dashes_are_taken_off_signed_lines_only() {
        check(SIGNED, Ok(&[(4, "# a"), (5, "-b"), (6, "c")]));
        check("- a\n", Ok(&[(1, "- a")]));
        assert_eq!(unwrap(SIGNED).unwrap().1, Signature::Unverified);
        assert_eq!(unwrap("a").unwrap().1, Signature::Absent);
    }

    #[test]
    fn a_block_that_is_cut_off_is_refused_wherever_it_ends() {
        let whole = SIGNED.trim_end().len();
        for end in BEGIN.len()..whole {
            assert!(unwrap(&SIGNED[..end]).is_err(), "{}", &SIGNED[..end]);
        }
    }

    #[test]
    fn nothing_stands_outside_the_signed_part() {
        let before = format!("Contact: mailto:x@evil.example\n{SIGNED}");
        check(&before, Err("the signature does not begin on the first line"));
        let after = format!("{SIGNED}Contact: mailto:x@evil.example\n");
        check(&after, Err("there is text after the signature"));
        let header = SIGNED.replace("Hash: SHA256", "Contact: mailto:x@evil.example");
        check(&header, Err("the signature has a header other than Hash"));
        check("a\n-----END PGP SIGNATURE-----", Err("the signature does not begin on the first line"));
        let dashed = SIGNED.replace("- -b", "-b");
        check(&dashed, Err("a signed line begins with a dash that is not escaped"));
    }
}
