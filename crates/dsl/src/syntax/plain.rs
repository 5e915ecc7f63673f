//! Plain texts that tools of YAML 1.1 and 1.2 read differently.

/// What a tool of YAML 1.1 makes of an unquoted text, if a tool of YAML 1.2 makes something else of it.
pub(crate) fn differs(text: &str) -> Option<&'static str> {
    let first = *text.as_bytes().first()?;
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => number_differs(text),
        _ if text.len() <= 3 => {
            let lower = text.to_ascii_lowercase();
            let spelled = text == lower
                || text == text.to_ascii_uppercase()
                || text.chars().skip(1).eq(lower.chars().skip(1));
            match lower.as_str() {
                _ if !spelled => None,
                "yes" | "on" | "y" => Some("true"),
                "no" | "off" | "n" => Some("false"),
                "=" => Some("a default value"),
                "<<" => Some("a merge of maps"),
                _ => None,
            }
        }
        _ => None,
    }
}

fn number_differs(text: &str) -> Option<&'static str> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let only = |allowed: fn(u8) -> bool| digits.bytes().all(allowed);
    let starts_with_digit = digits.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if !starts_with_digit {
        return None;
    }
    if digits.contains(':')
        && only(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'_' | b'.'))
    {
        let mut parts = digits.split(':').skip(1);
        let sixty = |part: &str| {
            let whole = part.split('.').next().unwrap_or_default();
            (1..=2).contains(&whole.len()) && whole.parse::<u8>().is_ok_and(|minutes| minutes < 60)
        };
        return parts.all(sixty).then_some("a number to the base 60");
    }
    if digits.contains('_')
        && only(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    {
        return only(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'_' | b'.' | b'x'))
            .then_some("a number");
    }
    if let Some(rest) = digits.strip_prefix("0o") {
        let octal = !rest.is_empty() && rest.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        return octal.then_some("a number");
    }
    if let Some(rest) = digits.strip_prefix("0b") {
        let binary = !rest.is_empty() && rest.bytes().all(|byte| matches!(byte, b'0' | b'1'));
        return binary.then_some("a number to the base 2");
    }
    if digits.len() > 1 && digits.starts_with('0') && only(|byte| byte.is_ascii_digit()) {
        return Some("a number to the base 8");
    }
    exponent_differs(digits).then_some("a number")
}

/// `1e3` is a number to YAML 1.2 only; 1.1 wants a dot and a sign: `1.0e+3`.
fn exponent_differs(digits: &str) -> bool {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_digits = mantissa.replacen('.', "", 1);
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    number(&mantissa_digits)
        && number(unsigned)
        && (unsigned.len() == exponent.len() || !mantissa.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_versions_read_differently() {
        for text in [
            "no", "No", "NO", "yes", "on", "off", "y", "22:22", "1:30:00", "0o17", "017", "1_000",
            "1e3", "1.5e3", "0b101", "-0o7", "<<", "=",
        ] {
            assert!(differs(text).is_some(), "{text}");
        }
        for text in [
            "nO",
            "note",
            "none",
            "22:70",
            "22:222",
            "12",
            "1.5",
            "2026-03-02 08:00",
            "2026-10-10",
            "15 min",
            "09:00-12:00",
            "0",
            "1.0e+3",
            "1e",
            "e3",
            "a:1",
            "75%",
            "工单",
            "",
            "true",
            "null",
            "0x1F",
            "12-25",
            "_1",
        ] {
            assert_eq!(differs(text), None, "{text}");
        }
    }
}
