-- Garmin writes the speed in tenths of metres a second.
INSERT OR REPLACE INTO lactate_threshold (account, day, speed_mps, hr_bpm)
VALUES (:account, :item, round(:body ->> '$.speed[#-1].value' * 10, 6), :body ->> '$.heart_rate[#-1].value');
