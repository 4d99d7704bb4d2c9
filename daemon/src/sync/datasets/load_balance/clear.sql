DELETE FROM load_balance WHERE account = :account AND asked_day = :item;
