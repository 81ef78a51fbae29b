//! When tokens were last used: noted in memory by each call, written to the store in the background, once a minute at most.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use padclock_api::TokenId;
use padclock_job::Moment;

/// Tokens that were used since they were last written.
#[derive(Debug, Default)]
pub(crate) struct TokenUses(Mutex<HashMap<TokenId, Moment>>);

impl TokenUses {
    /// Notes a use.
    pub(crate) fn note(&self, token: TokenId, at: Moment) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.insert(token, at);
    }

    /// What is to be written; from now on it counts as written.
    pub(crate) fn take(&self) -> Vec<(TokenId, Moment)> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *uses).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_is_what_is_written_and_it_is_written_once() {
        let uses = TokenUses::default();
        let (one, other) = (TokenId::from_bytes([1; 16]), TokenId::from_bytes([2; 16]));
        for (token, at) in [(one, 1), (other, 2), (one, 3)] {
            uses.note(token, Moment::from_millis(at));
        }
        let mut taken = uses.take();
        taken.sort_unstable();
        assert_eq!(
            taken,
            [
                (one, Moment::from_millis(3)),
                (other, Moment::from_millis(2))
            ]
        );
        assert!(uses.take().is_empty());
    }
}
