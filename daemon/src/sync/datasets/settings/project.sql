-- The zone is an IANA name, or "gmt". The account tier tells the display name at the login; the Personal tier only here.
INSERT OR REPLACE INTO settings (account, time_zone, locale, measurement_system, first_day_of_week)
VALUES (
    :account,
    CASE lower(:body ->> '$.timeZone') WHEN 'gmt' THEN 'UTC' ELSE :body ->> '$.timeZone' END,
    :body ->> '$.preferredLocale',
    :body ->> '$.measurementSystem',
    coalesce(:body ->> '$.firstDayOfWeek.dayName', :body ->> '$.firstDayOfWeek')
);
UPDATE account
SET
    time_zone = (SELECT settings.time_zone FROM settings WHERE settings.account = :account),
    display_name = coalesce(display_name, :body ->> '$.displayName')
WHERE name = :account;
