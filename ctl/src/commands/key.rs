//! `login --api-key-stdin`: brings a Personal API key, and the day on which it ends, if the person knows it.

use chrono::{Days, Local, NaiveDate};
use garminsync_protocol::{Kind, LOGIN_START, LoginStart};

use super::Done;
use super::login::{finished, signing_in};
use crate::app::App;
use crate::cli::Login;
use crate::failure::{Exit, Failed, how_to_get_a_key};
use crate::show::time::span_s;

const WHEN: &str = "When does it end? The days chosen at Garmin (30, 90, 180, 365) or a date; Enter: not known. ";

/// Longest life Garmin gives a key, and a day for the time zones.
const LONGEST_DAYS: u64 = 366;

/// When a key ends, as people say it: a number of days from today, or its last day as 2026-01-31.
///
/// # Errors
/// What is wrong with it, in words.
pub fn last_day(text: &str, today: NaiveDate) -> Result<NaiveDate, String> {
    let day = match text.trim().parse::<u64>() {
        Ok(days @ 1..=LONGEST_DAYS) => today + Days::new(days),
        Ok(_) => return Err(format!("a key lives 1 to {LONGEST_DAYS} days")),
        Err(_) => NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
            .map_err(|_| "a number of days, or a day that looks like 2026-01-31".to_owned())?,
    };
    match (day - today).num_days() {
        ..0 => Err("that day is over: the key has ended".into()),
        left if left > LONGEST_DAYS as i64 => Err(format!("no key lives longer than {LONGEST_DAYS} days")),
        _ => Ok(day),
    }
}

/// The same, from today: the command line's `--expires`.
pub fn last_day_from_now(text: &str) -> Result<NaiveDate, String> {
    last_day(text, Local::now().date_naive())
}

/// Brings a key from stdin, or from the person at the terminal.
pub async fn run(app: &mut App, flags: &Login) -> Result<Done, Failed> {
    let again = app.typed.command("login --api-key-stdin");
    let key = app.secret_line("Personal API key: ", "the key").await.map_err(|failed| match failed.exit {
        Exit::Usage => failed.hint(how_to_get_a_key(&app.typed)),
        _ => failed,
    })?;
    let expires = match flags.expires {
        None if app.console.input_is_terminal => ask_last_day(app).await?,
        given => given,
    };
    app.farewell = signing_in(app);
    let params = LoginStart {
        account: app.account.clone(),
        api_key: Some(key.expose().trim().to_owned().into()),
        api_key_expires: expires,
        force: flags.force,
        ..LoginStart::default()
    };
    let result = app.call_aloud(LOGIN_START, params).await.map_err(|failed| {
        let hint = how_to_get_a_key(&app.typed);
        match failed.is(Kind::InvalidCredentials) {
            true => failed.hint(hint),
            // The daemon refused the key's way in, not the command line: its sentence says where the key belongs.
            false if failed.is(Kind::InvalidArgument) => failed.hint(app.typed.command("status")),
            false if failed.kind == "connection_lost" => {
                let message = "The connection to the daemon broke while the key was checked. It is stored or it is not, and to bring \
                               it again does no harm.";
                Failed { message: message.into(), ..failed }.hint(again)
            }
            false if [Kind::GarminUnreachable, Kind::GarminUnexpected, Kind::RateLimited].iter().any(|kind| failed.is(*kind)) => {
                let when = failed.retry_after_s().map_or("later".into(), |seconds| format!("in {}", span_s(seconds)));
                failed.hint(format!("{when}: {again}"))
            }
            false => failed,
        }
    })?;
    finished(app, result)
}

async fn ask_last_day(app: &mut App) -> Result<Option<NaiveDate>, Failed> {
    loop {
        let nobody = Failed::usage("No terminal to ask when the key ends. Nothing was sent.");
        let answer = app.ask(WHEN, false, nobody).await?;
        let answer = answer.expose().trim().to_owned();
        if answer.is_empty() {
            return Ok(None);
        }
        match last_day_from_now(&answer) {
            Ok(day) => return Ok(Some(day)),
            Err(why) => app.console.say(&format!("Not that: {why}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_day_is_a_number_of_days_or_a_date() {
        let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap();
        let today = day("2026-11-25");
        for (text, last) in [
            ("30", "2026-12-25"),
            (" 365\n", "2027-11-25"),
            ("366", "2027-11-26"),
            ("2026-11-25", "2026-11-25"),
            ("2027-01-31", "2027-01-31"),
        ] {
            assert_eq!(last_day(text, today), Ok(day(last)), "{text}");
        }
        for text in ["0", "367", "-1", "99999999999999999999", "2026-11-24", "2028-01-01", "31.1.2027", "soon", ""] {
            assert!(last_day(text, today).is_err(), "{text}");
        }
    }
}
