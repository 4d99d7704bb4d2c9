//! A paste at a Unix terminal: read byte by byte and put together here. `prompt` asks for it, with the terminal's own lines off.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{TERMINAL_IN, show};

/// The terminal hands out bytes as they come: its lines would be cut at 4,096 bytes (macOS: 1,024), and everything behind a first
/// line break would be left for the shell. A paste arrives in one go, so it is over when a line has ended and nothing follows.
pub(super) fn ask_for_paste(question: &str) -> io::Result<String> {
    show(question)?;
    let mut terminal = File::open(TERMINAL_IN)?;
    let mut typed = Typed::default();
    let mut bytes = [0; 4096];
    loop {
        if typed.complete {
            let mut watched = [PollFd::new(&terminal, PollFlags::IN)];
            if poll(&mut watched, Some(&PASTE_PAUSE)).is_ok_and(|ready| ready == 0) {
                return Ok(String::from_utf8_lossy(&typed.text).into_owned());
            }
        }
        match terminal.read(&mut bytes)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => bytes[..read].iter().try_for_each(|byte| typed.key(*byte))?,
        }
    }
}

/// Longest pause within a paste.
const PASTE_PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
/// Longest paste that is kept, in bytes; what goes beyond is no address and no page with a ticket.
const LONGEST_PASTE: usize = 256 * 1024;

/// What was typed or pasted so far, with the keys by which a line is mended.
#[derive(Default)]
struct Typed {
    text: Vec<u8>,
    /// A line with something in it has ended.
    complete: bool,
}

impl Typed {
    /// Takes a key. `Ctrl-D` with nothing before it ends the question.
    fn key(&mut self, byte: u8) -> io::Result<()> {
        const CTRL_D: u8 = 0x04;
        const BACKSPACE: [u8; 2] = [0x08, 0x7f];
        const CTRL_U: u8 = 0x15;
        const CTRL_Z: u8 = 0x1a;
        const CTRL_BACKSLASH: u8 = 0x1c;
        self.complete = false;
        match byte {
            b'\n' | b'\r' if self.text.iter().all(u8::is_ascii_whitespace) => self.text.clear(),
            b'\n' | b'\r' => {
                self.text.push(b'\n');
                self.complete = true;
            }
            CTRL_D if self.text.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            CTRL_D => self.complete = true,
            CTRL_U => self.text.clear(),
            byte if BACKSPACE.contains(&byte) => {
                self.text.pop();
            }
            // A key that would stop or end this program elsewhere, and that the terminal hands through here: no part of an address.
            CTRL_Z | CTRL_BACKSLASH => {}
            byte if self.text.len() < LONGEST_PASTE => self.text.push(byte),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> (String, bool) {
        let mut typed = Typed::default();
        keys.iter().try_for_each(|key| typed.key(*key)).unwrap();
        (String::from_utf8(typed.text).unwrap(), typed.complete)
    }

    #[test]
    fn a_paste_is_over_at_the_end_of_a_line_that_holds_something() {
        assert_eq!(typed(b"https://a"), ("https://a".into(), false));
        assert_eq!(typed(b"\n \r\nhttps://a\r"), ("https://a\n".into(), true));
        assert_eq!(typed(b"one\ntwo"), ("one\ntwo".into(), false));
        assert_eq!(typed(b"on\x7fne\x04"), ("one".into(), true));
        assert_eq!(typed(b"wrong\x15right\n"), ("right\n".into(), true));
        assert_eq!(typed(b"\x1aST-1\x1c\n"), ("ST-1\n".into(), true), "a key that slipped costs no ticket");
        assert!(Typed::default().key(4).is_err());
        let long = vec![b'x'; LONGEST_PASTE + 10];
        assert_eq!(typed(&long).0.len(), LONGEST_PASTE);
    }
}
