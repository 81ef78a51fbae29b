//! The order in which a name finds its secret.

use super::*;

fn secret(owner: Option<UserId>, environment: &str) -> Arc<SealedSecret> {
    Arc::new(SealedSecret {
        id: SecretId::from_bytes([1; 16]),
        workspace: WorkspaceId::from_bytes([2; 16]),
        owner,
        name: "KEY".to_owned(),
        environment: environment.to_owned(),
        version: 1,
        expires_at: None,
        egress: None,
        policy_hash: EgressPolicy::hash(None),
        sealed: Sealed {
            term: 1,
            origin_term: 1,
            wrapped_key: Vec::new(),
            ciphertext: Vec::new(),
        },
    })
}

fn reference(syntax: RefSyntax) -> SecretRef {
    SecretRef {
        syntax,
        name: "KEY".to_owned(),
    }
}

#[test]
fn the_narrowest_secret_wins() {
    let me = UserId::from_bytes([3; 16]);
    let other = UserId::from_bytes([4; 16]);
    let all = [
        secret(Some(me), "production"),
        secret(Some(me), EVERY),
        secret(None, "production"),
        secret(None, EVERY),
        secret(Some(other), "production"),
        secret(None, "staging"),
    ];
    let asker = Asker {
        owner: me,
        environment: "production",
        now: Moment::from_millis(0),
    };
    for first in 0..4 {
        let left = &all[first..];
        let chosen = choose(left, &reference(RefSyntax::Braces), asker).unwrap();
        assert!(
            Arc::ptr_eq(&chosen, &all[first]),
            "with the first {first} gone"
        );
    }
    assert!(choose(&all[4..], &reference(RefSyntax::Braces), asker).is_none());
}

#[test]
fn secret_uris_see_the_workspaces_alone() {
    let me = UserId::from_bytes([3; 16]);
    let all = [secret(Some(me), "production"), secret(None, EVERY)];
    let asker = Asker {
        owner: me,
        environment: "production",
        now: Moment::from_millis(0),
    };
    let chosen = choose(&all, &reference(RefSyntax::Uri), asker).unwrap();
    assert!(Arc::ptr_eq(&chosen, &all[1]));
    assert!(choose(&all[..1], &reference(RefSyntax::Uri), asker).is_none());
}

#[test]
fn one_that_has_ended_is_absent_and_hides_a_wider_one() {
    let me = UserId::from_bytes([3; 16]);
    let mut narrow = SealedSecret::clone(&secret(None, "production"));
    narrow.expires_at = Some(Moment::from_millis(1_000));
    let all = [Arc::new(narrow), secret(None, EVERY)];
    let asker = |now| Asker {
        owner: me,
        environment: "production",
        now: Moment::from_millis(now),
    };
    assert!(choose(&all, &reference(RefSyntax::Braces), asker(999)).is_some());
    assert!(choose(&all, &reference(RefSyntax::Braces), asker(1_000)).is_none());
}
