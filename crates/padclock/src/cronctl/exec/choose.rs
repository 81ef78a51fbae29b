//! Which secret a name means, and which variable it goes to (the references contract, "Which secret a name means").

use padclock_api::secret::{ALL_ENVIRONMENTS, Scope, Secret};

/// Among whose secrets a name is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The caller's own, then the workspace's.
    Anyones,
    /// The workspace's alone.
    Workspaces,
}

/// The secret of this name that comes first: one's own in the environment, one's own for all, the workspace's in the environment,
/// the workspace's for all.
pub(super) fn choose<'s>(
    secrets: &'s [Secret],
    name: &str,
    environment: &str,
    whose: Whose,
) -> Option<&'s Secret> {
    let rank = |secret: &Secret| match (secret.scope, secret.environment == environment) {
        (Scope::User, true) => 0,
        (Scope::User, false) => 1,
        (Scope::Workspace, true) => 2,
        (Scope::Workspace, false) => 3,
    };
    let serves = |secret: &&Secret| {
        secret.environment == environment || secret.environment == ALL_ENVIRONMENTS
    };
    let fits = |secret: &&Secret| {
        secret.name == name && (whose == Whose::Anyones || secret.scope == Scope::Workspace)
    };
    secrets
        .iter()
        .filter(serves)
        .filter(fits)
        .min_by_key(|secret| rank(secret))
}

/// The workspace's secrets that serve an environment, each name once.
pub(super) fn all<'s>(secrets: &'s [Secret], environment: &str) -> Vec<&'s Secret> {
    let mut found: Vec<&Secret> = Vec::new();
    for secret in secrets {
        let first = choose(secrets, &secret.name, environment, Whose::Workspaces);
        if first.is_some_and(|first| first.id == secret.id) {
            found.push(secret);
        }
    }
    found
}

/// `STRIPE_KEY` of `stripe-key`: in capitals, with an underscore for what a variable's name can't hold.
pub(super) fn variable_of(name: &str) -> String {
    let letter = |c: char| {
        let upper = c.to_ascii_uppercase();
        if upper.is_ascii_uppercase() || upper.is_ascii_digit() {
            upper
        } else {
            '_'
        }
    };
    name.chars().map(letter).collect()
}

/// Whether a shell could read a variable of this name.
pub(super) fn is_variable(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use padclock_api::secret::Secret;
    use serde_json::json;

    use super::*;

    fn secret(number: u8, name: &str, environment: &str, scope: &str) -> Secret {
        serde_json::from_value(json!({
            "id": format!("sec_{number:0>26}"), "name": name, "environment": environment, "scope": scope, "version": 1,
            "created_at": "2026-03-15T10:00:00.000Z", "updated_at": "2026-03-15T10:00:00.000Z", "key_version": "v1",
            "description": null, "egress": null, "expires_at": null, "reveal": "allowed", "unmaskable": false,
            "rotate_every_days": null, "warnings": [],
        }))
        .unwrap()
    }

    #[test]
    fn the_order_is_that_of_the_references() {
        let mut secrets = vec![
            secret(4, "key", "workspace", "workspace"),
            secret(3, "key", "production", "workspace"),
            secret(2, "key", "workspace", "user"),
            secret(1, "key", "production", "user"),
            secret(9, "key", "staging", "user"),
            secret(8, "other", "production", "user"),
        ];
        let number = |secret: &Secret| {
            secret
                .id
                .to_string()
                .trim_start_matches("sec_")
                .trim_start_matches('0')
                .to_owned()
        };
        assert_eq!(
            choose(&secrets, "key", "production", Whose::Workspaces)
                .map(number)
                .as_deref(),
            Some("3")
        );
        let mut order = Vec::new();
        while let Some(first) = choose(&secrets, "key", "production", Whose::Anyones) {
            let id = first.id;
            order.push(number(first));
            secrets.retain(|secret| secret.id != id);
        }
        assert_eq!(order, ["1", "2", "3", "4"]);
        assert_eq!(
            choose(&secrets, "key", "production", Whose::Workspaces).map(number),
            None
        );
    }

    #[test]
    fn all_are_the_workspace_s_each_name_once() {
        let secrets = [
            secret(1, "a", "workspace", "workspace"),
            secret(2, "a", "production", "workspace"),
            secret(3, "b", "workspace", "workspace"),
            secret(4, "c", "staging", "workspace"),
            secret(5, "d", "workspace", "user"),
        ];
        let names = |environment| {
            all(&secrets, environment)
                .iter()
                .map(|secret| format!("{} {}", secret.name, secret.environment))
                .collect::<Vec<_>>()
        };
        assert_eq!(names("production"), ["a production", "b workspace"]);
        assert_eq!(
            names("staging"),
            ["a workspace", "b workspace", "c staging"]
        );
    }

    #[test]
    fn variables_are_named_after_secrets() {
        for (name, variable) in [
            ("stripe-key", "STRIPE_KEY"),
            ("a.b_c", "A_B_C"),
            ("É", "_"),
            ("DB2", "DB2"),
        ] {
            assert_eq!(variable_of(name), variable);
        }
        assert!(is_variable("_A1") && is_variable("path"));
        for name in ["", "1A", "A-B", "A B", "A=B", "É"] {
            assert!(!is_variable(name), "{name}");
        }
    }
}
