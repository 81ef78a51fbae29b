//! What may be done, and who may do it: roles, and permissions as types that a handler's signature names.

pub(crate) use padclock_api::Role;

/// Something that a role may or may not do; named in the handler's signature.
pub(crate) trait Permission: Send + Sync + 'static {
    /// What it is called in refusals, in grants and in a token's list.
    const NAME: &'static str;
    /// The least role that has it.
    const LEAST: Role;
    /// The least role that can be granted it.
    const GRANTED: Role;
}

/// Whether who is given one permission has another: writing the workspace's secrets includes writing one's own.
pub(crate) fn includes(given: &str, asked: &str) -> bool {
    given == asked || (given, asked) == (WriteSecrets::NAME, OwnSecrets::NAME)
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal from $least:ident granted $granted:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) enum $name {}
            impl Permission for $name {
                const NAME: &'static str = $word;
                const LEAST: Role = Role::$least;
                const GRANTED: Role = Role::$granted;
            }
        )*
        /// Every permission's word: what a token's list may hold.
        pub(crate) const WORDS: &[&str] = &[$($word),*];
        /// The words of all that a role has.
        pub(crate) fn of_role(role: Role) -> impl Iterator<Item = &'static str> {
            [$(($word, Role::$least)),*]
                .into_iter()
                .filter(move |(_, least)| role >= *least)
                .map(|(word, _)| word)
        }
        /// Those that can be granted beyond a role.
        pub(crate) fn grantable() -> impl Iterator<Item = &'static str> {
            [$(($word, Role::$least, Role::$granted)),*]
                .into_iter()
                .filter(|(_, least, granted)| granted < least)
                .map(|(word, ..)| word)
        }
        /// Whether someone has the permission that a word means. A word that means none is nobody's.
        pub(crate) fn has_word(identity: &super::Identity, word: &str) -> bool {
            match word {
                $($word => identity.has::<$name>(),)*
                _ => false,
            }
        }
    };
}

permissions! {
    /// See metadata, jobs and executions.
    Read = "read" from Viewer granted Viewer;
    /// Create, replace and delete one's own secrets.
    OwnSecrets = "secrets:own" from Viewer granted Viewer;
    /// Create, replace and delete the workspace's secrets.
    WriteSecrets = "secrets:write" from Editor granted Editor;
    /// Read a value back.
    Reveal = "secrets:reveal" from Owner granted Editor;
    /// Change where a secret may be sent.
    Policy = "secrets:policy" from Admin granted Admin;
    /// Write and start jobs.
    WriteJobs = "jobs:write" from Editor granted Editor;
    /// Make, see and end one's own tokens and sessions.
    OwnTokens = "tokens:own" from Viewer granted Viewer;
    /// See and end the tokens of others.
    ManageTokens = "tokens:manage" from Admin granted Admin;
    /// Invite members, change their roles, remove them.
    ManageMembers = "members:manage" from Admin granted Admin;
    /// Change the workspace's settings and environments.
    ManageWorkspace = "workspace:manage" from Admin granted Admin;
    /// Read and export the audit.
    ReadAudit = "audit:read" from Admin granted Admin;
    /// Search what is kept for stored values.
    ScanHistory = "scan:history" from Admin granted Admin;
}

/// What a credential of one environment can have: all else reaches beyond it.
const OF_ONE_ENVIRONMENT: &[&str] = &[
    Read::NAME,
    OwnSecrets::NAME,
    WriteSecrets::NAME,
    Reveal::NAME,
    Policy::NAME,
    WriteJobs::NAME,
    OwnTokens::NAME,
];

/// Whether a credential of one environment can have this permission.
pub(crate) fn within_one_environment(word: &str) -> bool {
    OF_ONE_ENVIRONMENT.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_revealing_is_granted_beyond_a_role() {
        assert_eq!(grantable().collect::<Vec<_>>(), ["secrets:reveal"]);
    }

    #[test]
    fn words_are_unique_and_roles_are_read_as_they_are_written() {
        let mut words = WORDS.to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), WORDS.len());
        for role in Role::ALL {
            assert_eq!(Role::of(role.word()), Some(role));
        }
        assert_eq!(Role::of("root"), None);
    }
}
