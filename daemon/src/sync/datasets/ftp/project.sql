INSERT OR REPLACE INTO ftp (account, day, sport, power_w)
SELECT :account, :item, key, value ->> '$[#-1].value'
FROM json_each(:body)
WHERE type = 'array' AND value ->> '$[#-1].value' IS NOT NULL;
