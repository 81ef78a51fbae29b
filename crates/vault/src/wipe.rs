//! Byte arrays that are wiped when dropped. Wiping is a plain fill behind `zeroize`'s optimisation barrier:
//! many bytes at once, where a volatile write goes byte by byte.

use std::ops::{Deref, DerefMut};

use zeroize::optimization_barrier;

/// Secret bytes on the stack. Filled in place and never returned by value, since a move may leave a copy
/// behind.
pub(crate) struct Wiped<const N: usize>([u8; N]);

impl<const N: usize> Wiped<N> {
    /// Zeros, to be filled.
    #[inline]
    pub(crate) fn zeros() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Deref for Wiped<N> {
    type Target = [u8; N];

    #[inline]
    fn deref(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> DerefMut for Wiped<N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> Drop for Wiped<N> {
    #[inline]
    fn drop(&mut self) {
        self.0 = [0; N];
        optimization_barrier(&self.0);
    }
}

/// Wipes all that a vector has allocated, its spare capacity too.
#[inline]
pub(crate) fn wipe_all(bytes: &mut Vec<u8>) {
    let all = bytes.capacity();
    bytes.clear();
    bytes.resize(all, 0);
    optimization_barrier(bytes.as_slice());
}

#[cfg(test)]
mod tests;
