//! The keyring of the operating system: Keychain on macOS, Credential Manager on Windows, the Secret Service on Linux where this program was
//! built with it. The vault's opening calls it, on a thread that may wait: a keyring asks people. It must not know what it keeps.

use secrecy::zeroize::Zeroizing;

/// Under which name entries stand in the keyring.
const SERVICE: &str = "garminsync";

/// What people call this system's keyring; nothing where this program has none.
pub const NAME: Option<&str> = if cfg!(target_os = "macos") {
    Some("Keychain")
} else if cfg!(windows) {
    Some("Windows Credential Manager")
} else if cfg!(all(target_os = "linux", feature = "secret-service")) {
    Some("Secret Service")
} else {
    None
};

/// What the keyring keeps under this name; nothing if it is open and has no such entry. May wait for a person.
///
/// # Errors
/// Why it cannot be asked now, for people: locked, no session, not part of this program.
pub fn read(name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    store::read(name)
}

/// Keeps an entry. May wait for a person.
///
/// # Errors
/// As [`read`].
pub fn write(name: &str, value: &[u8]) -> Result<(), String> {
    store::write(name, value)
}

#[cfg(any(target_os = "macos", windows, all(target_os = "linux", feature = "secret-service")))]
mod store {
    use super::{SERVICE, Zeroizing};

    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;
    use keyring_core::api::CredentialStoreApi;
    use keyring_core::{Entry, Error};
    #[cfg(windows)]
    use windows_native_keyring_store::Store;
    #[cfg(target_os = "linux")]
    use zbus_secret_service_keyring_store::Store;

    /// Connected anew each time: a session that was not there at the last try may be there now.
    fn entry(name: &str) -> Result<Entry, String> {
        Store::new().and_then(|store| store.build(SERVICE, name, None)).map_err(words)
    }

    pub fn read(name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        match entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(words(error)),
        }
    }

    pub fn write(name: &str, value: &[u8]) -> Result<(), String> {
        entry(name)?.set_secret(value).map_err(words)
    }

    /// The library's words, less those that could quote an entry.
    fn words(error: Error) -> String {
        match error {
            Error::PlatformFailure(inner) | Error::NoStorageAccess(inner) => inner.to_string(),
            Error::Ambiguous(_) => "it has several entries of that name".into(),
            Error::BadEncoding(_) | Error::BadDataFormat(..) => "its entry cannot be understood".into(),
            other => other.to_string(),
        }
    }
}

#[cfg(not(any(target_os = "macos", windows, all(target_os = "linux", feature = "secret-service"))))]
mod store {
    use super::{SERVICE, Zeroizing};

    fn none<T>() -> Result<T, String> {
        let how = if cfg!(target_os = "linux") { ": build it with --features secret-service" } else { "" };
        Err(format!("this {SERVICE}d has none built in{how}"))
    }

    pub fn read(_: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        none()
    }

    pub fn write(_: &str, _: &[u8]) -> Result<(), String> {
        none()
    }
}
