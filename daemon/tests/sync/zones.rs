//! People who live by another clock than the machine: their day is planned, whatever the machine calls it.

use chrono::{DateTime, Local, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Filter, Host};
use garminsync_test_support::people::Person;

use super::mirror::{ANA, Mirror};

/// The two ends of the world, of which at least one has another day than this machine.
const ENDS: [Tz; 2] = [Tz::Pacific__Kiritimati, Tz::Pacific__Pago_Pago];

fn day(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

#[tokio::test]
async fn the_first_sync_already_goes_by_the_persons_day() {
    let now = Utc::now();
    let elsewhere = |zone: &Tz| {
        let minutes_to_its_midnight = TimeDelta::minutes(2);
        day(*zone, now) != now.with_timezone(&Local).date_naive()
            && day(*zone, now) == day(*zone, now + minutes_to_its_midnight)
    };
    let zone = ENDS.into_iter().find(elsewhere).unwrap_or(Tz::Pacific__Auckland);
    for tier in [Tier::Account, Tier::Personal] {
        let mut mirror = Mirror::of(20, 3, &[tier]).await;
        let today = day(zone, now);
        mirror.start = today.checked_sub_days(chrono::Days::new(19));
        mirror.fake.change(ANA, |ana| *ana = Person::named(ANA).home(zone).lived(today, 20, 3)).unwrap();
        mirror.everything().await;
        mirror.forget_zone();
        mirror.sync_ok().await;

        let host = if tier == Tier::Account { Host::Connectapi } else { Host::Personal };
        let refused = |mirror: &Mirror| {
            let seen = mirror.fake.requests().into_iter().filter(|seen| seen.status == Some(400));
            // The Personal tier answers so where a night is not known yet, whatever day it is.
            let seen = seen.filter(|seen| !seen.path.starts_with("/hrv-service/hrv/"));
            seen.map(|seen| format!("{}?{}", seen.path, seen.query)).collect::<Vec<_>>()
        };
        assert_eq!(refused(&mirror), [""; 0], "no day that has not begun is asked for");
        assert_eq!(mirror.fake.count(&Filter::host(host).path("userprofile/settings")), 1, "the zone costs no request");
        let newest = mirror.rows("SELECT max(day) AS day, count(*) AS n FROM ledger WHERE dataset = 'daily_summary'");
        assert_eq!(
            (newest[0]["day"].as_str(), newest[0]["n"].as_f64()),
            (Some(today.to_string().as_str()), Some(20.0))
        );
        let (life, held) = (mirror.life(), mirror.rows("SELECT day FROM daily_summary ORDER BY day"));
        let worn = life.days().filter(|(_, data)| data.daily.is_some()).map(|(day, _)| day.to_string());
        assert_eq!(held.iter().map(|row| row["day"].as_str().unwrap()).collect::<Vec<_>>(), worn.collect::<Vec<_>>());
        // It is known from now on.
        mirror.fake.forget_requests();
        mirror.sync_ok().await;
        assert_eq!(mirror.fake.count(&Filter::host(host).path("userprofile/settings")), 0);
        assert_eq!(refused(&mirror), [""; 0]);
    }
}

/// Nothing tells the zone: the machine's day is planned, and a today that has not begun there costs nothing.
#[tokio::test]
async fn without_settings_the_machines_day_counts() {
    let mut mirror = Mirror::of(20, 3, &[Tier::Account]).await;
    mirror.forget_zone();
    mirror.datasets.push("device");
    mirror.sync_ok().await;
    let newest = mirror.rows("SELECT max(day) AS day FROM ledger WHERE dataset = 'daily_summary'");
    let here = [Local::now() - TimeDelta::minutes(2), Local::now()].map(|at| at.date_naive().to_string());
    assert!(here.iter().any(|here| newest[0]["day"].as_str() == Some(here)), "{newest:?}");
}
