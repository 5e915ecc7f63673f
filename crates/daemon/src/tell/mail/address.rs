//! Addresses, and everything else that gets into a header: looked at before it is used.

use lettre::Address;
use lettre::message::Mailbox;

use crate::tell::letters::{is_hidden, one_line};

/// Longest address, in bytes; RFC 5321 has no longer ones.
const MAX_ADDRESS: usize = 254;

/// Longest display name, in characters.
const MAX_DISPLAY: usize = 64;

/// An address that mail can go to: a plain `local@domain`. What RFC 5322 allows besides (quotes, comments,
/// blanks) nobody has, and it is the stuff of injections.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let fault = |why: &str| Err(format!("`{}` is no mail address: {why}", one_line(text)));
    if text.len() > MAX_ADDRESS {
        return fault("it is too long");
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return fault("there is no `@`");
    };
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    if local.is_empty() || !local.chars().all(plain) {
        return fault("what is before the `@` must be letters, digits and signs");
    }
    let of_domain = |c: char| c.is_alphanumeric() || "-.".contains(c);
    let literal = domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_domain = !domain.is_empty() && domain.chars().all(of_domain);
    let is_literal = literal.is_some_and(|ip| ip.parse::<std::net::Ipv4Addr>().is_ok());
    if !is_domain && !is_literal {
        return fault("what is behind the `@` must be a domain");
    }
    Address::new(local, domain).or_else(|_| fault("it is not of the form `name@example.com`"))
}

/// `Mr Low <low@example.com>`, or the address alone.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let text = text.trim();
    let Some((name, rest)) = text.rsplit_once('<') else {
        return address(text).map(|email| Mailbox::new(None, email));
    };
    let Some(inner) = rest.strip_suffix('>') else {
        let text = one_line(text);
        return Err(format!(
            "`{text}` is no mail address: `>` is missing at its end"
        ));
    };
    let email = address(inner.trim())?;
    Ok(Mailbox::new(display(name.trim().trim_matches('"')), email))
}

/// What begins an encoded word (RFC 2047). A text that has one of its own would be read as whatever it
/// encodes, signs that were taken out of it among them.
const ENCODED: &str = "=?";

/// A text for a header, which is read as it stands there.
pub(super) fn as_it_stands(text: &str) -> String {
    text.replace(ENCODED, "= ?")
}

/// A name before an address. One that could be taken for an address itself is left out.
pub(super) fn display(name: &str) -> Option<String> {
    let name: String = one_line(name).chars().take(MAX_DISPLAY).collect();
    let is_deceiving =
        name.contains(['@', '＠', '﹫', '<', '>', '"', '\\']) || name.contains(ENCODED);
    (!name.is_empty() && !is_deceiving).then_some(name)
}

/// The last look before a header is built: what would begin another header, or hide.
pub(super) fn checked(what: &str, value: String) -> Result<String, String> {
    match value.chars().find(|c| is_hidden(*c)) {
        None => Ok(value),
        Some(c) => Err(format!("{what} holds the character {}", c.escape_unicode())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_taken() {
        for right in [
            "ann@example.com",
            "a.b+c@x-y.example",
            "李@例子.中国",
            "a@[127.0.0.1]",
            "x@localhost",
        ] {
            assert_eq!(address(right).unwrap().as_ref() as &str, right);
        }
        let low = mailbox("Mr Low <low@example.com>").unwrap();
        assert_eq!(
            (low.name.as_deref(), low.email.user()),
            (Some("Mr Low"), "low")
        );
        assert_eq!(mailbox(" low@example.com ").unwrap().name, None);
        assert_eq!(
            mailbox("\"Low, Mr\" <low@example.com>")
                .unwrap()
                .name
                .as_deref(),
            Some("Low, Mr")
        );
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        let wrong = [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@exam ple.com",
            "ann@example.com\r\nBcc: eve@example.com",
            "ann\0@example.com",
            "\"ann\r\n\"@example.com",
            "\"ann>\"@example.com",
            "ann@example.com> SIZE=1",
            "ann@example.com,eve@example.com",
            "<ann@example.com>",
            "ann@[::1]",
            "ann\u{202e}@example.com",
        ];
        for wrong in wrong {
            let told = address(wrong).unwrap_err();
            assert!(told.contains("is no mail address"), "{wrong}: {told}");
            assert!(!told.contains(is_hidden), "{wrong}: {told}");
        }
        assert!(address(&format!("{}@example.com", "a".repeat(250))).is_err());
        assert!(
            mailbox("Mr Low <low@example.com")
                .unwrap_err()
                .contains("`>` is missing")
        );
        assert!(mailbox("Mr Low <low@example.com> x").is_err());
        assert!(mailbox("Mr Low").is_err());
    }

    #[test]
    fn a_name_that_looks_like_an_address_is_left_out() {
        for name in [
            "boss@bank.example",
            "boss＠bank.example",
            "Boss <boss@bank.example>",
            "",
            "\r\n",
            "=?utf-8?Q?boss=40bank.example?=",
        ] {
            assert_eq!(display(name), None, "{name}");
        }
        assert_eq!(display("Ann\r\nBcc: x"), Some("Ann Bcc: x".into()));
        assert_eq!(display("刘梅 (Liu Mei)"), Some("刘梅 (Liu Mei)".into()));
    }

    #[test]
    fn nothing_hidden_passes_the_last_look() {
        for c in [
            '\r', '\n', '\0', '\u{85}', '\u{7f}', '\u{202e}', '\u{2066}', '\u{2028}',
        ] {
            assert!(checked("the subject", format!("a{c}b")).is_err());
        }
        assert_eq!(
            checked("the subject", "退款 ok".into()),
            Ok("退款 ok".into())
        );
    }
}
