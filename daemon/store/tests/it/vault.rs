//! The vault: what opens, what does not, and what happens to what does not.

use std::fs;
use std::path::{Path, PathBuf};

use garminsync_store::{Error, KeySource, Keys, Kind, Opened, Vault};
use rusqlite::Connection;

use crate::rows;

fn key_file(dir: &Path) -> Keys {
    Keys::file(dir.join("vault.key"))
}

/// A credential, and the key file that is not asked for unless it opens what the credential does not.
fn credential(dir: &Path, path: PathBuf) -> Keys {
    Keys { credential: Some(path), ..key_file(dir) }
}

fn open(dir: &Path) -> Opened {
    let opened = Vault::open(dir, &key_file(dir)).unwrap();
    assert_eq!(opened.kept_aside, None);
    opened
}

fn get(vault: &mut Vault, account: &str, kind: Kind) -> Option<String> {
    vault.get(account, kind).unwrap().map(|secret| String::from_utf8(secret.to_vec()).unwrap())
}

fn sql(dir: &Path, sql: &str) {
    Connection::open(dir.join("vault.db")).unwrap().execute_batch(sql).unwrap();
}

/// The names in a directory.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn secrets_outlive_the_process_and_lie_nowhere_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let mut opened = Vault::open(dir.path(), &key_file(dir.path())).unwrap();
    assert_eq!(opened.key, KeySource::File);
    let vault = &mut opened.vault;
    vault.put("default", Kind::Tokens, b"first-secret").unwrap();
    vault.put("default", Kind::Tokens, b"second-secret").unwrap();
    vault.change("anna", &[(Kind::ApiKey, b"third-secret"), (Kind::State, b"fourth-secret")], &[]).unwrap();
    assert_eq!(format!("{vault:?}"), "Vault");
    // Read while it is open: what was put is in the file when `put` returns.
    let copy = tempfile::tempdir().unwrap();
    for name in names(dir.path()) {
        let bytes = fs::read(dir.path().join(&name)).unwrap();
        for secret in ["first-secret", "second-secret", "third-secret", "fourth-secret"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in {name}");
        }
        fs::write(copy.path().join(&name), bytes).unwrap();
    }
    assert_eq!(names(dir.path()), ["vault.db", "vault.key"]);
    #[cfg(unix)]
    restrict(&copy.path().join("vault.key"), 0o600);

    let mut again = open(copy.path());
    assert_eq!(again.key, KeySource::File);
    assert_eq!(get(&mut again.vault, "default", Kind::Tokens).unwrap(), "second-secret");
    assert_eq!(get(&mut again.vault, "anna", Kind::ApiKey).unwrap(), "third-secret");
    assert_eq!(get(&mut again.vault, "anna", Kind::Tokens), None);
    assert_eq!(again.vault.accounts().unwrap(), ["anna", "default"]);
}

#[test]
fn a_change_is_whole_and_deleting_forgets() {
    let dir = tempfile::tempdir().unwrap();
    let vault = &mut open(dir.path()).vault;
    vault.change("default", &[(Kind::CandidateTokens, b"new"), (Kind::PendingSignIn, b"challenge")], &[]).unwrap();
    vault.change("default", &[(Kind::Tokens, b"new")], &[Kind::CandidateTokens, Kind::PendingSignIn]).unwrap();
    assert_eq!(get(vault, "default", Kind::Tokens).unwrap(), "new");
    assert_eq!(get(vault, "default", Kind::CandidateTokens), None);
    assert_eq!(get(vault, "default", Kind::PendingSignIn), None);
    // A second change that fails in the middle: another program's trigger stands for the full disk.
    sql(
        dir.path(),
        "CREATE TRIGGER refuse BEFORE INSERT ON secret WHEN new.kind = 'api_key' BEGIN SELECT raise(ABORT, 'full'); END",
    );
    assert!(vault.change("default", &[(Kind::State, b"s"), (Kind::ApiKey, b"k")], &[Kind::Tokens]).is_err());
    assert_eq!(get(vault, "default", Kind::Tokens).unwrap(), "new");
    assert_eq!(get(vault, "default", Kind::State), None);

    vault.put("other", Kind::Tokens, b"other").unwrap();
    vault.delete("default", Kind::State).unwrap();
    vault.forget("default").unwrap();
    assert_eq!(vault.accounts().unwrap(), ["other"]);
}

#[test]
fn what_is_deleted_or_replaced_is_wiped_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let vault = &mut open(dir.path()).vault;
    let path = dir.path().join("vault.db");
    let mut blobs = Vec::new();
    for (kind, length) in [(Kind::Tokens, 3000), (Kind::ApiKey, 40)] {
        vault.put("default", kind, &vec![1; length]).unwrap();
        let people = Connection::open(&path).unwrap();
        let blob = "SELECT sealed FROM secret ORDER BY rowid DESC LIMIT 1";
        let sealed = people.query_row(blob, [], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        blobs.push(sealed[sealed.len() - 32..].to_vec());
    }
    let in_file = |blob: &Vec<u8>| fs::read(&path).unwrap().windows(32).any(|window| window == blob.as_slice());
    assert!(blobs.iter().all(in_file), "this test knows where to look");
    vault.put("default", Kind::Tokens, b"short").unwrap();
    vault.delete("default", Kind::ApiKey).unwrap();
    assert!(!blobs.iter().any(in_file));
}

#[test]
fn a_row_moved_to_another_account_or_kind_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let vault = &mut open(dir.path()).vault;
    vault.put("default", Kind::Tokens, b"mine").unwrap();
    sql(
        dir.path(),
        "INSERT INTO secret SELECT 'mallory', kind, nonce, sealed, updated_utc FROM secret;
         INSERT INTO secret SELECT 'default', 'api_key', nonce, sealed, updated_utc FROM secret WHERE account = 'default'",
    );
    assert_eq!(get(vault, "default", Kind::Tokens).unwrap(), "mine");
    let moved = vault.get("mallory", Kind::Tokens).unwrap_err();
    assert!(matches!(&moved, Error::Unreadable { account, kind: Kind::Tokens } if account == "mallory"));
    assert_eq!(
        moved.to_string(),
        "the vault's tokens of account mallory cannot be opened; it is kept, and the account needs a new login"
    );
    assert!(matches!(vault.get("default", Kind::ApiKey), Err(Error::Unreadable { kind: Kind::ApiKey, .. })));
}

#[test]
fn a_damaged_row_is_told_and_kept_when_it_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let vault = &mut open(dir.path()).vault;
    let damages = [
        "nonce = x'00'",
        "nonce = zeroblob(24)",
        "sealed = x''",
        "sealed = zeroblob(length(sealed))",
        "sealed = CAST(sealed || x'00' AS BLOB)",
    ];
    for (n, damage) in damages.iter().enumerate() {
        vault.put("default", Kind::Tokens, format!("secret {n}").as_bytes()).unwrap();
        vault.put("default", Kind::State, b"fine").unwrap();
        sql(dir.path(), &format!("UPDATE secret SET {damage} WHERE kind = 'tokens'"));
        assert!(matches!(vault.get("default", Kind::Tokens), Err(Error::Unreadable { .. })), "{damage}");
        assert_eq!(get(vault, "default", Kind::State).unwrap(), "fine");
        let damaged = rows(
            &Connection::open(dir.path().join("vault.db")).unwrap(),
            "SELECT nonce, sealed FROM secret WHERE kind = 'tokens'",
        );

        vault.put("default", Kind::Tokens, b"a new login").unwrap();
        assert_eq!(get(vault, "default", Kind::Tokens).unwrap(), "a new login");
        let people = Connection::open(dir.path().join("vault.db")).unwrap();
        assert_eq!(rows(&people, &format!("SELECT nonce, sealed FROM kept WHERE rowid = {}", n + 1)), damaged);
        assert_eq!(rows(&people, "SELECT DISTINCT account, kind FROM kept"), ["default|tokens"]);
    }
    vault.forget("default").unwrap();
    assert_eq!(rows(&Connection::open(dir.path().join("vault.db")).unwrap(), "SELECT count(*) FROM kept"), ["0"]);
}

/// A vault with one secret; its bytes.
fn made(dir: &Path) -> Vec<u8> {
    open(dir).vault.put("default", Kind::Tokens, b"old").unwrap();
    fs::read(dir.join("vault.db")).unwrap()
}

fn files_beside(vault: &Path) -> PathBuf {
    let mut name = vault.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}

/// Opens a vault that cannot be read: it is kept byte by byte, and the fresh one works.
fn kept_aside(dir: &Path, keys: &Keys, why: &str) -> PathBuf {
    let before = fs::read(dir.join("vault.db")).unwrap();
    let mut opened = Vault::open(dir, keys).unwrap();
    let aside = opened.kept_aside.unwrap();
    assert_eq!(aside.why, why);
    assert_eq!(aside.path.parent(), Some(dir));
    assert!(aside.path.file_name().unwrap().to_str().unwrap().starts_with("vault.db.unreadable-2"));
    assert_eq!(fs::read(&aside.path).unwrap(), before);
    assert_eq!(opened.vault.accounts().unwrap(), Vec::<String>::new());
    opened.vault.put("default", Kind::Tokens, b"new").unwrap();
    drop(opened.vault);
    let mut again = Vault::open(dir, keys).unwrap();
    assert_eq!(again.kept_aside, None);
    assert_eq!(get(&mut again.vault, "default", Kind::Tokens).unwrap(), "new");
    aside.path
}

#[test]
fn a_vault_of_another_key_is_kept_aside_each_under_its_own_name() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let first_key = fs::read(dir.path().join("vault.key")).unwrap();
    // Where the vault's own key is at hand, no other can make it unreadable.
    fs::rename(dir.path().join("vault.key"), dir.path().join("elsewhere")).unwrap();
    let mut seen = Vec::new();
    for n in 1..=3 {
        let other = dir.path().join(format!("vault.credential-{n}"));
        fs::write(&other, [n; 32]).unwrap();
        let why = if n == 1 { "its key file is missing" } else { "the key is not the one it was sealed with" };
        seen.push(kept_aside(dir.path(), &credential(dir.path(), other), why));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3);
    fs::write(files_beside(&seen[2]), "").unwrap();
    assert_eq!(Vault::kept_before(dir.path()), seen, "the vaults, and not what lies beside them");

    // With its own name and key, the first vault is what it was.
    fs::rename(dir.path().join("elsewhere"), dir.path().join("vault.key")).unwrap();
    assert_eq!(fs::read(dir.path().join("vault.key")).unwrap(), first_key, "a key file is never overwritten");
    fs::rename(&seen[0], dir.path().join("vault.db")).unwrap();
    assert_eq!(get(&mut open(dir.path()).vault, "default", Kind::Tokens).unwrap(), "old");
}

#[test]
fn a_vault_without_its_key_file_is_kept_aside_and_a_new_key_made() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    fs::remove_file(dir.path().join("vault.key")).unwrap();
    kept_aside(dir.path(), &key_file(dir.path()), "its key file is missing");
}

#[test]
fn a_damaged_vault_is_kept_aside_with_what_lies_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let sound = made(dir.path());
    let path = dir.path().join("vault.db");
    fs::write(&path, "not a database at all, but long enough to look at").unwrap();
    fs::write(dir.path().join("vault.db-wal"), "left over").unwrap();
    let aside = kept_aside(dir.path(), &key_file(dir.path()), "the file is damaged");
    let beside = PathBuf::from(format!("{}-wal", aside.display()));
    assert_eq!(fs::read(beside).unwrap(), b"left over");

    let mut scrambled = sound.clone();
    let middle = scrambled.len() / 4;
    scrambled[middle..].fill(0x5a);
    fs::write(&path, scrambled).unwrap();
    kept_aside(dir.path(), &key_file(dir.path()), "the file is damaged");

    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    kept_aside(dir.path(), &key_file(dir.path()), "the file is damaged");
}

#[test]
fn another_database_or_a_removed_check_is_not_a_vault() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    sql(dir.path(), "DELETE FROM key_check");
    kept_aside(dir.path(), &key_file(dir.path()), "its key cannot be checked");
    fs::remove_file(dir.path().join("vault.db")).unwrap();
    sql(dir.path(), "CREATE TABLE holiday (notes TEXT)");
    kept_aside(dir.path(), &key_file(dir.path()), "the file is not a vault");
}

#[test]
fn a_vault_whose_maker_was_killed_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    fs::write(dir.path().join("vault.db"), "").unwrap();
    assert_eq!(open(dir.path()).vault.accounts().unwrap(), Vec::<String>::new());
    sql(dir.path(), "DELETE FROM key_check");
    drop(open(dir.path()));
    assert_eq!(rows(&Connection::open(dir.path().join("vault.db")).unwrap(), "SELECT count(*) FROM key_check"), ["1"]);
}

#[test]
fn a_newer_vault_is_refused_by_name_and_number_even_without_its_key() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    sql(dir.path(), "PRAGMA user_version = 9");
    let before = fs::read(dir.path().join("vault.db")).unwrap();
    for key_there in [true, false] {
        if !key_there {
            fs::remove_file(dir.path().join("vault.key")).unwrap();
        }
        let error = Vault::open(dir.path(), &key_file(dir.path())).unwrap_err();
        assert!(
            error.to_string().starts_with("vault.db has schema 9, this garminsyncd knows schemas up to 2"),
            "{error}"
        );
        assert_eq!(fs::read(dir.path().join("vault.db")).unwrap(), before);
    }
    assert_eq!(names(dir.path()), ["vault.db"], "no key is made for it either");
}

#[test]
fn a_vault_that_somebody_holds_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    made(dir.path());
    let holder = Connection::open(dir.path().join("vault.db")).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = Vault::open(dir.path(), &key_file(dir.path())).unwrap_err();
    assert!(error.to_string().starts_with("vault.db: database is locked"), "{error}");
    drop(holder);
    assert_eq!(get(&mut open(dir.path()).vault, "default", Kind::Tokens).unwrap(), "old");
}

#[test]
fn a_key_may_be_raw_hex_or_base64() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.credential");
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    let mut raw: Vec<u8> = (0..32).collect();
    let forms: Vec<Vec<u8>> = vec![
        raw.clone(),
        [raw.as_slice(), b"\n"].concat(),
        hex.into(),
        format!("{hex}\n").into(),
        format!("{hex}\r\n").into(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n".into(),
    ];
    for form in forms {
        fs::write(&path, &form).unwrap();
        let mut opened = Vault::open(dir.path(), &credential(dir.path(), path.clone())).unwrap();
        assert_eq!((opened.kept_aside, opened.key), (None, KeySource::Credential), "{form:?}");
        opened.vault.put("default", Kind::Tokens, b"same key").unwrap();
    }
    raw[31] = b'\n';
    fs::write(&path, &raw).unwrap();
    let opened = Vault::open(dir.path(), &credential(dir.path(), path)).unwrap();
    assert!(opened.kept_aside.is_some(), "all 32 bytes count");
}

#[test]
fn a_key_that_is_malformed_or_missing_is_an_error_and_the_vault_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vault.credential");
    fs::write(&path, [7; 32]).unwrap();
    let keys = credential(dir.path(), path.clone());
    Vault::open(dir.path(), &keys).unwrap().vault.put("default", Kind::Tokens, b"old").unwrap();
    let before = fs::read(dir.path().join("vault.db")).unwrap();
    let refused = |keys: &Keys| {
        let error = Vault::open(dir.path(), keys).unwrap_err();
        assert_eq!(fs::read(dir.path().join("vault.db")).unwrap(), before);
        error
    };
    for text in ["", "swordfish", &"z".repeat(64), &"a".repeat(63), &"A".repeat(44), &"ab".repeat(2000)] {
        fs::write(&path, text).unwrap();
        let error = refused(&keys);
        assert!(matches!(error, Error::Key { .. }), "{error}");
        assert!(text.is_empty() || !error.to_string().contains(text));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(refused(&keys), Error::Key { .. }));
    assert!(matches!(refused(&key_file(dir.path())), Error::NoCredential), "the unit lost its credential");
    assert_eq!(names(dir.path()), ["vault.db"], "no other key is made");
}

#[test]
fn a_key_file_that_is_malformed_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let before = made(dir.path());
    let key = fs::read(dir.path().join("vault.key")).unwrap();
    fs::write(dir.path().join("vault.key"), &key[..20]).unwrap();
    let error = Vault::open(dir.path(), &key_file(dir.path())).unwrap_err();
    assert!(matches!(error, Error::Key { .. }), "{error}");
    assert_eq!(fs::read(dir.path().join("vault.db")).unwrap(), before);
    assert_eq!(fs::read(dir.path().join("vault.key")).unwrap(), &key[..20]);
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
