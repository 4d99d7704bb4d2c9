//! The listing, and what stands beside each activity.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Scene, list, local, utc};

pub fn read(scene: &mut Scene) {
    let (first, last) = (scene.first, scene.last);
    let path = "/activitylist-service/activities/search/activities?start=0&limit=1000";
    let items = scene.get(&format!("{path}&startDate={first}&endDate={last}"));
    let ids: Vec<_> = list(&items, "").map(|item| item["activityId"].as_i64().unwrap()).collect();
    let of = |scene: &Scene, what: &str| -> Vec<(i64, Value)> {
        ids.iter().map(|id| (*id, scene.get(&format!("/activity-service/activity/{id}{what}")))).collect()
    };
    let changed: BTreeMap<_, _> = of(scene, "").into_iter().collect();
    let row = |it: &Value| {
        let detail = &changed[&it["activityId"].as_i64().unwrap()];
        json!({"activity_id": it["activityId"], "name": it["activityName"], "description": it["description"],
               "type": it["activityType"]["typeKey"], "start_utc": utc(&it["startTimeGMT"]),
               "start_local": local(&json!(it["startTimeLocal"].as_str().unwrap().replace(' ', "T"))),
               "duration_s": it["duration"], "moving_s": it["movingDuration"], "elapsed_s": it["elapsedDuration"],
               "distance_m": it["distance"], "elevation_gain_m": it["elevationGain"],
               "elevation_loss_m": it["elevationLoss"], "avg_speed_mps": it["averageSpeed"],
               "avg_hr_bpm": it["averageHR"], "max_hr_bpm": it["maxHR"], "avg_power_w": it["avgPower"],
               "max_power_w": it["maxPower"], "calories_kcal": it["calories"],
               "training_effect": it["aerobicTrainingEffect"], "anaerobic_effect": it["anaerobicTrainingEffect"],
               "training_load": it["activityTrainingLoad"], "start_lat": it["startLatitude"],
               "start_lon": it["startLongitude"], "device_id": it["deviceId"],
               "updated_utc": utc(&detail["metadataDTO"]["lastUpdateDate"])})
    };
    scene.holds("activity", list(&items, "").map(row).collect::<Vec<_>>());

    let laps = of(scene, "/splits");
    let row = |id: i64, it: &Value| {
        json!({"activity_id": id, "lap": it["lapIndex"], "start_utc": utc(&it["startTimeGMT"]),
               "distance_m": it["distance"], "duration_s": it["duration"], "avg_hr_bpm": it["averageHR"],
               "max_hr_bpm": it["maxHR"], "avg_speed_mps": it["averageSpeed"], "intensity": it["intensityType"]})
    };
    scene.holds("activity_lap", laps.iter().flat_map(|(id, it)| list(it, "/lapDTOs").map(|lap| row(*id, lap))));

    let celsius = |it: &Value| ((it.as_f64().unwrap() - 32.0) * 5.0 / 9.0 * 100.0).round() / 100.0;
    let weather = of(scene, "/weather");
    let row = |(id, it): &(i64, Value)| {
        json!({"activity_id": id, "observed_utc": utc(&it["issueDate"]), "temperature_c": celsius(&it["temp"]),
               "apparent_c": celsius(&it["apparentTemp"]), "dew_point_c": celsius(&it["dewPoint"]),
               "humidity_pct": it["relativeHumidity"], "wind_direction": it["windDirection"],
               "wind_speed": it["windSpeed"], "wind_gust": it["windGust"],
               "description": it["weatherTypeDTO"]["desc"]})
    };
    scene.holds("activity_weather", weather.iter().filter(|(_, it)| !it.is_null()).map(row));

    let sets = of(scene, "/exerciseSets");
    let row = |id: i64, it: &Value| {
        let likely = list(it, "/exercises").max_by(|one, other| {
            one["probability"].as_f64().unwrap().total_cmp(&other["probability"].as_f64().unwrap())
        });
        json!({"activity_id": id, "position": it["messageIndex"], "kind": it["setType"],
               "start_utc": utc(&it["startTime"]), "duration_s": it["duration"],
               "repetitions": it["repetitionCount"], "weight_g": it["weight"].as_f64().filter(|grams| *grams > 0.0),
               "exercise": likely.map(|it| it["category"].clone())})
    };
    scene.holds("activity_set", sets.iter().flat_map(|(id, it)| list(it, "/exerciseSets").map(|set| row(*id, set))));

    let zones = of(scene, "/hrTimeInZones");
    let row = |id: i64, it: &Value| json!({"activity_id": id, "zone": it["zoneNumber"], "time_s": it["secsInZone"], "low_bpm": it["zoneLowBoundary"]});
    scene.holds("activity_hr_zone", zones.iter().flat_map(|(id, it)| list(it, "").map(|zone| row(*id, zone))));

    let zones = of(scene, "/powerTimeInZones");
    let row = |id: i64, it: &Value| json!({"activity_id": id, "zone": it["zoneNumber"], "time_s": it["secsInZone"], "low_w": it["zoneLowBoundary"]});
    scene.holds("activity_power_zone", zones.iter().flat_map(|(id, it)| list(it, "").map(|zone| row(*id, zone))));

    let workouts = of(scene, "/workouts");
    let row = |id: i64, workout: &Value, it: &Value| {
        json!({"activity_id": id, "workout": workout["index"], "position": it["stepIndex"],
               "name": workout["workoutName"], "sport": workout["sport"], "intensity": it["intensity"],
               "until": it["durationType"], "until_value": it["durationValue"], "target": it["targetType"],
               "target_low": it["targetValueLow"], "target_high": it["targetValueHigh"]})
    };
    let steps =
        |id: i64, workout: &Value| list(workout, "/steps").map(|step| row(id, workout, step)).collect::<Vec<_>>();
    let of_activity =
        |(id, it): &(i64, Value)| list(it, "").flat_map(|workout| steps(*id, workout)).collect::<Vec<_>>();
    scene.holds("activity_workout_step", workouts.iter().flat_map(of_activity));
}
