INSERT OR REPLACE INTO race_prediction (account, day, time_5k_s, time_10k_s, time_half_marathon_s, time_marathon_s)
VALUES (
    :account,
    :item,
    :body ->> '$.time5K',
    :body ->> '$.time10K',
    :body ->> '$.timeHalfMarathon',
    :body ->> '$.timeMarathon'
);
