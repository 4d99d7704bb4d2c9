//! `fake-garmin`: the fake as a program, for people and for clients in any language.
//! Prints where it listens and every code it "sends". `--help` and `/_fake/…` document the rest.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to people")]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use chrono_tz::Tz;
use clap::Parser;
use garminsync_test_support::fake::{FakeGarmin, Knobs, Options, Rate};
use garminsync_test_support::people::{Habits, Person, Plan, SignInMood};

/// A fake Garmin on a loopback address: sign-in, tokens, account tier and Personal tier.
///
/// Control it over HTTP: GET /_fake/mail, /_fake/counts, /_fake/requests; POST /_fake/misbehave with a rule such as
/// {"effect": {"kind": "status", "status": 429, "retry_after": "60"}, "host": "connectapi", "skip": 3, "times": 1}
/// (other fields: path, method, user, after; other kinds: cloudflare_challenge, cloudflare_1015, throttled_in_200, html_200,
/// half_body, reset, hang, late and slow with "ms", redirect with "to"), /_fake/behave to take the rules away,
/// /_fake/ticket {"user": EMAIL, "service": URL} for a ticket as a browser gets it, /_fake/advance {"seconds": 3600} to
/// move its clock, /_fake/rate {"requests": 20, "window_ms": 10000, "in_flight": 2, "retry_after_s": 5} (null ends it; GET
/// /_fake/statuses counts the 429s), /_fake/life {"user": EMAIL, "change": {"kind": "days_pass", "days": 30}} to let
/// something happen to somebody's data. Other kinds: next_day; sync_today with "hours"; late_upload with "days" and
/// "activities"; fill, clear, rescore_sleep, revise_day, add_activity with "day"; rename_activity with "id" and "name";
/// describe_activity with "id" and "description"; retype_activity with "id" and "type"; publish_activity, trim_activity,
/// delete_activity, reupload_activity with "id"; add_weight with "day" and "weight_g"; add_blood_pressure with "day",
/// "systolic", "diastolic"; offload with "before"; break_day with "day" and "path". A request whose Host header is a real name (sso.garmin.com) needs no path prefix.
#[derive(Parser)]
#[command(name = "fake-garmin", version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8899")]
    listen: SocketAddr,
    /// Somebody with an account, `EMAIL:PASSWORD[:MOOD]`. Repeatable. Moods: ok, mfa-email, mfa-sms, mfa-totp, captcha,
    /// locked, disabled, child, throttled-429, throttled-427, throttled-in-200, challenge-403, cloudflare-1015, server-error,
    /// html-200.
    #[arg(long = "person", value_name = "EMAIL:PASSWORD[:MOOD]",
          default_values = ["ana@example.org:secret", "ben@example.org:secret:mfa-email"])]
    people: Vec<PersonArgument>,
    /// The last day with data [default: today].
    #[arg(long)]
    today: Option<NaiveDate>,
    /// Days of data, the last one included.
    #[arg(long, default_value_t = 365)]
    days: u64,
    /// Activities, spread over those days.
    #[arg(long, default_value_t = 300)]
    activities: usize,
    /// The zone people live in.
    #[arg(long, default_value = "Europe/Berlin")]
    zone: Tz,
    /// Seed of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// garmin.com or garmin.cn.
    #[arg(long, default_value = "garmin.com")]
    domain: String,
    /// The data tier refuses tokens that come of a widget's ticket.
    #[arg(long)]
    refuse_widget_tokens: bool,
    /// Also refuse what Garmin lets pass but a careful client never sends.
    #[arg(long)]
    strict: bool,
    /// Life of access tokens in seconds [default: 65000 to 107000 at random].
    #[arg(long)]
    access_life: Option<u64>,
    /// Least milliseconds each answer takes.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// A limit of data requests per tier, `REQUESTS/SECONDS`; more are answered 429 with Retry-After.
    #[arg(long, value_name = "REQUESTS/SECONDS", value_parser = rate)]
    rate: Option<Rate>,
    /// Everybody also logs cycle, food and lifestyle.
    #[arg(long)]
    habits: bool,
}

fn rate(text: &str) -> Result<Rate, String> {
    let parts =
        text.split_once('/').and_then(|(requests, seconds)| Some((requests.parse().ok()?, seconds.parse().ok()?)));
    match parts {
        Some((requests, seconds)) if requests > 0 && seconds > 0 => {
            Ok(Rate::of(requests, std::time::Duration::from_secs(seconds)))
        }
        _ => Err("REQUESTS/SECONDS wanted, such as 20/10".into()),
    }
}

#[derive(Clone)]
struct PersonArgument {
    email: String,
    password: String,
    mood: SignInMood,
}

impl std::str::FromStr for PersonArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(email), Some(password)) = (parts.next(), parts.next()) else {
            return Err("EMAIL:PASSWORD[:MOOD] wanted".into());
        };
        let mood = parts.next().unwrap_or("ok").parse()?;
        Ok(PersonArgument { email: email.into(), password: password.into(), mood })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-garmin: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> std::io::Result<()> {
    let knobs = Knobs {
        strict: arguments.strict,
        refuse_widget_tokens: arguments.refuse_widget_tokens,
        domain: arguments.domain.clone(),
        access_life: arguments.access_life.map(std::time::Duration::from_secs),
        latency: std::time::Duration::from_millis(arguments.latency),
        rate: arguments.rate,
        ..Knobs::default()
    };
    let on_mail = Arc::new(|mail: &garminsync_test_support::fake::Mail| {
        println!("{} to {} ({}): your code is {}", mail.method, mail.user, mail.sent_to, mail.code);
    });
    let options = Options { listen: arguments.listen, knobs, seed: arguments.seed, on_mail: Some(on_mail) };
    let mut fake = FakeGarmin::start(options).await?;
    let today = arguments.today.unwrap_or_else(|| Utc::now().with_timezone(&arguments.zone).date_naive());
    for (number, person) in (0..).zip(arguments.people) {
        let plan = Plan {
            seed: arguments.seed + number,
            home: arguments.zone,
            activities: arguments.activities,
            habits: if arguments.habits { Habits::ALL } else { Habits::default() },
            ..Plan::until(today, arguments.days)
        };
        let known = Person { domain: arguments.domain.clone(), ..Person::living(&person.email, plan) }
            .password(&person.password)
            .mood(person.mood);
        println!("{}: API key {}, app code {}", known.email, known.api_key, known.totp_code());
        fake.add(known);
    }
    println!("listening on {}\n\n{}", fake.base_url(), fake.endpoints_toml());
    tokio::signal::ctrl_c().await?;
    fake.stop().await;
    Ok(())
}
