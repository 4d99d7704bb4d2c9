DELETE FROM gear_total WHERE account = :account AND gear_uuid = :item;
