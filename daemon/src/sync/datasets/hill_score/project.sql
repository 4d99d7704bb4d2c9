INSERT OR REPLACE INTO hill_score (
    account, day, score, strength_score, endurance_score, classification, feedback, vo2max, vo2max_precise
)
VALUES (
    :account,
    :item,
    :body ->> '$.overallScore',
    :body ->> '$.strengthScore',
    :body ->> '$.enduranceScore',
    :body ->> '$.hillScoreClassificationId',
    :body ->> '$.hillScoreFeedbackPhraseId',
    :body ->> '$.vo2Max',
    :body ->> '$.vo2MaxPreciseValue'
);
