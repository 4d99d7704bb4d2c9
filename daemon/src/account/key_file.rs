//! A Personal API key in a file: the one an account's configuration names, or the official client's own. Read as the official
//! client reads it: white space around the key does not count, and a file that was named but has no key is an error, never a reason to take
//! another key. The account room asks for it often, so that a new key needs no restart; nothing of it is written anywhere.

use std::fs::OpenOptions;
use std::io::Read;
use std::path::PathBuf;

use chrono::NaiveDate;
use secrecy::SecretString;

/// Far more than any key; what is longer is another file.
const LONGEST: u64 = 4096;

/// Where an account's key may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The file.
    pub path: PathBuf,
    /// Whether the configuration names it; else it is the official client's default, and counts only where it exists and where
    /// no key is stored.
    pub configured: bool,
    /// The key's last day, where the configuration says it.
    pub expires: Option<NaiveDate>,
}

/// What was found there.
#[derive(Debug, Default)]
pub struct Found {
    /// The key; none if the file is the official client's and not there.
    pub key: Option<SecretString>,
    /// Why there is none, for people.
    pub trouble: Option<String>,
    /// Whether everybody on the machine may read it.
    pub exposed: bool,
}

impl KeyFile {
    /// Reads the file. Blocks as long as the disk does.
    pub fn read(&self) -> Found {
        let trouble = |why: String| Found { trouble: Some(why), ..Found::default() };
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // A pipe that somebody put there must not hold the daemon.
            options.custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
        }
        let file = match options.open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !self.configured => return Found::default(),
            Err(error) => return trouble(format!("it cannot be opened ({error})")),
        };
        let exposed = match file.metadata() {
            Ok(found) if found.is_file() => readable_by_all(&found),
            Ok(_) => return trouble("it is not a file".into()),
            Err(error) => return trouble(format!("it cannot be read ({error})")),
        };
        let mut text = String::new();
        let key = match file.take(LONGEST + 1).read_to_string(&mut text) {
            Err(error) => Err(format!("it cannot be read ({error})")),
            Ok(_) if text.len() as u64 > LONGEST => Err("it is too long to be a key".into()),
            Ok(_) if text.trim().is_empty() => Err("it is empty".into()),
            Ok(_) if text.trim().contains(|c: char| c.is_whitespace() || c.is_control()) => {
                Err("it holds more than a key: a key is one word".into())
            }
            Ok(_) => Ok(SecretString::from(text.trim())),
        };
        secrecy::zeroize::Zeroize::zeroize(&mut text);
        match key {
            Ok(key) => Found { key: Some(key), trouble: None, exposed },
            Err(why) => Found { exposed, ..trouble(why) },
        }
    }
}

#[cfg(unix)]
fn readable_by_all(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode() & 0o004 != 0
}

/// Windows: the access list of the directory decides, which the profile's own keeps others out of.
#[cfg(not(unix))]
fn readable_by_all(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(text: Option<&[u8]>, configured: bool) -> Found {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        KeyFile { path, configured, expires: None }.read()
    }

    #[test]
    fn a_key_is_one_word_with_space_around_it() {
        for text in ["abc-123", "abc-123\n", "  abc-123 \r\n\n"] {
            let found = read(Some(text.as_bytes()), true);
            assert_eq!(found.key.unwrap().expose_secret(), "abc-123");
            assert_eq!(found.trouble, None);
        }
    }

    #[test]
    fn a_file_without_a_key_is_an_error_and_says_why() {
        let long = "x".repeat(5000);
        for (text, why) in [
            ("", "empty"),
            (" \n ", "empty"),
            ("two words", "more than a key"),
            ("a\nb", "more than a key"),
            (&*long, "too long"),
        ] {
            for configured in [true, false] {
                let found = read(Some(text.as_bytes()), configured);
                assert!(found.key.is_none() && found.trouble.as_ref().unwrap().contains(why), "{found:?}");
            }
        }
        assert!(read(Some(b"\xff\xfe"), true).trouble.unwrap().contains("cannot be read"));
        assert!(read(None, true).trouble.unwrap().contains("cannot be opened"));
        let missing = read(None, false);
        assert!(missing.key.is_none() && missing.trouble.is_none(), "the official file may be absent");
        let dir = tempfile::tempdir().unwrap();
        let found = KeyFile { path: dir.path().to_owned(), configured: false, expires: None }.read();
        assert!(found.trouble.is_some());
    }

    #[cfg(unix)]
    #[test]
    fn what_everybody_may_read_is_noticed_and_a_pipe_holds_nobody() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile { path: dir.path().join("key"), configured: true, expires: None };
        std::fs::write(&file.path, "abc").unwrap();
        for (mode, exposed) in [(0o600, false), (0o640, false), (0o644, true)] {
            std::fs::set_permissions(&file.path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(file.read().exposed, exposed, "{mode:o}");
        }
        let pipe = KeyFile { path: dir.path().join("pipe"), configured: true, expires: None };
        nix::unistd::mkfifo(&pipe.path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(pipe.read().trouble.unwrap().contains("not a file"));
    }
}
