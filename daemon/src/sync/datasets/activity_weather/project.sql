-- Garmin writes temperatures in Fahrenheit, the unit of its wind is not known, and the time of the report may end in +0000.
INSERT OR REPLACE INTO activity_weather (
    account, activity_id, observed_utc, temperature_c, apparent_c, dew_point_c, humidity_pct, wind_direction, wind_speed, wind_gust,
    description
)
VALUES (
    :account,
    CAST(:item AS INTEGER),
    strftime('%Y-%m-%dT%H:%M:%SZ', substr(:body ->> '$.issueDate', 1, 19)),
    round((:body ->> '$.temp' - 32) * 5.0 / 9.0, 2),
    round((:body ->> '$.apparentTemp' - 32) * 5.0 / 9.0, 2),
    round((:body ->> '$.dewPoint' - 32) * 5.0 / 9.0, 2),
    :body ->> '$.relativeHumidity',
    :body ->> '$.windDirection',
    :body ->> '$.windSpeed',
    :body ->> '$.windGust',
    :body ->> '$.weatherTypeDTO.desc'
);
