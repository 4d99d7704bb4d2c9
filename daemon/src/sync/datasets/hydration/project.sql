-- A total of 0 means that nothing was logged.
INSERT OR REPLACE INTO hydration (account, day, consumed_ml, goal_ml, sweat_loss_ml, activity_intake_ml, last_entry_local)
VALUES (
    :account,
    :item,
    nullif(coalesce(:body ->> '$.valueInML', :body ->> '$.valueInMl'), 0),
    :body ->> '$.goalInML',
    :body ->> '$.sweatLossInML',
    :body ->> '$.activityIntakeInML',
    strftime('%Y-%m-%dT%H:%M:%S', :body ->> '$.lastEntryTimestampLocal')
);
