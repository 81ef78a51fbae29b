//! The open keys of a store: the terms' key-encryption keys, and the keys derived from the master. How a
//! secret is sealed with them is in `seal`.

use std::{collections::BTreeMap, fmt};

use crate::{
    DerivedKey, KeyError, Label, Randomness, RootKey, SigningKey,
    aead::{AeadKey, KEY, NONCE},
    canonical::Canonical,
    wipe::Wiped,
};

/// The master, sealed by the root key: `nonce ‖ ciphertext ‖ tag`, 60 bytes. It is also the check value by
/// which a wrong root key is found at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedMaster(pub Vec<u8>);

/// A term's key-encryption key, sealed by the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTerm {
    /// The term's number, from 1; shown as `v1`.
    pub term: u32,
    /// `nonce ‖ ciphertext ‖ tag`, 60 bytes.
    pub sealed: Vec<u8>,
}

/// All open keys of a store. Made once at start, then shared.
pub struct Keyring {
    /// By which a root key given later is known to be the right one.
    root_check: SealedMaster,
    terms: BTreeMap<u32, AeadKey>,
    current: u32,
    derived: [DerivedKey; Label::ALL.len()],
    signing: SigningKey,
}

impl Keyring {
    /// First start: a random master and term 1, both sealed by `root`.
    pub fn create(
        root: &RootKey,
        rng: &mut impl Randomness,
    ) -> (Keyring, SealedMaster, SealedTerm) {
        let sealing = root.sealing();
        let (mut master, mut first) = (Wiped::zeros(), Wiped::zeros());
        rng.fill(&mut *master);
        let sealed_master = SealedMaster(seal_key(&sealing, &master_aad(), &master, rng));
        rng.fill(&mut *first);
        let sealed_term = SealedTerm {
            term: 1,
            sealed: seal_key(&sealing, &term_aad(1), &first, rng),
        };
        let keyring = Keyring {
            root_check: sealed_master.clone(),
            terms: BTreeMap::from([(1, AeadKey::new(&*first))]),
            current: 1,
            derived: derive_all(&master),
            signing: SigningKey::new(&master),
        };
        (keyring, sealed_master, sealed_term)
    }

    /// Opens what a store holds. The highest term is the current one.
    ///
    /// # Errors
    /// [`KeyError::WrongRootKey`] when the master does not open; `TermUnreadable`, `TermRepeated` or
    /// `NoTerm` when the terms are not whole.
    pub fn unlock(
        root: &RootKey,
        master: &SealedMaster,
        terms: &[SealedTerm],
    ) -> Result<Keyring, KeyError> {
        let sealing = root.sealing();
        let mut key = Wiped::zeros();
        open_master(&sealing, master, &mut key)?;
        let (derived, signing) = (derive_all(&key), SigningKey::new(&key));
        let mut open_terms = BTreeMap::new();
        for sealed in terms {
            open_term(&sealing, sealed, &mut key)?;
            if open_terms
                .insert(sealed.term, AeadKey::new(&*key))
                .is_some()
            {
                return Err(KeyError::TermRepeated { term: sealed.term });
            }
        }
        let current = *open_terms.keys().next_back().ok_or(KeyError::NoTerm)?;
        Ok(Keyring {
            root_check: master.clone(),
            terms: open_terms,
            current,
            derived,
            signing,
        })
    }

    /// Adds a term, which new seals use from now on.
    ///
    /// # Errors
    /// [`KeyError::WrongRootKey`] when `root` is not the key this keyring was opened with: a term sealed by
    /// another could not be opened at the next start. [`KeyError::LastTerm`] when numbers have run out.
    pub fn add_term(
        &mut self,
        root: &RootKey,
        rng: &mut impl Randomness,
    ) -> Result<SealedTerm, KeyError> {
        let sealing = root.sealing();
        let mut key = Wiped::zeros();
        open_master(&sealing, &self.root_check, &mut key)?;
        let term = self.current.checked_add(1).ok_or(KeyError::LastTerm)?;
        rng.fill(&mut *key);
        let sealed = seal_key(&sealing, &term_aad(term), &key, rng);
        self.terms.insert(term, AeadKey::new(&*key));
        self.current = term;
        Ok(SealedTerm { term, sealed })
    }

    /// Another root key: the same master and terms sealed by `new`. Values, derived keys and tokens are not
    /// touched.
    ///
    /// # Errors
    /// As [`Keyring::unlock`] with `old`.
    pub fn reseal(
        old: &RootKey,
        new: &RootKey,
        master: &SealedMaster,
        terms: &[SealedTerm],
        rng: &mut impl Randomness,
    ) -> Result<(SealedMaster, Vec<SealedTerm>), KeyError> {
        let (from, to) = (old.sealing(), new.sealing());
        let mut key = Wiped::zeros();
        open_master(&from, master, &mut key)?;
        let resealed_master = SealedMaster(seal_key(&to, &master_aad(), &key, rng));
        let mut resealed = Vec::with_capacity(terms.len());
        for sealed in terms {
            let term = sealed.term;
            open_term(&from, sealed, &mut key)?;
            resealed.push(SealedTerm {
                term,
                sealed: seal_key(&to, &term_aad(term), &key, rng),
            });
        }
        Ok((resealed_master, resealed))
    }

    /// The term that new seals use.
    #[must_use]
    pub fn current_term(&self) -> u32 {
        self.current
    }

    /// Whether this keyring can open what `term` sealed. A node that meets a term added by another node
    /// unlocks again.
    #[must_use]
    pub fn has_term(&self, term: u32) -> bool {
        self.terms.contains_key(&term)
    }

    /// The key derived for `label`.
    #[must_use]
    pub fn derived(&self, label: Label) -> &DerivedKey {
        &self.derived[label as usize]
    }

    /// The key that signs the heads of the audit chains.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// The current term's key, which is always there.
    #[inline]
    pub(crate) fn current_key(&self) -> &AeadKey {
        &self.terms[&self.current]
    }

    /// A term's key.
    #[inline]
    pub(crate) fn term_key(&self, term: u32) -> Option<&AeadKey> {
        self.terms.get(&term)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("current_term", &self.current)
            .finish_non_exhaustive()
    }
}

fn derive_all(master: &[u8; KEY]) -> [DerivedKey; Label::ALL.len()] {
    Label::ALL.map(|label| DerivedKey::new(master, label))
}

fn seal_key(
    sealing: &AeadKey,
    aad: &Canonical,
    key: &[u8; KEY],
    rng: &mut impl Randomness,
) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    rng.fill(&mut nonce);
    sealing.seal(&nonce, aad, key)
}

fn open_master(
    sealing: &AeadKey,
    master: &SealedMaster,
    key: &mut Wiped<KEY>,
) -> Result<(), KeyError> {
    sealing
        .open_into(&master.0, &master_aad(), &mut **key)
        .ok_or(KeyError::WrongRootKey)
}

fn open_term(sealing: &AeadKey, sealed: &SealedTerm, key: &mut Wiped<KEY>) -> Result<(), KeyError> {
    let term = sealed.term;
    let opened = sealing.open_into(&sealed.sealed, &term_aad(term), &mut **key);
    opened.ok_or(KeyError::TermUnreadable { term })
}

fn master_aad() -> Canonical {
    Canonical::new("padclock/1 master")
}

fn term_aad(term: u32) -> Canonical {
    let mut aad = Canonical::new("padclock/1 term");
    aad.field(&term.to_be_bytes());
    aad
}

#[cfg(test)]
mod tests;
