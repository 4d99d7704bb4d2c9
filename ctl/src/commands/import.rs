//! `login --import PATH`: reads another program's token files, as the person who typed the command, and hands their contents to the
//! daemon, which finds out whose they are. Nothing of the files is changed, printed or kept here.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use garminsync_protocol::{Kind, LOGIN_START, LoginResult, LoginStart, Secret};

use super::Done;
use super::login::{finished, signing_in};
use crate::app::App;
use crate::failure::{Exit, Failed, quoted};

/// Longest file that is read, in bytes: token files have a few kilobytes.
const LONGEST: u64 = 64 * 1024;
/// Most bytes of all files: they travel in one line of the control protocol, in which a byte may take several.
const MOST: usize = 128 * 1024;
/// What garmin-health-data calls the token file in each of its users' directories.
const OF_A_USER: &str = "garmin_tokens.json";

/// Runs `login --import`.
pub async fn run(app: &mut App, path: &Path) -> Result<Done, Failed> {
    let files = gather(path).map_err(|why| {
        let failed = Failed::usage(format!("{} Nothing was sent.", why.message));
        let command = |path: &Path| app.typed.command(&format!("login --import {}", quoted(&path.to_string_lossy())));
        match &why.instead[..] {
            [] => failed.hint(app.typed.command("login --browser")),
            paths => failed.hint(paths.iter().map(|path| command(path)).collect::<Vec<_>>().join(", or: ")),
        }
    })?;
    let browser = app.typed.command("login --browser");
    app.farewell = signing_in(app);
    let params = LoginStart { account: app.account.clone(), import: files, ..LoginStart::default() };
    match app.call_aloud::<LoginResult>(LOGIN_START, params).await {
        Ok(result) => finished(app, result),
        Err(failed) if failed.kind == "connection_lost" => {
            let message = "The connection to the daemon broke while the tokens were taken over. The login is there or it is not; a \
                           login that was there before is safe.";
            Err(Failed { message: message.into(), ..failed })
        }
        // Wrong, dead or useless tokens do not get better; another way in is needed.
        Err(failed) if [Exit::Refused, Exit::Usage].contains(&failed.exit) || failed.is(Kind::GarminUnexpected) => {
            Err(failed.hint(browser))
        }
        Err(failed) => {
            let again = app.typed.command(&format!("login --import {}", quoted(&path.to_string_lossy())));
            let when = failed.retry_after_s().map(|seconds| format!("in {}: ", crate::show::time::span_s(seconds)));
            let retry = failed.is(Kind::RateLimited) || failed.is(Kind::GarminUnreachable);
            Err(if retry { failed.hint(format!("{}{again}", when.unwrap_or_default())) } else { failed })
        }
    }
}

/// Why there is nothing to send.
#[derive(Debug, PartialEq)]
struct Nothing {
    message: String,
    /// Paths that would do instead.
    instead: Vec<PathBuf>,
}

fn nothing(message: impl Into<String>) -> Nothing {
    Nothing { message: message.into(), instead: Vec::new() }
}

/// The contents of a file; or of the regular files directly in a directory, and of the one user's below it, if there is one.
fn gather(path: &Path) -> Result<Vec<Secret>, Nothing> {
    let shown = path.display();
    let kind = std::fs::symlink_metadata(path)
        .map_err(|error| nothing(format!("{shown} cannot be read ({error}).")))?
        .file_type();
    if kind.is_symlink() {
        // The programs that write these files refuse links as well: whoever can place one chooses what is read.
        let instead = std::fs::canonicalize(path).into_iter().collect();
        return Err(Nothing { message: format!("{shown} is a link, and links are not followed to secrets."), instead });
    }
    if kind.is_file() {
        return match content(path) {
            Ok(Content::Text(text)) => Ok(vec![text.into()]),
            Ok(Content::TooLong) => {
                Err(nothing(format!("{shown} is longer than any token file ({} KiB).", LONGEST / 1024)))
            }
            Ok(Content::NoText) => Err(nothing(format!("{shown} is no text, and token files are."))),
            Err(error) => Err(nothing(format!("{shown} cannot be read ({error})."))),
        };
    }
    if !kind.is_dir() {
        return Err(nothing(format!("{shown} is neither a file nor a directory.")));
    }
    let mut paths = entries(path).map_err(|error| nothing(format!("{shown} cannot be read ({error}).")))?;
    if !paths.iter().any(|path| path.file_name().is_some_and(|name| name == OF_A_USER)) {
        let users: Vec<PathBuf> =
            paths.iter().map(|path| path.join(OF_A_USER)).filter(|file| is_regular(file)).collect();
        match &users[..] {
            [] | [_] => paths.extend(users),
            _ => {
                let instead: Vec<PathBuf> = users.iter().filter_map(|file| Some(file.parent()?.to_owned())).collect();
                let message = format!("{shown} holds the tokens of {} users; choose one.", users.len());
                return Err(Nothing { message, instead });
            }
        }
    }
    let mut files = Vec::new();
    let mut size = 0;
    for path in paths.iter().filter(|path| is_regular(path)) {
        // What else lies in a directory is none of our business.
        let Ok(Content::Text(text)) = content(path) else { continue };
        size += text.len();
        if size > MOST {
            return Err(nothing(format!("{shown} holds too much to be a directory of tokens; name the file itself.")));
        }
        files.push(text.into());
    }
    if files.is_empty() {
        return Err(nothing(format!("{shown} holds no file that could be a token file (links are not followed).")));
    }
    Ok(files)
}

/// What is directly in a directory, in an order that does not change from one time to the next.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn is_regular(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

enum Content {
    Text(String),
    TooLong,
    NoText,
}

fn content(path: &Path) -> io::Result<Content> {
    let file = open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file any more"));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Ok(Content::TooLong);
    }
    Ok(String::from_utf8(bytes).map_or(Content::NoText, Content::Text))
}

/// Opens a file that was one a moment ago; a link or a pipe that has taken its place is neither followed nor waited for.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn gathered(path: &Path) -> Result<Vec<String>, Nothing> {
        gather(path).map(|files| files.iter().map(|file| file.expose().to_owned()).collect())
    }

    fn why(path: &Path) -> String {
        gathered(path).unwrap_err().message
    }

    #[test]
    fn a_file_is_read_and_nothing_that_only_looks_like_one() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("tokens.json"), "{}").unwrap();
        fs::write(at("long"), vec![b'x'; LONGEST as usize + 1]).unwrap();
        fs::write(at("binary"), [0xff, 0xfe]).unwrap();
        symlink(at("tokens.json"), at("link")).unwrap();
        assert_eq!(gathered(&at("tokens.json")).unwrap(), ["{}"]);
        assert!(why(&at("long")).contains("longer than any token file"));
        assert!(why(&at("binary")).contains("no text"));
        assert!(why(&at("absent")).contains("cannot be read"));
        let link = gathered(&at("link")).unwrap_err();
        assert!(link.message.contains("is a link"));
        assert_eq!(link.instead, [fs::canonicalize(at("tokens.json")).unwrap()]);
        let socket = at("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(why(&socket).contains("neither a file nor a directory"));
    }

    #[test]
    fn a_directory_gives_its_own_files_and_those_of_its_only_user() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        assert!(why(dir.path()).contains("no file that could be"));
        fs::write(at("b"), "b").unwrap();
        fs::write(at("a"), "a").unwrap();
        fs::write(at("health.db"), [0xff]).unwrap();
        symlink("/etc/passwd", at("c")).unwrap();
        fs::create_dir_all(at("deep/deeper")).unwrap();
        fs::write(at("deep/other"), "unseen").unwrap();
        fs::write(at("deep/deeper/garmin_tokens.json"), "unseen").unwrap();
        assert_eq!(gathered(dir.path()).unwrap(), ["a", "b"]);

        fs::create_dir(at("1001")).unwrap();
        fs::write(at("1001/garmin_tokens.json"), "one").unwrap();
        assert_eq!(gathered(dir.path()).unwrap(), ["a", "b", "one"]);

        fs::create_dir(at("1002")).unwrap();
        fs::write(at("1002/garmin_tokens.json"), "two").unwrap();
        let two = gathered(dir.path()).unwrap_err();
        assert!(two.message.contains("2 users; choose one"));
        assert_eq!(two.instead, [at("1001"), at("1002")]);
        assert_eq!(gathered(&at("1002")).unwrap(), ["two"]);

        fs::write(at("garmin_tokens.json"), "own").unwrap();
        assert_eq!(gathered(dir.path()).unwrap(), ["a", "b", "own"], "the directory is a user's own");
    }

    #[test]
    fn a_home_full_of_things_is_not_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..4 {
            fs::write(dir.path().join(number.to_string()), vec![b'x'; 40 * 1024]).unwrap();
        }
        assert!(why(dir.path()).contains("name the file itself"));
    }
}
