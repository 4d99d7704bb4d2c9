INSERT OR REPLACE INTO running_tolerance (account, day, acute_impact_load, acute_distance_m, acute_tolerance, feedback)
VALUES (
    :account,
    :item,
    :body ->> '$.acuteImpactLoad',
    :body ->> '$.acuteDistance',
    :body ->> '$.acuteTolerance',
    :body ->> '$.runningToleranceFeedBackPhrase'
);
