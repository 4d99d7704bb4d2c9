//! What `doctor` shows: one line a check with its mark, and below what to do. Pure.

use garminsync_protocol::{Check, Verdict};

use super::Paint;
use super::text::{clean, count};

/// All checks for people.
pub fn page(checks: &[Check], paint: Paint) -> String {
    let wide = checks.iter().map(|check| clean(&check.name).chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for check in checks {
        let mark = match check.verdict {
            Verdict::Ok => paint.green("ok  "),
            Verdict::Warning => paint.yellow("warn"),
            Verdict::Failed => paint.red("FAIL"),
            Verdict::Skipped => paint.dim("-   "),
        };
        text += &format!("{mark}  {:<wide$}  {}\n", clean(&check.name), clean(&check.text));
        if let Some(hint) = &check.hint {
            text += &format!("      {:<wide$}  {} {}\n", "", paint.bold("next:"), clean(hint));
        }
    }
    text
}

/// The end in one sentence.
pub fn summary(checks: &[Check]) -> String {
    let of = |verdict| checks.iter().filter(|check| check.verdict == verdict).count() as u64;
    match (of(Verdict::Failed), of(Verdict::Warning)) {
        (0, 0) => "Nothing is wrong.".into(),
        (0, warnings) => format!("It works; {} to look at.", count(warnings, "thing")),
        (failed, 0) => format!("{} to mend.", count(failed, "thing")),
        (failed, warnings) => format!("{} to mend, {warnings} more to look at.", count(failed, "thing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, verdict: Verdict, hint: Option<&str>) -> Check {
        Check { name: name.into(), verdict, text: "found\u{1b}[31m".into(), hint: hint.map(Into::into) }
    }

    #[test]
    fn a_line_a_check_and_a_line_for_what_to_do() {
        let checks = [
            check("clock", Verdict::Ok, None),
            check("disk.state", Verdict::Failed, Some("make room")),
            check("x", Verdict::Skipped, None),
        ];
        let expected = "ok    clock       found [31m\n\
                        FAIL  disk.state  found [31m\n                  next: make room\n\
                        -     x           found [31m\n";
        assert_eq!(page(&checks, Paint(false)), expected);
        assert_eq!(summary(&checks), "1 thing to mend.");
        assert_eq!(summary(&checks[..1]), "Nothing is wrong.");
        assert_eq!(summary(&[check("a", Verdict::Warning, None)]), "It works; 1 thing to look at.");
    }
}
