INSERT OR REPLACE INTO menstrual_day (account, day, start_day, day_in_cycle, phase, period_days, predicted, flow, notes)
VALUES (
    :account,
    :item,
    :body ->> '$.daySummary.startDate',
    :body ->> '$.daySummary.dayInCycle',
    :body ->> '$.daySummary.currentPhase',
    :body ->> '$.daySummary.periodLength',
    coalesce(:body ->> '$.daySummary.predictedCycle', 0),
    :body ->> '$.dayLog.flow',
    :body ->> '$.dayLog.notes'
);
