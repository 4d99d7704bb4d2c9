-- The newest value there is on a day may be older than the day: it stands under the day that it is of.
INSERT OR REPLACE INTO load_balance (
    account, asked_day, day, device_id, aerobic_low, aerobic_low_min, aerobic_low_max, aerobic_high, aerobic_high_min, aerobic_high_max, anaerobic,
    anaerobic_min, anaerobic_max, feedback, primary_device
)
SELECT
    :account,
    :item,
    coalesce(date(value ->> '$.calendarDate'), :item),
    coalesce(value ->> '$.deviceId', CAST(key AS INTEGER)),
    value ->> '$.monthlyLoadAerobicLow',
    value ->> '$.monthlyLoadAerobicLowTargetMin',
    value ->> '$.monthlyLoadAerobicLowTargetMax',
    value ->> '$.monthlyLoadAerobicHigh',
    value ->> '$.monthlyLoadAerobicHighTargetMin',
    value ->> '$.monthlyLoadAerobicHighTargetMax',
    value ->> '$.monthlyLoadAnaerobic',
    value ->> '$.monthlyLoadAnaerobicTargetMin',
    value ->> '$.monthlyLoadAnaerobicTargetMax',
    value ->> '$.trainingBalanceFeedbackPhrase',
    coalesce(value ->> '$.primaryTrainingDevice', 0)
FROM json_each(:body, '$.metricsTrainingLoadBalanceDTOMap')
WHERE type = 'object';
