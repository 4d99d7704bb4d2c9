INSERT OR REPLACE INTO activity_detail (
    account, activity_id, updated_utc, uploaded_utc, time_zone, file_format, trimmed, elevation_corrected, manual, multisport, leg_ids
)
VALUES (
    :account,
    CAST(:item AS INTEGER),
    strftime('%Y-%m-%dT%H:%M:%SZ', :body ->> '$.metadataDTO.lastUpdateDate'),
    strftime('%Y-%m-%dT%H:%M:%SZ', :body ->> '$.metadataDTO.uploadedDate'),
    :body ->> '$.timeZoneUnitDTO.unitKey',
    coalesce(:body ->> '$.metadataDTO.fileFormat.formatKey', :body ->> '$.metadataDTO.fileFormat'),
    :body ->> '$.metadataDTO.trimmed',
    :body ->> '$.metadataDTO.elevationCorrected',
    :body ->> '$.metadataDTO.manualActivity',
    :body ->> '$.isMultiSportParent',
    CASE WHEN json_array_length(:body, '$.metadataDTO.childIds') > 0 THEN :body -> '$.metadataDTO.childIds' END
);
UPDATE activity
SET updated_utc = (SELECT updated_utc FROM activity_detail WHERE account = :account AND activity_id = CAST(:item AS INTEGER))
WHERE account = :account AND activity_id = CAST(:item AS INTEGER);
