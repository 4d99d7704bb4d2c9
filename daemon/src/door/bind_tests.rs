//! Binding on a real file system: dead sockets, living ones, and what is no socket.

use super::*;

fn permission() -> Permission {
    Permission::of(None).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o777
}

#[tokio::test]
async fn it_is_private_and_goes_with_us() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run/control.sock");
    let bound = bind(&path, permission()).unwrap();
    assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
    UnixStream::connect(&path).unwrap();
    drop(bound);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_group_gets_socket_and_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run/control.sock");
    let own = nix::unistd::Group::from_gid(nix::unistd::getegid()).unwrap().unwrap();
    let bound = bind(&path, Permission::of(Some(&own.name)).unwrap()).unwrap();
    assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o750, 0o660));
    assert_eq!(fs::metadata(&path).unwrap().gid(), own.gid.as_raw());
    drop(bound);
    assert!(Permission::of(Some("no-such-group-here")).is_err());
}

#[tokio::test]
async fn a_dead_socket_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists() && UnixStream::connect(&path).is_err());
    let _bound = bind(&path, permission()).unwrap();
    UnixStream::connect(&path).unwrap();
}

#[tokio::test]
async fn a_living_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.sock");
    let living = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert!(matches!(bind(&path, permission()), Err(BindError::Living(_))));
    living.accept().unwrap(); // our own question whether it lives
    UnixStream::connect(&path).unwrap();
    living.accept().unwrap();
}

#[tokio::test]
async fn whatever_is_no_socket_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    fs::write(&file, "precious").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for path in [&file, &link, &dir.path().to_path_buf()] {
        assert!(matches!(bind(path, permission()), Err(BindError::NotASocket(_))), "{}", path.display());
    }
    assert_eq!(fs::read_to_string(&link).unwrap(), "precious");
}

#[tokio::test]
async fn somebody_elses_socket_survives_our_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control.sock");
    let bound = bind(&path, permission()).unwrap();
    fs::remove_file(&path).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    drop(bound);
    UnixStream::connect(&path).unwrap();
}
