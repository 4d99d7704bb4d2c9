//! Original files.

use std::fs;

use garminsync_store::{Error, Originals, sha256_hex};

#[test]
fn a_file_is_saved_whole_and_replaced_whole() {
    let dir = tempfile::tempdir().unwrap();
    let originals = Originals::new(dir.path()).unwrap();
    let path = dir.path().join("activities/2026/2026-10-21 Run.fit");
    originals.save_from("activities/2026/2026-10-21 Run.fit", &mut &b"first"[..]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first");
    // Who has the old file open keeps reading the old file: it was replaced, not written over.
    let mut open = fs::File::open(&path).unwrap();
    originals.save_from("activities/2026/2026-10-21 Run.fit", &mut &b"second, longer"[..]).unwrap();
    let mut old = String::new();
    std::io::Read::read_to_string(&mut open, &mut old).unwrap();
    assert_eq!(old, "first");
    assert_eq!(fs::read(&path).unwrap(), b"second, longer");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn no_path_leads_out_of_the_data_directory() {
    let outside = tempfile::tempdir().unwrap();
    let data = outside.path().join("data");
    let originals = Originals::new(&data).unwrap();
    let absolute = outside.path().join("x.fit");
    let wrong =
        ["../x.fit", "a/../../x.fit", "a/..", "..", ".", "", "/", "a/", "./x.fit", r"..\x.fit", r"C:\x.fit", "a\0b"];
    for path in wrong.into_iter().chain([absolute.to_str().unwrap()]) {
        assert!(matches!(originals.save_from(path, &mut &b"x"[..]), Err(Error::Path(_))), "{path:?}");
    }
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_and_leaves_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let originals = Originals::new(dir.path()).unwrap();
    originals.save_from("a/x.fit", &mut &b"old"[..]).unwrap();
    assert!(matches!(originals.save_from("a/x.fit/y.fit", &mut &b"new"[..]), Err(Error::File { .. })));
    assert!(matches!(originals.save_from("a", &mut &b"new"[..]), Err(Error::File { .. })));
    assert_eq!(fs::read(dir.path().join("a/x.fit")).unwrap(), b"old");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn what_killed_writes_left_is_removed_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let year = dir.path().join("activities/2026");
    fs::create_dir_all(&year).unwrap();
    fs::write(year.join(".garminsync-unfinished-abc123"), "half").unwrap();
    fs::write(year.join(".hidden"), "a person's").unwrap();
    fs::write(year.join("Run.fit"), "whole").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join(".garminsync-unfinished-abc123"), "not ours to judge").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("link")).unwrap();
    Originals::new(dir.path()).unwrap();
    let mut left: Vec<_> = fs::read_dir(&year).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".hidden", "Run.fit"]);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

#[test]
fn the_sum_is_what_sha256sum_prints() {
    assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
