-- The three lists name the same things differently.
INSERT OR REPLACE INTO challenge (account, challenge_id, kind, name, start_day, end_day, target, progress, points, ranking, earned_utc)
SELECT
    :account,
    challenge.value ->> '$.uuid',
    part.key,
    coalesce(
        challenge.value ->> '$.badgeChallengeName', challenge.value ->> '$.adHocChallengeName', challenge.value ->> '$.virtualChallengeName',
        challenge.value ->> '$.name'
    ),
    date(challenge.value ->> '$.startDate'),
    date(challenge.value ->> '$.endDate'),
    coalesce(challenge.value ->> '$.badgeTargetValue', challenge.value ->> '$.targetValue'),
    coalesce(challenge.value ->> '$.badgeProgressValue', challenge.value ->> '$.progressValue'),
    challenge.value ->> '$.badgePoints',
    challenge.value ->> '$.userRanking',
    strftime('%Y-%m-%dT%H:%M:%SZ', challenge.value ->> '$.badgeEarnedDate')
FROM json_each(:body) AS part, json_each(part.value) AS challenge
WHERE challenge.type = 'object' AND challenge.value ->> '$.uuid' IS NOT NULL;
