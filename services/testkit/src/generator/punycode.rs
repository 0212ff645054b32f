//! The A-label of a label, by RFC 3492.
//!
//! Written here so that what is expected does not come from the library that the product uses. It does no UTS 46:
//! the labels given are lower-case and composed already.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;

/// `münchen` gives `xn--mnchen-3ya`; an ASCII label is its own.
pub(crate) fn a_label(label: &str) -> String {
    if label.is_ascii() {
        return label.to_owned();
    }
    let points: Vec<u32> = label.chars().map(u32::from).collect();
    let mut output: String = label.chars().filter(char::is_ascii).collect();
    let basic = output.len() as u32;
    if basic > 0 {
        output.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (0x80, 0, 72, basic);
    while handled < points.len() as u32 {
        let next = points.iter().copied().filter(|point| *point >= n).min().unwrap_or(n);
        delta += (next - n) * (handled + 1);
        n = next;
        for point in &points {
            if *point < n {
                delta += 1;
            } else if *point == n {
                push_number(&mut output, delta, bias);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta += 1;
        n += 1;
    }
    format!("xn--{output}")
}

fn push_number(output: &mut String, number: u32, bias: u32) {
    let mut rest = number;
    let mut k = BASE;
    loop {
        let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if rest < t {
            return output.push(digit(rest));
        }
        output.push(digit(t + (rest - t) % (BASE - t)));
        rest = (rest - t) / (BASE - t);
        k += BASE;
    }
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + 38)
}

/// 0 to 25 are the letters, 26 to 35 the digits.
fn digit(value: u32) -> char {
    char::from(if value < 26 { b'a' + value as u8 } else { b'0' + (value - 26) as u8 })
}

#[cfg(test)]
mod tests {
    use super::a_label;

    #[test]
    fn labels_are_those_of_the_registries() {
        assert_eq!(a_label("münchen"), "xn--mnchen-3ya");
        assert_eq!(a_label("münchen58-dz"), "xn--mnchen58-dz-thb");
        assert_eq!(a_label("bücher"), "xn--bcher-kva");
        assert_eq!(a_label("例え"), "xn--r8jz45g");
        assert_eq!(a_label("straße"), "xn--strae-oqa");
        assert_eq!(a_label("plain"), "plain");
    }
}
