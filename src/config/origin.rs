//! Web origins, as browsers write them.

use std::{fmt, str::FromStr};

/// Where a web page comes from: `https://app.example.org`, a scheme and a host with its port, exactly as browsers send
/// it in the header `Origin`.
///
/// See [RFC 6454, section 6.2](https://www.rfc-editor.org/rfc/rfc6454#section-6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// As browsers write it, in ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = String;

    /// Reads an origin. What no browser would send is refused: it would be configured and never hold.
    fn from_str(text: &str) -> Result<Self, String> {
        check(text).map(|()| Self(text.to_owned())).map_err(|wrong| {
            format!("{wrong}; expected one exact origin as browsers send it, such as `https://app.example.org`")
        })
    }
}

fn check(text: &str) -> Result<(), &'static str> {
    if text == "null" {
        return Err("`null` is the origin of files and sandboxed pages, whoever made them");
    }
    if text.contains('*') {
        return Err("there are no wildcards");
    }
    let (scheme, place) = text.split_once("://").ok_or("there is no scheme")?;
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err("browsers write origins in lower case");
    }
    if !scheme.starts_with(|c: char| c.is_ascii_lowercase()) || !consists_of(scheme, b"+-.") {
        return Err("the scheme is not one");
    }
    if place.contains(['/', '?', '#', '@', '\\']) {
        return Err("an origin ends with its host and port, without a slash");
    }
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if host.is_empty() || !inner.map_or_else(|| consists_of(host, b"-._"), |inner| consists_of(inner, b":.")) {
        return Err("the host is not one in ASCII (an international name is written `xn--…`)");
    }
    match port {
        Some(port) if port.starts_with('0') || port.parse::<u16>().is_err() => Err("the port is not one"),
        Some(port) if [("http", "80"), ("https", "443")].contains(&(scheme, port)) => {
            Err("browsers leave out the scheme's own port")
        }
        _ => Ok(()),
    }
}

fn consists_of(text: &str, more: &[u8]) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || more.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_browsers_send() {
        for text in [
            "https://app.example.org",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://[::1]",
            "https://xn--bcher-kva.example",
            "http://a:443",
            "capacitor://localhost",
            "chrome-extension://abcdefghijklmnop",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_no_browser_sends() {
        for text in [
            "",
            "*",
            "null",
            "https://*.example.org",
            "https://app.example.org/",
            "https://app.example.org/path",
            "https://app.example.org?",
            "https://app.example.org#",
            "https://user@app.example.org",
            "https://app.example.org:443",
            "http://app.example.org:80",
            "https://app.example.org:0",
            "https://app.example.org:99999",
            "https://app.example.org:",
            "https://App.example.org",
            "HTTPS://app.example.org",
            "https://bücher.example",
            "https://",
            "://app.example.org",
            "app.example.org",
            "https:/app.example.org",
            " https://app.example.org",
            "https://app.example.org ",
            "https://a https://b",
            "https://a,https://b",
            "https://a\r\nx: y",
            "https://[::1",
        ] {
            let refused = text.parse::<Origin>().unwrap_err();
            assert!(refused.contains("`https://app.example.org`"), "{text}: {refused}");
        }
    }
}
