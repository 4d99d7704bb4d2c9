-- The zip is a file of its own, under wellness/; this names it.
INSERT OR REPLACE INTO wellness_file (account, day, path, bytes, sha256)
VALUES (:account, :item, :body ->> '$.path', :body ->> '$.bytes', :body ->> '$.sha256');
