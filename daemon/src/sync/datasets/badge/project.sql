INSERT OR REPLACE INTO badge (account, badge_id, badge_key, name, category_id, points, earned_utc, times_earned)
SELECT
    :account,
    value ->> '$.badgeId',
    value ->> '$.badgeKey',
    value ->> '$.badgeName',
    value ->> '$.badgeCategoryId',
    value ->> '$.badgePoints',
    strftime('%Y-%m-%dT%H:%M:%SZ', value ->> '$.badgeEarnedDate'),
    value ->> '$.badgeEarnedNumber'
FROM json_each(:body)
WHERE type = 'object' AND value ->> '$.badgeId' IS NOT NULL;
