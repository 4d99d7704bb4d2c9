DELETE FROM gear_activity WHERE account = :account AND gear_uuid = :item;
