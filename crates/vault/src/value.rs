//! The one type that holds a secret's plain bytes. Nothing here prints, serialises or compares them in
//! variable time; there is one public way to the bytes.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::wipe::wipe_all;

/// A secret value, or anything made from one: plain bytes, wiped when dropped.
///
/// It has no `Display`, no `Serialize` and no `Clone`; `Debug` prints `[REDACTED]` whatever the value
/// (the redaction contract, "Elsewhere").
///
/// ```compile_fail
/// println!("{}", padclock_vault::Value::new("x"));
/// ```
/// ```compile_fail
/// let _copy = padclock_vault::Value::new("x").clone();
/// ```
/// ```compile_fail
/// fn serialises<T: serde::Serialize>(_: T) {}
/// serialises(padclock_vault::Value::new("x"));
/// ```
pub struct Value(Vec<u8>);

impl Value {
    /// Takes the bytes over. A `Vec` or `String` is moved, not copied; a slice or `&str` is copied and the
    /// caller's own copy stays the caller's to wipe.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The one public way to the bytes. On clippy's disallowed list: each call outside this crate says why
    /// it needs them.
    #[inline]
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A second copy in memory, wiped on its own. Named so that a copy is never made by accident.
    #[must_use]
    pub fn duplicate(&self) -> Value {
        Self(self.0.clone())
    }

    /// Zeros, to be written by an opening in place.
    pub(crate) fn zeros(len: usize) -> Self {
        Self::new(vec![0; len])
    }

    /// The bytes, for this crate.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes to write to, for this crate. Never grows: growth would leave an unwiped copy behind.
    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Value {
    #[inline]
    fn drop(&mut self) {
        wipe_all(&mut self.0);
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl PartialEq for Value {
    /// In constant time for equal lengths; the length itself is not hidden.
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Value {}

#[cfg(test)]
mod tests;
