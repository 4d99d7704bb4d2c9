//! Lines out of a stream of bytes, with a limit on their length and one buffer for all of them. `connection` reads its caller with it. It
//! must not know what a line means.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// Reads lines.
pub struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    limit: usize,
    handed_out: bool,
}

/// Why there is no further line.
#[derive(Debug)]
pub enum End {
    /// The other side has sent everything.
    Closed,
    /// A line is longer than the limit.
    TooLong,
    /// The stream broke.
    Broken(io::Error),
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `limit` bytes, newline included.
    pub fn new(reader: R, limit: usize) -> Self {
        Self { reader: BufReader::new(reader), line: Vec::new(), limit, handed_out: false }
    }

    /// The next line without its newline; the last one may lack it. Cancel-safe: what was read of a line is kept.
    ///
    /// # Errors
    /// [`End`].
    pub async fn next(&mut self) -> Result<&[u8], End> {
        if self.handed_out {
            self.line.clear();
            self.handed_out = false;
        }
        loop {
            let read = self.reader.fill_buf().await.map_err(End::Broken)?;
            let newline = read.iter().position(|byte| *byte == b'\n');
            let part = newline.map_or(read.len(), |at| at + 1);
            if self.line.len() + part > self.limit {
                return Err(End::TooLong);
            }
            if part == 0 && self.line.is_empty() {
                return Err(End::Closed);
            }
            let complete = newline.is_some() || part == 0;
            self.line.extend_from_slice(&read[..newline.unwrap_or(part)]);
            self.reader.consume(part);
            if complete {
                self.handed_out = true;
                return Ok(&self.line);
            }
        }
    }

    /// Reads on to the end of the stream and throws it away, at most about `limit` bytes.
    pub async fn skip(&mut self, limit: usize) {
        let mut skipped = 0;
        while let Ok(read) = self.reader.fill_buf().await {
            let read = read.len();
            skipped += read;
            if read == 0 || skipped > limit {
                return;
            }
            self.reader.consume(read);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(input: &[u8]) -> (Vec<String>, End) {
        let mut lines = Lines::new(input, 8);
        let mut seen = Vec::new();
        loop {
            match lines.next().await {
                Ok(line) => seen.push(String::from_utf8_lossy(line).into_owned()),
                Err(end) => return (seen, end),
            }
        }
    }

    #[tokio::test]
    async fn lines_end_with_newlines_and_the_last_may_lack_it() {
        let (lines, end) = all(b"one\n\n1234567\nlast").await;
        assert_eq!(lines, ["one", "", "1234567", "last"]);
        assert!(matches!(end, End::Closed));
    }

    #[tokio::test]
    async fn the_newline_counts() {
        let (lines, end) = all(b"1234567\n12345678\n").await;
        assert_eq!(lines, ["1234567"]);
        assert!(matches!(end, End::TooLong));
    }

    #[tokio::test]
    async fn a_line_survives_a_caller_that_stops_waiting() {
        use tokio::io::AsyncWriteExt;
        let (mut far, near) = tokio::io::duplex(64);
        let mut lines = Lines::new(near, 64);
        far.write_all(b"half").await.unwrap();
        for _ in 0..3 {
            assert!(futures_util::FutureExt::now_or_never(lines.next()).is_none());
        }
        far.write_all(b" and half\n").await.unwrap();
        assert_eq!(lines.next().await.unwrap(), b"half and half");
    }
}
