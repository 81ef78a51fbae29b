//! Sealing of secret values: the value type, keys, seals, egress policies, opaque references and API
//! tokens. Pure: no clock, no environment, no storage, and no randomness but what is passed in. Nothing
//! here knows HTTP, SQL or who may do what.

mod aead;
mod canonical;
mod derive;
mod egress;
mod keyring;
mod random;
pub mod reference;
mod root;
mod seal;
mod sign;
#[cfg(test)]
mod testing;
pub mod token;
mod value;
mod wipe;

pub use derive::{DerivedKey, Label};
pub use egress::{EgressPolicy, Place, PolicyProblem, Refusal, Target};
pub use keyring::{Keyring, SealedMaster, SealedTerm};
pub use random::{Buffered, Randomness};
pub use root::{KeyError, RootKey};
pub use seal::{SealPlace, Sealed, Unreadable};
pub use sign::{BadPublicKey, PublicKey, SIGNATURE, SigningKey};
pub use value::Value;
