DELETE FROM menstrual_cycle WHERE account = :account AND start_day = :item;
