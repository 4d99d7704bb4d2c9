DELETE FROM calendar_entry WHERE account = :account AND substr(day, 1, 7) = substr(:item, 1, 7);
