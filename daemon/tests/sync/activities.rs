//! Activities as their owner left them: edited, cut, deleted, uploaded again, with legs, and with files of each kind.

use std::collections::BTreeSet;

use chrono::Utc;
use garminsync_garmin::Tier;
use garminsync_test_support::fake::{Filter, Host};
use garminsync_test_support::people::{ActivityTruth, Life};
use serde_json::{Map, Value};

use super::mirror::{ANA, Mirror, back, truth};

/// The mirror's row of an activity, as far as the truth tells its columns.
fn row_of(mirror: &Mirror, table: &str, id: i64) -> Option<Map<String, Value>> {
    mirror.rows(&format!("SELECT * FROM {table} WHERE activity_id = {id}")).pop()
}

fn assert_as_it_is(mirror: &Mirror, table: &str, activity: &ActivityTruth) {
    let row = row_of(mirror, table, activity.activity_id).expect("a row");
    // When it was changed stands in its detail.
    let expected = truth(activity, &[]);
    let columns: Vec<_> = row.iter().filter(|(column, _)| expected.contains_key(*column)).collect();
    assert!(columns.len() > 15, "{columns:?}");
    for (column, value) in columns.into_iter().filter(|(column, _)| *column != "updated_utc") {
        assert_eq!(*value, expected[column], "{table} {column} of {}", activity.activity_id);
    }
}

fn ids(mirror: &Mirror, sql: &str) -> BTreeSet<i64> {
    mirror.rows(sql).iter().map(|row| row["activity_id"].as_f64().unwrap() as i64).collect()
}

#[tokio::test]
async fn what_is_done_to_an_activity_is_there_after_the_next_sync() {
    for tier in [Tier::Account, Tier::Personal] {
        let mut mirror = Mirror::of(60, 50, &[tier]).await;
        mirror.datasets.extend(["activity_detail", "activity_deletion"]);
        if tier == Tier::Account {
            mirror.datasets.push("activity_lap");
        }
        mirror.sync_ok().await;
        // Times of the ledger are whole seconds.
        mirror.age("-1 minute");
        let life = mirror.life();
        let recent = life.activities().into_iter().filter(|one| {
            (back(25)..back(1)).contains(&one.start_local.date()) && one.legs.is_empty() && one.distance_m.is_some()
        });
        let with_file: Vec<i64> =
            recent.map(|one| one.activity_id).filter(|id| life.original(*id).is_some()).take(6).collect();
        let [renamed, noted, cut, retyped, gone, again] = with_file[..] else { panic!("{with_file:?}") };
        let uploaded = mirror.fake.live(ANA, |life| {
            assert!(life.rename_activity(renamed, "Umbenannt ✓"));
            assert!(life.edit_activity(noted, |it| it.description = Some("a word\nabout it".into())));
            // Garmin notes the moment, which is after the laps were read; in these lives it is that of the activity itself.
            assert!(life.edit_activity(cut, |it| it.updated_utc = Utc::now()) && life.trim_activity(cut));
            assert!(life.edit_activity(retyped, |it| it.kind = "other".into()));
            assert!(life.delete_activity(gone));
            life.reupload_activity(again)
        });
        let uploaded = uploaded.flatten().expect("another number");
        mirror.sync_ok().await;

        let life = mirror.life();
        for activity in life.activities() {
            assert_as_it_is(&mirror, "activity", activity);
        }
        for id in [renamed, noted, cut, retyped] {
            let changed = row_of(&mirror, "activity_detail", id).expect("a detail")["updated_utc"].clone();
            let is = truth(life.activity(id).expect("it is there"), &[])["updated_utc"].clone();
            assert_eq!(changed, is, "{id}");
        }
        if tier == Tier::Account {
            let laps =
                mirror.rows(&format!("SELECT duration_s FROM activity_lap WHERE activity_id = {cut} ORDER BY lap"));
            let laps: Vec<_> = laps.iter().map(|lap| lap["duration_s"].as_f64()).collect();
            let are: Vec<_> = life.laps(life.activity(cut).unwrap()).iter().map(|lap| Some(lap.duration_s)).collect();
            assert_eq!(laps, are);
        }
        // What is gone stays, marked, with its file; what came instead has a file of its own.
        let deleted = ids(&mirror, "SELECT activity_id FROM activity WHERE deleted_utc IS NOT NULL");
        assert_eq!(deleted, [gone, again].into(), "{tier:?}");
        let files = ids(&mirror, "SELECT activity_id FROM original");
        assert!(files.is_superset(&[gone, again, uploaded, cut].into()), "{tier:?}");
    }
}

fn legs(life: &Life) -> Vec<ActivityTruth> {
    life.legs().into_iter().cloned().collect()
}

#[tokio::test]
async fn legs_are_held_with_their_parent_and_asked_for_once() {
    for (tier, host) in [(Tier::Account, Host::Connectapi), (Tier::Personal, Host::Personal)] {
        let mut mirror = Mirror::of(60, 40, &[tier]).await;
        mirror.datasets.extend(["activity_detail", "activity_deletion", "activity_leg"]);
        mirror.sync_ok().await;
        let legs = legs(&mirror.life());
        assert!(legs.len() >= 6, "two triathlons");
        let all: BTreeSet<i64> = legs.iter().map(|leg| leg.activity_id).collect();
        assert_eq!(ids(&mirror, "SELECT activity_id FROM activity_leg"), all);
        for leg in &legs {
            assert_as_it_is(&mirror, "activity_leg", leg);
            let row = row_of(&mirror, "activity_leg", leg.activity_id).unwrap();
            assert_eq!(row["parent_id"], leg.parent.unwrap() as f64);
        }
        // They are in no list, and count once.
        assert!(ids(&mirror, "SELECT activity_id FROM activity").is_disjoint(&all));
        let asked = |id: i64| mirror.fake.count(&Filter::host(host).path(&format!("/activity-service/activity/{id}")));
        assert!(all.iter().all(|leg| asked(*leg) == 1));

        // A parent that is renamed has other legs, perhaps; one that is deleted keeps those that it had.
        let parents: BTreeSet<i64> = legs.iter().filter_map(|leg| leg.parent).collect();
        let young = |parent: &&i64| mirror.life().activity(**parent).unwrap().start_local.date() > back(28);
        let parent = *parents.iter().find(young).expect("one of the last weeks");
        let of_it = |leg: &&ActivityTruth| leg.parent == Some(parent);
        mirror.fake.live(ANA, |life| assert!(life.delete_activity(parent)));
        mirror.sync_ok().await;
        assert_eq!(ids(&mirror, "SELECT activity_id FROM activity WHERE deleted_utc IS NOT NULL"), [parent].into());
        assert_eq!(ids(&mirror, "SELECT activity_id FROM activity_leg"), all);
        assert!(legs.iter().filter(of_it).all(|leg| asked(leg.activity_id) == 1), "nobody asks for a leg of it");
    }
}

#[tokio::test]
async fn originals_are_what_was_uploaded_be_it_fit_tcx_or_gpx() {
    let mirror = Mirror::of(60, 40, &[Tier::Account]).await;
    mirror.sync_ok().await;
    let life = mirror.life();
    let mut formats = BTreeSet::new();
    for row in mirror.rows("SELECT activity_id, format, path FROM original") {
        let original = life.original(row["activity_id"].as_f64().unwrap() as i64).expect("a file");
        let (_, format) = original.member.rsplit_once('.').unwrap();
        assert_eq!(row["format"], format);
        assert_eq!(std::fs::read(mirror.file(row["path"].as_str().unwrap())).unwrap(), original.bytes);
        formats.insert(format.to_owned());
    }
    assert_eq!(formats, ["fit", "gpx", "tcx"].map(String::from).into());
    // What was sent counts as traffic, not what was in the zips.
    let sent: u64 =
        mirror.fake.requests().iter().filter(|seen| seen.host == Host::Connectapi).map(|seen| seen.bytes).sum();
    let counted = &mirror.rows("SELECT sum(bytes) AS bytes FROM sync_run")[0]["bytes"];
    assert_eq!(counted.as_f64(), Some(sent as f64));
}
