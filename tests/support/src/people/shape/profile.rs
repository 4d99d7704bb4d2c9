//! Identity and devices in Garmin's shapes.

use serde_json::{Value, json};

use crate::people::Person;

/// `socialProfile`.
pub(crate) fn social(person: &Person) -> Value {
    json!({
        "id": person.profile_id + 7, "profileId": person.profile_id, "garminGUID": person.guid(),
        "displayName": person.display_name, "fullName": person.full_name, "userName": person.email,
        "profileImageUrlLarge": null, "location": "Potsdam", "userRoles": ["SCOPE_CONNECT_READ"],
        "userProfileFullName": person.full_name, "levelUpdateDate": null,
    })
}

/// `userprofile/settings`.
pub(crate) fn settings(person: &Person) -> Value {
    json!({
        "displayName": person.display_name, "preferredLocale": "de", "measurementSystem": "metric",
        "firstDayOfWeek": {"dayId": 3, "dayName": "monday", "sortOrder": 3, "isPossibleFirstDay": true},
        "timeZone": person.life.plan().home.name(), "hydrationMeasurementUnit": "milliliter",
        "numberFormat": "decimal_comma", "timeFormat": {"formatKey": "time_twenty_four_hr"},
    })
}

/// `userprofile/personal-information`.
pub(crate) fn personal_information(person: &Person) -> Value {
    json!({
        "userInfo": {"birthDate": "1986-04-12", "genderType": "FEMALE", "email": person.email, "locale": "de",
                     "timeZone": person.life.plan().home.name(), "age": null},
        "biometricProfile": {"userId": person.profile_id, "height": 171.0, "weight": 63_500.0, "vo2Max": 48.0,
                             "activityClass": 80}})
}

/// `mylastused`.
pub(crate) fn last_used_device(person: &Person) -> Value {
    json!({
        "userDeviceId": 3_400_000_001_i64, "userProfileNumber": person.profile_id, "applicationNumber": 1,
        "lastUsedDeviceApplicationKey": "fr965", "lastUsedDeviceName": "Forerunner 965",
        "lastUsedDeviceUploadTime": person.life.last_sync().timestamp_millis(), "imageUrl": null, "released": true,
    })
}
