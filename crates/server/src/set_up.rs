//! The owner's set-up link: it works once, and gives the first owner a way to sign in.

use padclock_api::LinkId;
use padclock_job::Moment;
use padclock_store::{NewSetUpLink, Store, StoreError};
use padclock_vault::{Keyring, Label, Value, token};

use crate::random::{self, System};

/// How long a link can be used: a day, in milliseconds.
const LASTS: i64 = 86_400_000;

/// A link that was made just now, to be shown once.
#[derive(Debug)]
pub struct SetUpLink {
    base: String,
    key: Value,
    /// When it ends.
    pub expires_at: Moment,
}

impl SetUpLink {
    /// Where to go. Whoever has this text can become the owner: it is for the operator's own terminal.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the link is shown once, to the operator who started the server"
    )]
    pub fn address(&self) -> String {
        let key = std::str::from_utf8(self.key.expose()).unwrap_or_default();
        format!("{}/setup#{key}", self.base)
    }
}

#[expect(clippy::disallowed_methods, reason = "a link is hashed to be stored")]
fn lookup(keyring: &Keyring, key: &Value) -> [u8; 32] {
    let text = std::str::from_utf8(key.expose()).unwrap_or_default();
    token::link_lookup(keyring.derived(Label::TokenLookup), text)
}

/// Makes a link for the first owner of `default`; an earlier one ends.
pub(crate) async fn make(
    store: &Store,
    keyring: &Keyring,
    base: &str,
) -> Result<SetUpLink, StoreError> {
    let key = token::generate_link(&mut System::default());
    let id: LinkId = random::id(random::wall_clock());
    let link = NewSetUpLink {
        id,
        lookup: lookup(keyring, &key),
        lasts: LASTS,
    };
    let expires_at = store.put_set_up_link(link).await?;
    Ok(SetUpLink {
        base: base.trim_end_matches('/').to_owned(),
        key,
        expires_at,
    })
}
