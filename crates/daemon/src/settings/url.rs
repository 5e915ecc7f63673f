//! The address by which people reach the daemon.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Where people reach the daemon: `https://tickets.example.com/`. Links in messages begin with it; there are
/// none as long as it is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicUrl(Option<Url>);

impl PublicUrl {
    /// The address of a path below it, such as `a/TOKEN`; `None` if it is not set.
    #[must_use]
    pub fn join(&self, path: &str) -> Option<String> {
        let base = self.0.as_ref()?;
        base.join(path).ok().map(String::from)
    }

    /// The address itself, which ends in `/`.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.0.as_ref()
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |url| url.fmt(f))
    }
}

/// `https`, or `http` where only this machine or a test reaches it; no user, query or fragment.
impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let mut url: Url = text
            .parse()
            .map_err(|error| format!("it is no address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("it must begin with https:// or http:// and a host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must have no user in it".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it must end with its path, without `?` or `#`".to_owned());
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(Some(url)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_it() {
        let public: PublicUrl = "https://example.com/upline".parse().unwrap();
        assert_eq!(
            public.join("a/xyz").unwrap(),
            "https://example.com/upline/a/xyz"
        );
        assert_eq!("".parse::<PublicUrl>().unwrap().join("a"), None);
    }

    #[test]
    fn what_is_no_public_address_is_refused() {
        for wrong in [
            "example.com",
            "ftp://example.com",
            "https://ann@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "javascript:alert(1)",
        ] {
            assert!(wrong.parse::<PublicUrl>().is_err(), "{wrong}");
        }
    }
}
