-- A device that is paired may stand among the historical ones too: the current ones come last.
INSERT OR REPLACE INTO device (account, device_id, name, application_key, serial_number, firmware, registered_utc, primary_device, current)
SELECT
    :account,
    device.value ->> '$.deviceId',
    coalesce(device.value ->> '$.productDisplayName', device.value ->> '$.displayName'),
    device.value ->> '$.applicationKey',
    device.value ->> '$.serialNumber',
    device.value ->> '$.currentFirmwareVersion',
    strftime('%Y-%m-%dT%H:%M:%SZ', CASE typeof((device.value ->> '$.registeredDate')) WHEN 'text' THEN (device.value ->> '$.registeredDate') ELSE datetime((device.value ->> '$.registeredDate') / 1000, 'unixepoch') END),
    coalesce(device.value ->> '$.primaryTrainingDevice', device.value ->> '$.primary', 0),
    part.key = 'current'
FROM json_each(:body) AS part, json_each(part.value) AS device
WHERE device.type = 'object' AND device.value ->> '$.deviceId' IS NOT NULL
ORDER BY part.key DESC;
