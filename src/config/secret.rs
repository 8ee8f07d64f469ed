//! Settings that nobody may see: they come as text or from a file, and are never shown.

use std::{fmt, fs, path::Path};

use crate::error::{Error, Result};

/// A text that must not get into logs, messages or `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for what it is needed for.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is `given`, or else in `file`: its text without the line break at the end. `what` names the setting.
    pub(super) fn choose(given: Option<&Self>, file: Option<&Path>, what: &str) -> Result<Option<Self>> {
        match (given, file) {
            (Some(given), _) => Ok(Some(given.clone())),
            (None, Some(file)) => Self::read(file, what).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The text in `file` without the line break at the end.
    pub(super) fn read(file: &Path, what: &str) -> Result<Self> {
        let text = fs::read_to_string(file)
            .map_err(|e| Error::Startup(format!("cannot read {what} from `{}`: {e}", file.display())))?;
        Ok(Self(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_shown() {
        assert_eq!(format!("{:?} {:#?}", Secret::from("hunter2"), Some(Secret::from("hunter2"))).find("hunter2"), None);
    }

    #[test]
    fn a_file_holds_it_with_or_without_a_line_break() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for text in ["s p a c e ", "s p a c e \n", "s p a c e \r\n"] {
            fs::write(file.path(), text).unwrap();
            let read = Secret::choose(None, Some(file.path()), "the secret").unwrap().unwrap();
            assert_eq!(read.expose(), "s p a c e ");
        }
        let missing = Secret::choose(None, Some(Path::new("no/such/file")), "the secret").unwrap_err().to_string();
        assert!(missing.starts_with("cannot read the secret from `no/such/file`: "), "{missing}");
    }
}
