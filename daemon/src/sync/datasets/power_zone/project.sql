INSERT OR REPLACE INTO power_zone (account, sport, ftp_w, zone1_w, zone2_w, zone3_w, zone4_w, zone5_w, zone6_w, zone7_w)
SELECT
    :account,
    value ->> '$.sport',
    value ->> '$.functionalThresholdPower',
    value ->> '$.zone1Floor',
    value ->> '$.zone2Floor',
    value ->> '$.zone3Floor',
    value ->> '$.zone4Floor',
    value ->> '$.zone5Floor',
    value ->> '$.zone6Floor',
    value ->> '$.zone7Floor'
FROM json_each(:body)
WHERE type = 'object' AND value ->> '$.sport' IS NOT NULL;
