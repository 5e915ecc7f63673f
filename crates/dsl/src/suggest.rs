//! "Did you mean": the nearest of the names there are.

/// Names compared at most; a typo is not worth more time in a directory of many thousands.
const MAX_CANDIDATES: usize = 2_000;

/// Longest name compared, in bytes: the time grows with the product of both lengths.
const MAX_LENGTH: usize = 128;

/// The candidate nearest to `name`, if one is near enough to be meant.
///
/// ```
/// use upline_dsl::did_you_mean;
/// assert_eq!(did_you_mean("wating", ["waiting", "working"]), Some("waiting"));
/// assert_eq!(did_you_mean("closed", ["waiting", "working"]), None);
/// ```
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if name.is_empty() || name.len() > MAX_LENGTH {
        return None;
    }
    let low = name.to_lowercase();
    let length = low.chars().count();
    let limit = (length / 3).max(1);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
        if candidate == name || candidate.len() > MAX_LENGTH {
            continue;
        }
        if candidate.chars().count().abs_diff(length) > limit {
            continue;
        }
        let distance = strsim::osa_distance(&low, &candidate.to_lowercase());
        // One character of one can be anything.
        let possible = distance <= limit && distance < length;
        if possible && best.is_none_or(|(nearest, _)| distance < nearest) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The text under an unknown name: the nearest candidate, else all if they are few.
pub(crate) fn hint<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    if let Some(nearest) = did_you_mean(name, candidates.clone()) {
        return format!("did you mean `{nearest}`?");
    }
    let all: Vec<&str> = candidates.into_iter().take(FEW + 1).collect();
    match all.len() {
        0 => "there are none".to_owned(),
        1..=FEW => format!("there are: {}", all.join(", ")),
        _ => String::new(),
    }
}

/// Names that are listed at most.
pub(crate) const FEW: usize = 8;
