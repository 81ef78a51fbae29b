//! Egress policies: changed with a value or by a second admin, never otherwise, and asked for by a workspace.

use padclock_api::approval::{Approval, ApprovalState};
use padclock_api::secret::SecretPatch;
use padclock_api::{ApprovalId, SecretId, UserId};
use padclock_store::{
    Actor, Decided, Decision, NewApproval, NewVersion, NotDecided, Resealed, StoreError,
};
use padclock_vault::{EgressPolicy, SealPlace};

use crate::make::{elsewhere, stranger, unique, version, with_header};
use crate::world::{Seeded, World, on_both_engines};

on_both_engines!(
    a_policy_changes_with_a_value,
    an_approved_policy_is_the_values_new_seal,
    what_may_not_be_approved_is_refused_and_audited,
    a_decision_is_made_once,
    approvals_are_listed_by_state_and_page,
    a_workspace_can_ask_for_policies,
);

pub(crate) fn only(host: &str) -> EgressPolicy {
    EgressPolicy {
        hosts: vec![host.to_owned()],
        ..EgressPolicy::default()
    }
}

/// Makes the stranger a member with this role.
async fn member(world: &World, role: &str) -> UserId {
    let (workspace, user) = (
        world.hex(world.workspace.bytes()),
        world.hex(stranger().bytes()),
    );
    world
        .raw(&format!(
            "DELETE FROM members WHERE user_id = {user};
             INSERT INTO members (workspace_id, user_id, role, created_at) VALUES ({workspace}, {user}, '{role}', 1)"
        ))
        .await;
    stranger()
}

pub(crate) async fn proposed(
    world: &World,
    secret: SecretId,
    egress: Option<EgressPolicy>,
    by: UserId,
) -> Result<Approval, StoreError> {
    let new = NewApproval {
        id: ApprovalId::new(1, unique()),
        workspace: world.workspace,
        secret,
        egress,
        expected: None,
    };
    world.store.propose_policy(new, Actor::System, by).await
}

fn decision(world: &World, approval: &Approval, user: UserId) -> Decision {
    Decision {
        workspace: world.workspace,
        id: approval.id,
        user,
        actor: Actor::System,
    }
}

/// The current value under the proposed policy, as the server seals it.
async fn resealed(world: &World, approval: &Approval) -> Resealed {
    let stored = world
        .store
        .sealed_version(world.workspace, approval.target, world.owner)
        .await
        .unwrap();
    let egress = approval.proposal.egress.clone();
    let from = SealPlace {
        workspace: *stored.workspace.bytes(),
        secret: *stored.id.bytes(),
        version: stored.version,
        field: "value",
        policy_hash: stored.policy_hash,
    };
    let to = SealPlace {
        version: stored.version + 1,
        policy_hash: EgressPolicy::hash(egress.as_ref()),
        ..from
    };
    let sealed = world
        .keyring
        .reseal_value(&from, &to, &stored.sealed, &mut Seeded(77))
        .unwrap();
    Resealed {
        secret: approval.target,
        from_version: stored.version,
        egress,
        sealed,
    }
}

async fn approve(world: &World, approval: &Approval, user: UserId) -> Decided {
    let new = resealed(world, approval).await;
    world
        .store
        .approve_policy(decision(world, approval, user), new)
        .await
        .unwrap()
}

/// Approves as a second admin.
pub(crate) async fn approved_by_another(world: &World, approval: &Approval) {
    let admin = member(world, "admin").await;
    let decided = approve(world, approval, admin).await;
    assert!(matches!(decided, Decided::Done(_)), "{decided:?}");
}

async fn versions(world: &World) -> Vec<Vec<Option<String>>> {
    world
        .raw("SELECT version, created_at FROM secret_versions ORDER BY version")
        .await
}

async fn audited(world: &World, action: &str) -> Vec<String> {
    let rows = world
        .raw(&format!(
            "SELECT detail FROM audit WHERE action = '{action}' ORDER BY seq"
        ))
        .await;
    rows.into_iter()
        .map(|mut row| row.remove(0).unwrap())
        .collect()
}

async fn a_policy_changes_with_a_value(world: World) {
    let first = world.secret(world.new_secret("KEY", "value-one")).await;
    let id = first.secret.id;
    let second = world.replace(&world.store, &first, "value-two").await;
    let policy = only("api.example.com");
    let new = NewVersion {
        version: 3,
        unmaskable: false,
        short: false,
        egress: Some(Some(policy.clone())),
        ttl_seconds: None,
        sealed: version(&world, id, 3, "value-three", Some(&policy)),
    };
    let bound = world
        .store
        .replace_secret(world.workspace, id, new, Actor::System, world.owner)
        .await
        .unwrap();
    assert_eq!(bound.secret.egress.as_ref(), Some(&policy));
    assert_eq!(
        (bound.secret.version, bound.revision),
        (3, second.revision + 1)
    );
    // The version before it is sealed under another policy: there is no way back to it.
    assert_eq!(versions(&world).await.len(), 1);
    world.due_job(with_header("sync", "secret://KEY")).await;
    let claimed = world.claim_one().await;
    assert_eq!(world.open(&claimed.secrets[0].1), "value-three");
    let told = audited(&world, "secret.policy").await;
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("api.example.com") && told[0].contains(r#""policy_before":"anywhere""#),
        "{told:?}"
    );
    assert_eq!(audited(&world, "secret.replace").await.len(), 2);
}

async fn an_approved_policy_is_the_values_new_seal(world: World) {
    let admin = member(&world, "admin").await;
    let first = world.secret(world.new_secret("KEY", "value-one")).await;
    world.replace(&world.store, &first, "value-two").await;
    let before = versions(&world).await;
    let policy = only("api.example.com");
    let approval = proposed(&world, first.secret.id, Some(policy.clone()), world.owner)
        .await
        .unwrap();
    assert_eq!(approval.state, ApprovalState::Pending);
    assert_eq!(approval.target_name.as_deref(), Some("KEY"));
    assert_eq!(
        approval.expires_at.millis() - approval.created_at.millis(),
        7 * 86_400_000
    );
    // Asking changes nothing.
    let row = world
        .store
        .get_secret(world.workspace, first.secret.id, world.owner)
        .await
        .unwrap();
    assert_eq!((row.secret.egress, row.revision), (None, 2));

    let Decided::Done(done) = approve(&world, &approval, admin).await else {
        panic!("not approved")
    };
    assert_eq!(
        (done.state, done.decided_by),
        (ApprovalState::Approved, Some(admin))
    );
    let row = world
        .store
        .get_secret(world.workspace, first.secret.id, world.owner)
        .await
        .unwrap();
    assert_eq!(row.secret.egress.as_ref(), Some(&policy));
    assert_eq!((row.secret.version, row.revision), (3, 3));
    // One version is left, as old as the value is.
    let after = versions(&world).await;
    assert_eq!(after, [[Some("3".to_owned()), before[1][1].clone()]]);
    world.due_job(with_header("sync", "secret://KEY")).await;
    assert_eq!(
        world.open(&world.claim_one().await.secrets[0].1),
        "value-two"
    );
    for action in ["approval.request", "approval.approve", "secret.policy"] {
        assert_eq!(audited(&world, action).await.len(), 1, "{action}");
    }
}

async fn what_may_not_be_approved_is_refused_and_audited(world: World) {
    let admin = member(&world, "admin").await;
    let row = world.secret(world.new_secret("KEY", "value-one")).await;
    let id = row.secret.id;
    let ask = || proposed(&world, id, Some(only("a.example")), world.owner);
    let mut expected = Vec::new();
    let mut refused = async |approval: &Approval, user, why: NotDecided, word: &str| {
        let decided = approve(&world, approval, user).await;
        assert!(
            matches!(decided, Decided::Refused(told) if told == why),
            "{decided:?}"
        );
        expected.push(word.to_owned());
        let told = audited(&world, "approval.refuse").await;
        let last = format!(r#""result":"{word}""#);
        assert!(
            told.len() == expected.len() && told[told.len() - 1].contains(&last),
            "{told:?}"
        );
    };

    let approval = ask().await.unwrap();
    refused(
        &approval,
        world.owner,
        NotDecided::OwnProposal,
        "own_proposal",
    )
    .await;
    // Something else about the secret has changed: the second admin has seen another secret.
    let patch = SecretPatch {
        description: Some(Some("other".to_owned())),
        ..SecretPatch::default()
    };
    world
        .store
        .patch_secret(world.workspace, id, patch, None, Actor::System, world.owner)
        .await
        .unwrap();
    refused(
        &approval,
        admin,
        NotDecided::SecretChanged,
        "secret_changed",
    )
    .await;

    let approval = ask().await.unwrap();
    world
        .raw(&format!(
            "UPDATE approvals SET expires_at = 5 WHERE id = {}",
            world.hex(approval.id.bytes())
        ))
        .await;
    refused(&approval, admin, NotDecided::Closed, "closed").await;

    let approval = ask().await.unwrap();
    let rejected = world
        .store
        .reject_approval(decision(&world, &approval, admin))
        .await;
    assert!(matches!(rejected, Ok(Decided::Done(_))), "{rejected:?}");
    refused(&approval, admin, NotDecided::Closed, "closed").await;

    let by_admin = proposed(&world, id, Some(only("b.example")), admin)
        .await
        .unwrap();
    member(&world, "editor").await;
    refused(
        &by_admin,
        world.owner,
        NotDecided::ProposerGone,
        "proposer_gone",
    )
    .await;

    let approval = ask().await.unwrap();
    world.raw("UPDATE secrets SET expires_at = 5").await;
    refused(
        &approval,
        admin,
        NotDecided::SecretChanged,
        "secret_changed",
    )
    .await;
    let ended = ask().await;
    assert_eq!(ended.unwrap_err(), StoreError::Ended);

    let other = Decision {
        workspace: elsewhere(),
        ..decision(&world, &approval, admin)
    };
    let new = resealed(&world, &approval).await;
    let unknown = world.store.approve_policy(other, new).await;
    assert_eq!(unknown.unwrap_err(), StoreError::NotFound);
    let row = world
        .store
        .get_secret(world.workspace, id, world.owner)
        .await;
    assert_eq!(row.unwrap().secret.egress, None, "nothing of it was done");
    assert_eq!(audited(&world, "secret.policy").await.len(), 0);
}

async fn a_decision_is_made_once(world: World) {
    let admin = member(&world, "admin").await;
    let row = world.secret(world.new_secret("KEY", "value-one")).await;
    let approval = proposed(&world, row.secret.id, Some(only("a.example")), world.owner)
        .await
        .unwrap();
    let other = world.other_store().await;
    let (one, two) = (
        resealed(&world, &approval).await,
        resealed(&world, &approval).await,
    );
    let (first, second, third) = tokio::join!(
        world
            .store
            .approve_policy(decision(&world, &approval, admin), one),
        other.approve_policy(decision(&world, &approval, admin), two),
        other.reject_approval(decision(&world, &approval, admin)),
    );
    let done = [first, second, third]
        .into_iter()
        .filter(|decided| matches!(decided, Ok(Decided::Done(_))))
        .count();
    assert_eq!(done, 1);
    assert_eq!(versions(&world).await.len(), 1);
    let decided = audited(&world, "approval.approve").await.len()
        + audited(&world, "approval.reject").await.len();
    assert_eq!(decided, 1);
}

async fn approvals_are_listed_by_state_and_page(world: World) {
    let row = world.secret(world.new_secret("KEY", "value-one")).await;
    let mut made = Vec::new();
    for host in ["a.example", "b.example", "c.example"] {
        let approval = proposed(&world, row.secret.id, Some(only(host)), world.owner).await;
        made.push(approval.unwrap());
    }
    let taken_back = decision(&world, &made[1], world.owner);
    world.store.reject_approval(taken_back).await.unwrap();
    let list = |state, after, limit| {
        world
            .store
            .list_approvals(world.workspace, state, after, limit)
    };
    let ids = |found: Vec<Approval>| found.iter().map(|one| one.id).collect::<Vec<_>>();
    let all: Vec<_> = made.iter().map(|one| one.id).collect();
    assert_eq!(ids(list(None, None, 10).await.unwrap()), all);
    assert_eq!(ids(list(None, Some(all[0]), 1).await.unwrap()), [all[1]]);
    let pending = list(Some(ApprovalState::Pending), None, 10).await.unwrap();
    assert_eq!(ids(pending), [all[0], all[2]]);
    let elsewhere = world
        .store
        .list_approvals(elsewhere(), None, None, 10)
        .await
        .unwrap();
    assert!(elsewhere.is_empty());
    let unseen = world
        .store
        .get_approval(crate::make::elsewhere(), all[0])
        .await;
    assert_eq!(unseen.unwrap_err(), StoreError::NotFound);
}

async fn a_workspace_can_ask_for_policies(world: World) {
    let row = world.secret(world.new_secret("OLD", "value-one")).await;
    world.due_job(with_header("sync", "secret://OLD")).await;
    assert!(!world.claim_one().await.require_policy);
    world
        .raw(r#"UPDATE workspaces SET settings = '{"require_egress_policy": true, "other": 1}'"#)
        .await;
    world.due_job(with_header("sync", "secret://OLD")).await;
    assert!(world.claim_one().await.require_policy);
    let create = |new| world.store.create_secret(new, Actor::System, world.owner);
    let refused = create(world.new_secret("NEW", "value-one")).await;
    assert_eq!(refused.unwrap_err(), StoreError::PolicyRequired);
    let mut own = world.new_secret("NEW", "value-one");
    own.owner = Some(world.owner);
    assert_eq!(create(own).await.unwrap_err(), StoreError::PolicyRequired);
    let mut bound = world.new_secret("NEW", "value-one");
    bound.egress = Some(only("a.example"));
    let bound = create(bound).await.unwrap();

    let id = bound.secret.id;
    let unbinding = NewVersion {
        version: 2,
        unmaskable: false,
        short: false,
        egress: Some(None),
        ttl_seconds: None,
        sealed: version(&world, id, 2, "value-two", None),
    };
    let unbound = world
        .store
        .replace_secret(world.workspace, id, unbinding, Actor::System, world.owner)
        .await;
    assert_eq!(unbound.unwrap_err(), StoreError::PolicyRequired);
    assert_eq!(
        proposed(&world, id, None, world.owner).await.unwrap_err(),
        StoreError::PolicyRequired
    );
    // A new value for what has no policy yet still comes in; it goes nowhere.
    world.replace(&world.store, &row, "value-two").await;
    // Settings that can't be read ask for everything.
    world.raw("UPDATE workspaces SET settings = 'broken'").await;
    world.due_job(with_header("sync", "secret://OLD")).await;
    assert!(world.claim_one().await.require_policy);
}
