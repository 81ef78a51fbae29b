//! Every word that a record's action may be. What is not here can't be written: a new action is a new line.

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What was done, or tried.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word that is stored and answered.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

actions! {
    /// A workspace was made.
    WorkspaceCreate = "workspace.create",
    /// A workspace's settings were changed.
    WorkspaceUpdate = "workspace.update",
    /// A secret was made.
    SecretCreate = "secret.create",
    /// A secret was given a new value.
    SecretReplace = "secret.replace",
    /// What is known about a secret was changed.
    SecretUpdate = "secret.update",
    /// A secret was deleted.
    SecretDelete = "secret.delete",
    /// An attempt was given secrets to use.
    SecretUse = "secret.use",
    /// A secret was not sent, because of its egress policy.
    SecretRefused = "secret.refused",
    /// A value was read back.
    SecretReveal = "secret.reveal",
    /// A secret's previous value was made the current one again.
    SecretRollBack = "secret.rollback",
    /// A secret's previous version was removed.
    SecretRetire = "secret.retire",
    /// A job was made.
    JobCreate = "job.create",
    /// A job was edited.
    JobUpdate = "job.update",
    /// A job's schedule was stopped.
    JobPause = "job.pause",
    /// A job's schedule was started again.
    JobResume = "job.resume",
    /// A job was deleted.
    JobDelete = "job.delete",
    /// An execution was started by hand.
    ExecutionStart = "execution.start",
    /// An execution was started again.
    ExecutionReplay = "execution.replay",
    /// An execution's end was asked for.
    ExecutionCancel = "execution.cancel",
    /// A result came after its lease was lost.
    ExecutionLateResult = "execution.late_result",
    /// A link that works once was made.
    LinkCreate = "link.create",
    /// Somebody has joined by an invitation.
    MemberJoin = "member.join",
    /// The owner was given a way to sign in.
    MemberSetUp = "member.set_up",
    /// Somebody has signed in.
    SessionOpen = "session.open",
    /// Somebody failed to sign in.
    SessionRefused = "session.refused",
    /// Somebody has signed out.
    SessionClose = "session.close",
    /// A command line was let in.
    PairingConfirm = "pairing.confirm",
    /// A token was made.
    TokenCreate = "token.create",
    /// A token was ended.
    TokenRevoke = "token.revoke",
    /// A service member was made.
    MemberCreate = "member.create",
    /// A member's role or grants were changed.
    MemberUpdate = "member.update",
    /// A member was removed.
    MemberRemove = "member.remove",
    /// An invitation was made.
    InvitationCreate = "invitation.create",
    /// An invitation was ended before anybody accepted it.
    InvitationRevoke = "invitation.revoke",
    /// An environment was made.
    EnvironmentCreate = "environment.create",
    /// An environment was removed.
    EnvironmentDelete = "environment.delete",
    /// The audit was exported.
    AuditExport = "audit.export",
    /// Tokens that nobody has were shown.
    TokenFailure = "token.failure",
    /// What is kept was searched for stored values.
    ScanHistory = "scan.history",
    /// A secret was given another egress policy.
    SecretPolicy = "secret.policy",
    /// A secret that had ended was wiped.
    SecretExpire = "secret.expire",
    /// A secret's next value has become due.
    SecretRotationDue = "secret.rotation_due",
    /// A change was asked for that a second admin decides.
    ApprovalRequest = "approval.request",
    /// What was asked for was approved, and done.
    ApprovalApprove = "approval.approve",
    /// What was asked for was rejected, or taken back.
    ApprovalReject = "approval.reject",
    /// A decision was tried that does not stand.
    ApprovalRefuse = "approval.refuse",
    /// Nobody decided in time.
    ApprovalExpire = "approval.expire",
    /// A key term was added.
    KeyRotate = "key.rotate",
    /// Data keys were moved to the current term.
    KeyRewrap = "key.rewrap",
    /// A term's key was destroyed.
    KeyRetire = "key.retire",
    /// Another root key was made ready, for a start to prove.
    RootKeyPrepare = "root_key.prepare",
    /// Another root key that was made ready was withdrawn.
    RootKeyWithdraw = "root_key.withdraw",
    /// A start has proved another root key, which has replaced the one before.
    RootKeyReplace = "root_key.replace",
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Action;

    #[test]
    fn words_are_unique_and_of_one_shape() {
        let mut words: Vec<_> = Action::ALL.iter().map(|action| action.word()).collect();
        let shaped = |word: &str| {
            let (of, what) = word.split_once('.').unwrap();
            [of, what].iter().all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            })
        };
        assert!(words.iter().all(|word| shaped(word)), "{words:?}");
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Action::ALL.len());
    }
}
