//! When two spellings of a contact mean the same: somebody outside, named by a number, an address or a name
//! in a field of the type `contact`.

/// Fewer digits are no telephone number: a room, an extension, a number of something else.
const MIN_DIGITS: usize = 5;

/// What a contact is compared by; `None`: there is nothing in it.
///
/// 1. Forms of full width (`＋４９`, `＠`) become the plain ones, and of `Mr Low <low@example.com>` what stands
///    in the brackets counts, if it is an address or a number. `mailto:` and `tel:` in front go.
/// 2. What has five digits at least, and else only spaces and `+ - – . / ( )`, is a telephone number: its
///    digits count, with a `+` if it begins so. `00` in front is a `+`, and `(0)` behind one goes. No country
///    is guessed: `030 1234567` is another number than `+49 30 1234567`.
/// 3. Of anything else the words count, in lower case, with single spaces between them.
///
/// ```
/// use upline::contact::comparable;
///
/// let number = comparable("+49 (0)30 123-45.67");
/// assert_eq!(number.as_deref(), Some("+49301234567"));
/// assert_eq!(comparable("0049 30 1234567"), number);
/// let address = comparable("Mr Low <Low@Example.com>");
/// assert_eq!(address.as_deref(), Some("low@example.com"));
/// assert_eq!(comparable(" LOW@example.com "), address);
/// assert_eq!(comparable("Mr  LOW"), comparable("mr low"));
/// assert_eq!(comparable("  "), None);
/// ```
#[must_use]
pub fn comparable(contact: &str) -> Option<String> {
    let plain: String = contact.chars().map(narrow).collect();
    let whole = without_scheme(plain.trim());
    let inner = in_brackets(whole).map(without_scheme);
    let inner = inner.filter(|inner| inner.contains('@') || number(inner).is_some());
    let text = inner.unwrap_or(whole);
    if let Some(number) = number(text) {
        return Some(number);
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The plain form of a character of full width, as Chinese and Japanese input gives them.
fn narrow(one: char) -> char {
    match u32::from(one) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(one),
        _ => one,
    }
}

/// What stands in the brackets of `Mr Low <low@example.com>`.
fn in_brackets(text: &str) -> Option<&str> {
    let (_, inner) = text.strip_suffix('>')?.rsplit_once('<')?;
    Some(inner.trim())
}

fn without_scheme(text: &str) -> &str {
    let rest = ["mailto:", "tel:"].iter().find_map(|scheme| {
        let (front, rest) = text.split_at_checked(scheme.len())?;
        front.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    });
    rest.unwrap_or(text)
}

/// The digits of a telephone number, behind its `+` if it has one.
fn number(text: &str) -> Option<String> {
    let between = |one: char| one.is_whitespace() || "+-\u{2010}\u{2011}\u{2013}./()".contains(one);
    if !text.chars().all(|one| one.is_ascii_digit() || between(one)) {
        return None;
    }
    let front = text.trim_start_matches(['(', ' ']);
    let is_abroad = front.starts_with('+');
    let text = match is_abroad || front.starts_with("00") {
        true => text.replacen("(0)", "", 1),
        false => text.to_owned(),
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < MIN_DIGITS {
        return None;
    }
    Some(match (is_abroad, digits.strip_prefix("00")) {
        (true, _) => format!("+{digits}"),
        (false, Some(abroad)) => format!("+{abroad}"),
        (false, None) => digits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(contact: &str) -> String {
        comparable(contact).unwrap_or_default()
    }

    #[test]
    fn spellings_of_one_number_are_one() {
        let spellings = [
            "+49 30 1234567",
            "0049301234567",
            "+49 (0)30 / 123-45-67",
            "0049 (0)30 1234567",
            "+49.30.1234567",
            " ＋４９ ３０ １２３４５６７ ",
            "tel:+49-30-1234567",
            "Frau Größe <+49 30 1234567>",
            "(+49) 30 1234567",
            "+49\u{a0}30\u{2011}1234567",
        ];
        for spelling in spellings {
            assert_eq!(is(spelling), "+49301234567", "{spelling}");
        }
        assert_eq!(is("030 1234567"), "0301234567");
        assert_eq!(is("(030) 1234567"), "0301234567");
        assert_eq!(is("13800138000"), is("138-0013-8000"));
        // With words in it, or too short, it is no number.
        assert_eq!(is("ext. 4711"), "ext. 4711");
        assert_eq!(is("47 11"), "47 11");
        assert_eq!(is("+"), "+");
        assert_eq!(is("00"), "00");
    }

    #[test]
    fn of_an_address_with_a_name_the_address_counts() {
        for spelling in [
            "Mr Low <low@example.com>",
            "<LOW@EXAMPLE.COM>",
            "mailto:Low@example.com",
            "Low <mailto:low@example.com>",
            "low＠example.com",
        ] {
            assert_eq!(is(spelling), "low@example.com", "{spelling}");
        }
        // What is no address in brackets is a part of the name.
        assert_eq!(is("Mr Low <VIP>"), "mr low <vip>");
        assert_eq!(is("<>"), "<>");
    }

    #[test]
    fn names_are_compared_in_lower_case() {
        assert_eq!(is("Frau  GRÖSSE"), "frau grösse");
        assert_eq!(is("王先生"), "王先生");
        assert_eq!(is("王\u{3000}先生"), "王 先生");
        for nothing in ["", " ", "\u{3000}", "tel: ", "mailto:"] {
            assert_eq!(comparable(nothing), None, "{nothing:?}");
        }
    }
}
