//! XChaCha20-Poly1305 with what a sealed text belongs to as associated data, so that it opens only in its own row.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::TryRng as _;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

use crate::error::Error;

/// Length of a key.
pub(super) const KEY_BYTES: usize = 32;
/// Length of a nonce; long enough that random ones never meet.
const NONCE_BYTES: usize = 24;

/// What was sealed, as it is stored.
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) nonce: Vec<u8>,
}

/// Random bytes of the operating system, not of a seeded generator: a repeated nonce would break the seal.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    SysRng.try_fill_bytes(&mut *bytes).map_err(|_| Error::NoRandomness)?;
    Ok(bytes)
}

/// Seals `plain` so that it opens only with the same key and the same `belongs_to`.
pub(super) fn seal(key: &[u8; KEY_BYTES], belongs_to: &[&str], plain: &[u8]) -> Result<Sealed, Error> {
    let nonce = random::<NONCE_BYTES>()?;
    let aad = associated(belongs_to);
    let payload = Payload { msg: plain, aad: &aad };
    // Refused only for texts of more than 256 GiB.
    let sealed = XChaCha20Poly1305::new(&(*key).into()).encrypt(&XNonce::from(*nonce), payload);
    let bytes = sealed.map_err(|_| Error::NotSealed { table: "secrets", row: belongs_to.join("/") })?;
    Ok(Sealed { bytes, nonce: nonce.to_vec() })
}

/// Opens what [`seal`] made; nothing if a single bit of it, of the key or of `belongs_to` is another one.
pub(super) fn open(key: &[u8; KEY_BYTES], belongs_to: &[&str], sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
    let nonce = <[u8; NONCE_BYTES]>::try_from(sealed.nonce.as_slice()).ok()?;
    let aad = associated(belongs_to);
    let payload = Payload { msg: &sealed.bytes, aad: &aad };
    let plain = XChaCha20Poly1305::new(&(*key).into()).decrypt(&XNonce::from(nonce), payload);
    plain.ok().map(Zeroizing::new)
}

/// Each part with its length before it, so that no two lists of parts give the same bytes.
fn associated(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn the_cipher_is_the_one_of_the_draft_that_others_implement() {
        // Vector A.3.1 of draft-irtf-cfrg-xchacha-03.
        let key = HEXLOWER.decode(b"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f").unwrap();
        let nonce = HEXLOWER.decode(b"404142434445464748494a4b4c4d4e4f5051525354555657").unwrap();
        let aad = HEXLOWER.decode(b"50515253c0c1c2c3c4c5c6c7").unwrap();
        let plain =
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen \
                      would be it.";
        let key = <[u8; KEY_BYTES]>::try_from(key).unwrap();
        let nonce = XNonce::from(<[u8; NONCE_BYTES]>::try_from(nonce).unwrap());
        let sealed = XChaCha20Poly1305::new(&key.into()).encrypt(&nonce, Payload { msg: plain, aad: &aad }).unwrap();
        assert_eq!(HEXLOWER.encode(&sealed[..16]), "bd6d179d3e83d43b9576579493c0e939");
        assert_eq!(HEXLOWER.encode(&sealed[sealed.len() - 16..]), "c0875924c1c7987947deafd8780acf49");
    }

    #[test]
    fn a_sealed_text_opens_only_where_it_belongs() {
        let (key, other) = (random().unwrap(), random().unwrap());
        let mut sealed = seal(&key, &["1", "main", "brex"], b"secret").unwrap();
        assert_eq!(open(&key, &["1", "main", "brex"], &sealed).unwrap().as_slice(), b"secret");
        assert!(open(&other, &["1", "main", "brex"], &sealed).is_none());
        for elsewhere in [&["2", "main", "brex"][..], &["1", "mainb", "rex"], &["1", "main"], &["1", "main", "bc"]] {
            assert!(open(&key, elsewhere, &sealed).is_none(), "{elsewhere:?}");
        }
        sealed.bytes[3] ^= 1;
        assert!(open(&key, &["1", "main", "brex"], &sealed).is_none());
    }

    #[test]
    fn the_same_text_is_never_sealed_into_the_same_bytes() {
        let key = random().unwrap();
        let once = seal(&key, &[], b"secret").unwrap();
        let again = seal(&key, &[], b"secret").unwrap();
        assert_ne!(once.nonce, again.nonce);
        assert_ne!(once.bytes, again.bytes);
    }
}
