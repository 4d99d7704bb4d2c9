INSERT OR REPLACE INTO acclimation (
    account, day, heat_pct, heat_trend, altitude_m, acclimated_altitude_m, altitude_pct, altitude_trend
)
VALUES (
    :account,
    :item,
    :body ->> '$.heatAcclimationPercentage',
    :body ->> '$.heatTrend',
    :body ->> '$.currentAltitude',
    :body ->> '$.altitudeAcclimation',
    :body ->> '$.acclimationPercentage',
    :body ->> '$.altitudeTrend'
);
