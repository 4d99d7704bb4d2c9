//! Where the vault's key may be: a vault opens with the key it was sealed with, whatever is preferred by now; moving it is one step;
//! a key that cannot be had now is not a lost one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use garminsync_store::{Error, KeySource, Keyring, Keys, Kind, Opened, Vault, Zeroizing};
use rusqlite::Connection;

/// A keyring in memory, which can be locked.
#[derive(Clone, Default)]
struct Ring(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    entries: BTreeMap<String, Vec<u8>>,
    locked: bool,
    forgetful: bool,
}

impl Ring {
    fn lock(&self, locked: bool) {
        self.0.lock().unwrap().locked = locked;
    }

    fn entries(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap().entries.clone()
    }
}

impl Keyring for Ring {
    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let state = self.0.lock().unwrap();
        if state.locked { Err("it is locked".into()) } else { Ok(state.entries.get(name).cloned().map(Zeroizing::new)) }
    }

    fn write(&self, name: &str, key: &[u8]) -> Result<(), String> {
        let mut state = self.0.lock().unwrap();
        if state.locked {
            return Err("it is locked".into());
        }
        if !state.forgetful {
            state.entries.insert(name.into(), key.into());
        }
        Ok(())
    }
}

fn keys(dir: &Path, ring: &Ring, wish: Option<KeySource>) -> Keys {
    Keys { keyring: Box::new(ring.clone()), wish, ..Keys::file(dir.join("vault.key")) }
}

fn with_credential(keys: Keys, path: &Path) -> Keys {
    Keys { credential: Some(path.into()), ..keys }
}

fn open(dir: &Path, keys: &Keys) -> Opened {
    let opened = Vault::open(dir, keys).unwrap();
    assert_eq!(opened.kept_aside, None);
    opened
}

/// The tokens that the vault holds, opened with these keys.
fn tokens(dir: &Path, keys: &Keys) -> String {
    let secret = open(dir, keys).vault.get("default", Kind::Tokens).unwrap().unwrap();
    String::from_utf8(secret.to_vec()).unwrap()
}

fn bytes(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("vault.db")).unwrap()
}

#[test]
fn a_new_vault_takes_the_best_there_is() {
    let ring = Ring::default();
    let fresh = |keys: &dyn Fn(&Path) -> Keys| {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("credential"), [7; 32]).unwrap();
        let source = open(dir.path(), &keys(dir.path())).key;
        assert_eq!(Vault::sealed_with(dir.path()).unwrap(), Some(source));
        (source, dir.path().join("vault.key").exists())
    };
    let all = |dir: &Path| with_credential(keys(dir, &ring, None), &dir.join("credential"));
    assert_eq!(fresh(&all), (KeySource::Credential, false));
    assert_eq!(fresh(&|dir| keys(dir, &ring, None)), (KeySource::Keyring, false));
    assert_eq!(fresh(&|dir| keys(dir, &ring, Some(KeySource::File))), (KeySource::File, true));
    ring.lock(true);
    assert_eq!(fresh(&|dir| keys(dir, &ring, None)), (KeySource::File, true), "nobody waits for a keyring unasked");

    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Vault::sealed_with(dir.path()).unwrap(), None);
    let error = Vault::open(dir.path(), &keys(dir.path(), &ring, Some(KeySource::Keyring))).unwrap_err();
    assert!(matches!(error, Error::KeyringClosed(_)), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "and nothing is made");
}

#[test]
fn a_vault_stays_with_its_key_when_another_is_preferred() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::default();
    let file = keys(dir.path(), &ring, Some(KeySource::File));
    open(dir.path(), &file).vault.put("default", Kind::Tokens, b"mine").unwrap();
    let credential = dir.path().join("credential");
    fs::write(&credential, [9; 32]).unwrap();
    let preferred = with_credential(keys(dir.path(), &ring, None), &credential);
    assert_eq!(tokens(dir.path(), &preferred), "mine");
    assert_eq!(open(dir.path(), &preferred).key, KeySource::File);
    assert!(ring.entries().is_empty());

    // A vault of the first schema does not say where its key is: the one that opens it counts.
    Connection::open(dir.path().join("vault.db"))
        .unwrap()
        .execute_batch("DROP TABLE key_source; PRAGMA user_version = 1")
        .unwrap();
    assert_eq!(tokens(dir.path(), &preferred), "mine");
    assert_eq!(Vault::sealed_with(dir.path()).unwrap(), Some(KeySource::File));
}

#[test]
fn a_key_that_was_carried_to_another_place_opens_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::default();
    let file = keys(dir.path(), &ring, Some(KeySource::File));
    open(dir.path(), &file).vault.put("default", Kind::Tokens, b"mine").unwrap();
    let credential = dir.path().join("credential");
    fs::rename(dir.path().join("vault.key"), &credential).unwrap();
    let keys = with_credential(keys(dir.path(), &ring, None), &credential);
    assert_eq!(tokens(dir.path(), &keys), "mine");
    assert_eq!(Vault::sealed_with(dir.path()).unwrap(), Some(KeySource::Credential));
}

#[test]
fn moving_the_key_seals_everything_anew_and_goes_every_way() {
    use KeySource::{Credential, File, Keyring};
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::default();
    let credential = dir.path().join("credential");
    fs::write(&credential, [9; 32]).unwrap();
    let wish = |source| with_credential(keys(dir.path(), &ring, Some(source)), &credential);
    open(dir.path(), &wish(File)).vault.put("default", Kind::Tokens, b"mine").unwrap();
    // A row from elsewhere, which no key of this vault opens.
    let sql = "INSERT INTO secret SELECT 'mallory', kind, nonce, sealed, updated_utc FROM secret";
    Connection::open(dir.path().join("vault.db")).unwrap().execute_batch(sql).unwrap();
    let mut was = File;
    for source in [Keyring, Credential, File, Credential, Keyring, File] {
        let before = bytes(dir.path());
        let mut opened = open(dir.path(), &wish(source));
        assert_eq!((opened.key, opened.moved_from, opened.not_moved.is_none()), (source, Some(was), true));
        assert_ne!(bytes(dir.path()), before);
        assert!(matches!(opened.vault.get("mallory", Kind::Tokens), Err(Error::Unreadable { .. })));
        assert_eq!(opened.vault.accounts().unwrap(), ["default", "mallory"], "what does not open is kept");
        drop(opened);
        assert_eq!(tokens(dir.path(), &wish(source)), "mine");
        assert_eq!(open(dir.path(), &wish(source)).moved_from, None, "once");
        assert_eq!(Vault::sealed_with(dir.path()).unwrap(), Some(source));
        was = source;
    }
    // The old keys are left where they were: backups need them. No name in the keyring is used twice.
    assert_eq!(ring.entries().len(), 2);
}

#[test]
fn a_key_that_cannot_be_moved_stays_and_the_vault_works() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::default();
    let file = keys(dir.path(), &ring, Some(KeySource::File));
    open(dir.path(), &file).vault.put("default", Kind::Tokens, b"mine").unwrap();
    let refused = |wish| {
        let mut opened = open(dir.path(), &keys(dir.path(), &ring, Some(wish)));
        assert_eq!((opened.key, opened.moved_from), (KeySource::File, None));
        assert_eq!(opened.vault.get("default", Kind::Tokens).unwrap().unwrap().as_slice(), b"mine");
        opened.not_moved.unwrap()
    };
    assert!(matches!(refused(KeySource::Credential), Error::NoCredential));
    ring.lock(true);
    assert!(matches!(refused(KeySource::Keyring), Error::KeyringClosed(_)));
    ring.lock(false);
    ring.0.lock().unwrap().forgetful = true;
    assert!(matches!(refused(KeySource::Keyring), Error::KeyringClosed(_)), "it is read back before it is relied on");
    ring.0.lock().unwrap().forgetful = false;
    // A disk that fails in the middle of it: another program's trigger stands for it.
    let vault = Connection::open(dir.path().join("vault.db")).unwrap();
    vault
        .execute_batch("CREATE TRIGGER full BEFORE UPDATE ON key_check BEGIN SELECT raise(ABORT, 'full'); END")
        .unwrap();
    assert!(matches!(refused(KeySource::Keyring), Error::Database { .. }));
    vault.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(tokens(dir.path(), &file), "mine");
}

#[test]
fn a_keyring_that_is_locked_or_empty_is_waited_for_and_the_vault_stays() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::default();
    let keys_now = |wish| keys(dir.path(), &ring, wish);
    open(dir.path(), &keys_now(None)).vault.put("default", Kind::Tokens, b"mine").unwrap();
    let before = bytes(dir.path());
    let closed = |wish| {
        let error = Vault::open(dir.path(), &keys_now(wish)).unwrap_err();
        assert!(matches!(error, Error::KeyringClosed(_)), "{error}");
        assert!(error.to_string().contains("the vault was not touched"), "{error}");
        assert_eq!(bytes(dir.path()), before);
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["vault.db"], "no other key is made");
    };
    ring.lock(true);
    closed(None);
    closed(Some(KeySource::File));
    ring.lock(false);
    assert_eq!(tokens(dir.path(), &keys_now(None)), "mine");

    // Another user's keyring, or a new machine's: perhaps the right one comes yet.
    let (name, key) = ring.entries().pop_first().unwrap();
    ring.0.lock().unwrap().entries.clear();
    closed(None);
    ring.0.lock().unwrap().entries.insert(name.clone(), b"no key".into());
    closed(None);
    ring.0.lock().unwrap().entries.insert(name, key);
    assert_eq!(tokens(dir.path(), &keys_now(None)), "mine");
}

#[test]
fn the_key_in_the_keyring_is_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let ring = Ring::default();
    open(dir.path(), &keys(dir.path(), &ring, None)).vault.put("default", Kind::Tokens, b"mine").unwrap();
    let (name, key) = ring.entries().pop_first().unwrap();
    assert_eq!(key.len(), 64, "digits, so that a person can keep a copy of it");
    let file = bytes(dir.path());
    let holds = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    assert!(holds(name.as_bytes()) && !holds(&key));
    let raw: Vec<u8> = (0..32)
        .map(|n| u8::from_str_radix(std::str::from_utf8(&key[2 * n..2 * n + 2]).unwrap(), 16).unwrap())
        .collect();
    assert!(!holds(&raw));
}
