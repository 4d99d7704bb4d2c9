//! What stands beside an activity in Garmin's shapes: laps, weather, sets, zones, the chart.

use serde_json::{Value, json};

use super::gmt;
use crate::people::{ActivityTruth, Person, WeatherTruth};

/// `splits`.
pub(crate) fn splits(person: &Person, truth: &ActivityTruth) -> Value {
    let laps: Vec<_> = person
        .life
        .laps(truth)
        .iter()
        .map(|lap| {
            json!({
                "startTimeGMT": gmt(lap.start_utc), "distance": lap.distance_m, "duration": lap.duration_s,
                "averageHR": lap.avg_hr_bpm, "maxHR": lap.max_hr_bpm, "averageSpeed": lap.avg_speed_mps,
                "lapIndex": lap.lap, "intensityType": lap.intensity, "messageIndex": lap.lap - 1})
        })
        .collect();
    json!({"activityId": truth.activity_id, "lapDTOs": laps, "eventDTOs": []})
}

/// `typedsplits`.
pub(crate) fn typed_splits(person: &Person, truth: &ActivityTruth) -> Value {
    let splits = person.life.splits(truth).into_iter().map(|split| {
        json!({
            "type": split.kind, "startTimeGMT": gmt(split.start_utc), "duration": split.duration_s,
            "distance": split.distance_m, "averageHR": split.avg_hr_bpm.unwrap_or(0.0), "noOfSplits": 1})
    });
    json!({
        "activityId": truth.activity_id, "activityUUID": {"uuid": format!("{:032x}", truth.activity_id)},
        "splits": splits.collect::<Vec<_>>()})
}

/// `workouts`: what the activity followed.
pub(crate) fn workouts(person: &Person, truth: &ActivityTruth) -> Value {
    let steps = person.life.steps_of(truth);
    let workout = steps.first().map(|first| {
        let steps = steps.iter().map(|step| {
            json!({
                "stepIndex": step.position, "intensity": step.intensity, "durationType": step.until,
                "durationValue": step.until_value, "targetType": step.target, "targetValueLow": step.target_low,
                "targetValueHigh": step.target_high})
        });
        json!({
            "index": first.workout, "workoutName": first.name, "timeCreated": null, "sport": first.sport,
            "steps": steps.collect::<Vec<_>>()})
    });
    json!(workout.into_iter().collect::<Vec<_>>())
}

/// `weather`, in Fahrenheit.
pub(crate) fn weather(activity: &ActivityTruth, truth: &WeatherTruth) -> Value {
    let fahrenheit = |celsius: f64| (celsius * 9.0 / 5.0 + 32.0).round() as i64;
    json!({
        "issueDate": gmt(truth.observed_utc), "temp": fahrenheit(truth.temperature_c),
        "apparentTemp": fahrenheit(truth.apparent_c), "dewPoint": fahrenheit(truth.dew_point_c),
        "relativeHumidity": truth.humidity_pct, "windDirection": truth.wind_direction,
        "windDirectionCompassPoint": "w", "windSpeed": truth.wind_speed, "windGust": truth.wind_gust,
        "latitude": activity.start_lat, "longitude": activity.start_lon,
        "weatherStationDTO": {"id": "EDDT", "name": "Potsdam", "timezone": null},
        "weatherTypeDTO": {"weatherTypePk": 1, "desc": truth.description, "image": null}})
}

/// `hrTimeInZones`.
pub(crate) fn hr_zones(person: &Person, truth: &ActivityTruth) -> Value {
    let zones = person.life.zones(truth);
    let item = zones
        .iter()
        .map(|zone| json!({"zoneNumber": zone.zone, "secsInZone": zone.time_s, "zoneLowBoundary": zone.low_bpm}));
    Value::Array(item.collect())
}

/// `powerTimeInZones`.
pub(crate) fn power_zones(person: &Person, truth: &ActivityTruth) -> Value {
    let zones = person.life.power_zones_of(truth).into_iter();
    let item =
        zones.map(|zone| json!({"zoneNumber": zone.zone, "secsInZone": zone.time_s, "zoneLowBoundary": zone.low_w}));
    Value::Array(item.collect())
}

/// `exerciseSets`; without sets the list is null.
pub(crate) fn sets(person: &Person, truth: &ActivityTruth) -> Value {
    let sets: Vec<_> = person
        .life
        .sets(truth)
        .iter()
        .map(|set| {
            let exercises: Vec<_> = set
                .exercise
                .iter()
                .flat_map(|exercise| {
                    // The most probable one is not always the first.
                    [
                        json!({"category": "UNKNOWN", "name": null, "probability": 12.5}),
                        json!({"category": exercise, "name": exercise, "probability": 87.5}),
                    ]
                })
                .collect();
            json!({
                "messageIndex": set.position, "setType": set.kind, "startTime": gmt(set.start_utc),
                "duration": set.duration_s, "repetitionCount": set.repetitions,
                "weight": set.weight_g.or((set.kind == "REST").then_some(0.0)), "exercises": exercises,
                "wktStepIndex": null})
        })
        .collect();
    json!({"activityId": truth.activity_id, "exerciseSets": (!sets.is_empty()).then_some(sets)})
}

/// `details`: the down-sampled chart.
pub(crate) fn chart(truth: &ActivityTruth) -> Value {
    let seconds = truth.duration_s as i64;
    let metrics: Vec<_> = (0..seconds.clamp(0, 100))
        .map(|number| {
            let at = truth.start_utc.timestamp_millis() + number * seconds * 10;
            json!({"metrics": [at, truth.avg_hr_bpm]})
        })
        .collect();
    json!({
        "activityId": truth.activity_id, "measurementCount": 2, "metricsCount": metrics.len(),
        "metricDescriptors": [
            {"metricsIndex": 0, "key": "directTimestamp", "unit": {"id": 120, "key": "gmt", "factor": 0.0}},
            {"metricsIndex": 1, "key": "directHeartRate", "unit": {"id": 100, "key": "bpm", "factor": 1.0}}],
        "activityDetailMetrics": metrics,
        "geoPolylineDTO": truth.start_lat.map(|lat| json!({
            "startPoint": {"lat": lat, "lon": truth.start_lon}, "polyline": []})),
        "heartRateDTOs": null, "detailsAvailable": true})
}
