//! Sealing: XChaCha20-Poly1305 with a random nonce, bound to whose secret it is. The vault alone calls it. It must not know where
//! the key came from or where the rows lie.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use super::key::Key;
use crate::Zeroizing;
use crate::error::Error;

/// Bytes of a nonce: long enough that random ones never meet.
const NONCE: usize = 24;

/// Says what kind of seal it is; another kind gets another number.
const PURPOSE: &[u8] = b"garminsync vault 1";

/// A secret under seal.
pub(super) struct Sealed {
    pub nonce: Vec<u8>,
    pub sealed: Vec<u8>,
}

/// Holds the key, which the cipher wipes when it is dropped.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    pub(super) fn new(key: &Key) -> Self {
        Self { cipher: XChaCha20Poly1305::new(key.as_ref().into()) }
    }

    pub(super) fn seal(&self, account: &str, kind: &str, secret: &[u8]) -> Result<Sealed, Error> {
        let mut nonce = vec![0; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| Error::Seal(e.to_string()))?;
        let payload = Payload { msg: secret, aad: &identity(account, kind) };
        let sealed =
            self.cipher.encrypt(XNonce::from_slice(&nonce), payload).map_err(|e| Error::Seal(e.to_string()))?;
        Ok(Sealed { nonce, sealed })
    }

    /// The secret, or nothing if key, account, kind or any byte is not what it was sealed with.
    pub(super) fn open(&self, account: &str, kind: &str, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        if sealed.nonce.len() != NONCE {
            return None; // XNonce would panic
        }
        let payload = Payload { msg: &sealed.sealed, aad: &identity(account, kind) };
        self.cipher.decrypt(XNonce::from_slice(&sealed.nonce), payload).ok().map(Zeroizing::new)
    }
}

/// What a seal is bound to, so that a row copied to another account or kind does not open. Lengths go first: no two identities share
/// their bytes.
fn identity(account: &str, kind: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [PURPOSE, account.as_bytes(), kind.as_bytes()] {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_for_whom_it_was_made() {
        let sealer = Sealer::new(&Key::new([7; 32]));
        let sealed = sealer.seal("ab", "c", b"secret").unwrap();
        assert_eq!(sealer.open("ab", "c", &sealed).unwrap().as_slice(), b"secret");
        for (account, kind) in [("a", "bc"), ("abc", ""), ("", "abc"), ("ab", "d"), ("ac", "c"), ("ab\0", "c")] {
            assert!(sealer.open(account, kind, &sealed).is_none(), "{account:?} {kind:?}");
        }
        assert!(Sealer::new(&Key::new([8; 32])).open("ab", "c", &sealed).is_none());
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let sealer = Sealer::new(&Key::new([7; 32]));
        let [one, two] = [(); 2].map(|()| sealer.seal("a", "b", b"secret").unwrap());
        assert_ne!(one.nonce, two.nonce);
        assert_ne!(one.sealed, two.sealed);
    }
}
