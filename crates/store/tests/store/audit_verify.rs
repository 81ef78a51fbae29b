//! What the verifier says of chains that someone has touched by SQL: which record, in which way.

use std::sync::Arc;

use padclock_api::audit::{AuditLine, SignedHead};
use padclock_api::{UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_store::{
    Action, Actor, AuditFilter, Chain, Detail, Fault, Kept, Report, Store, StoreError,
};
use padclock_vault::Label;

use crate::world::{Engine, World, on_both_engines};

on_both_engines!(
    an_untouched_chain_is_good,
    a_changed_byte_in_any_column_is_found,
    a_value_of_another_kind_is_found,
    removed_and_swapped_rows_are_found,
    a_cut_tail_is_found,
    a_touched_head_is_found,
    signatures_are_checked,
    a_chain_of_another_workspace_is_no_chain_of_this_one,
    a_chain_that_is_gone_or_too_much_is_found,
    it_is_verified_while_it_grows,
    the_list_is_filtered_and_paged,
    lines_are_the_chain,
);

/// Seven records beyond the two of the first start.
async fn filled(world: &World) {
    for number in 1..=7 {
        record(&world.store, world.workspace, number).await.unwrap();
    }
}

async fn record(store: &Store, workspace: WorkspaceId, number: u32) -> Result<(), StoreError> {
    let detail = Detail {
        version: Some(number),
        ..Detail::default()
    };
    let from = format!("192.0.2.{number}");
    let actor = Actor::Member {
        user: UserId::from_bytes([3; 16]),
        by: padclock_store::Credential::Token(padclock_api::TokenId::from_bytes([4; 16])),
        from,
    };
    let target = format!("sec_{}", number % 2);
    store
        .record(workspace, &actor, Action::SecretReveal, target, detail)
        .await
}

async fn faults(world: &World) -> Vec<Fault> {
    faults_beside(world, Vec::new()).await
}

async fn faults_beside(world: &World, outside: Vec<SignedHead>) -> Vec<Fault> {
    let reports = world.store.verify_audit(Some("default"), outside).await;
    reports.unwrap().remove(0).faults
}

/// Signs where the chains stand, as a node does each minute.
async fn signed(world: &World) -> Vec<SignedHead> {
    let (now, heads) = world.store.audit_heads().await.unwrap();
    let sign = |head: padclock_store::Head| {
        SignedHead::sign(
            world.keyring.signing(),
            head.workspace,
            head.seq,
            now,
            head.tag,
        )
    };
    let signed: Vec<_> = heads.into_iter().map(sign).collect();
    world.store.keep_signed_heads(signed.clone()).await.unwrap();
    signed
}

async fn an_untouched_chain_is_good(world: World) {
    filled(&world).await;
    let heads = signed(&world).await;
    world.store.keep_signed_heads(heads.clone()).await.unwrap();
    let newest = world.store.newest_signed_head(world.workspace).await;
    assert_eq!(newest.unwrap(), Some(heads[0].clone()));
    let (other, _) = world.other_workspace().await;
    let reports = world.store.verify_audit(None, heads).await.unwrap();
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(Report::is_good), "{reports:?}");
    assert_eq!((reports[0].records, reports[0].heads), (9, 2));
    assert_eq!(reports[0].name.as_deref(), Some("default"));
    assert!(reports[0].first <= reports[0].last);
    assert_eq!(
        (reports[1].records, &reports[1].workspace),
        (0, &other.to_string())
    );
    let unknown = world.store.verify_audit(Some("none"), Vec::new()).await;
    assert_eq!(unknown, Err(StoreError::NotFound));
    let locked = Store::open(&world.url).await.unwrap();
    let refused = locked.verify_audit(None, Vec::new()).await;
    assert_eq!(refused, Err(StoreError::AuditLocked));
}

async fn a_changed_byte_in_any_column_is_found(world: World) {
    filled(&world).await;
    let flipped = match world.engine {
        Engine::Sqlite => "tag = x'00' || substr(tag, 2)",
        Engine::Postgres => "tag = set_byte(tag, 0, (get_byte(tag, 0) + 1) % 256)",
    };
    let touches = [
        "at = at + 1",
        "actor = actor || ' '",
        "action = 'secret.update'",
        "target = 'sec_7'",
        "detail = replace(detail, '3', '4')",
        flipped,
    ];
    for touch in touches {
        world.raw("CREATE TABLE kept AS SELECT * FROM audit").await;
        world
            .raw(&format!("UPDATE audit SET {touch} WHERE seq = 5"))
            .await;
        assert_eq!(faults(&world).await, [Fault::Altered(5)], "{touch}");
        world
            .raw("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept")
            .await;
        assert_eq!(faults(&world).await, [], "{touch}, put back");
    }
    // The columns of the key: the record is missing where it was.
    world.raw("UPDATE audit SET seq = 100 WHERE seq = 5").await;
    let found = faults(&world).await;
    assert_eq!(found[0], Fault::Missing { from: 5, to: 5 });
    let beyond = Fault::HeadBehind { head: 9, last: 100 };
    assert!(found.contains(&beyond), "{found:?}");
    world.raw("UPDATE audit SET seq = 0 WHERE seq = 100").await;
    let found = faults(&world).await;
    assert_eq!(
        found,
        [Fault::OutOfOrder(0), Fault::Missing { from: 5, to: 5 }]
    );
    let elsewhere = world.hex(&[9; 16]);
    world
        .raw(&format!(
            "UPDATE audit SET workspace_id = {elsewhere} WHERE seq = 0"
        ))
        .await;
    let reports = world.store.verify_audit(None, Vec::new()).await.unwrap();
    assert_eq!(reports[0].faults, [Fault::Missing { from: 5, to: 5 }]);
    assert_eq!(reports[1].faults[0], Fault::UnknownWorkspace);
}

async fn a_value_of_another_kind_is_found(world: World) {
    if world.engine == Engine::Postgres {
        // Its columns have types of their own; a tag of another length is the most that there can be.
        filled(&world).await;
        world
            .raw("UPDATE audit SET tag = ''::bytea WHERE seq = 5")
            .await;
        assert_eq!(faults(&world).await, [Fault::Altered(5)]);
        return;
    }
    filled(&world).await;
    for touch in ["at = 'x'", "detail = x'00'", "tag = 'x'"] {
        world.raw("CREATE TABLE kept AS SELECT * FROM audit").await;
        world
            .raw(&format!("UPDATE audit SET {touch} WHERE seq = 5"))
            .await;
        assert_eq!(faults(&world).await[0], Fault::Altered(5), "{touch}");
        world
            .raw("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept")
            .await;
    }
    world.raw("UPDATE audit SET seq = 'x' WHERE seq = 5").await;
    let found = faults(&world).await;
    assert_eq!(
        found,
        [Fault::Unnumbered, Fault::Missing { from: 5, to: 5 }]
    );
}

async fn removed_and_swapped_rows_are_found(world: World) {
    filled(&world).await;
    world
        .raw(
            "UPDATE audit SET seq = 100 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5;
             UPDATE audit SET seq = 5 WHERE seq = 100",
        )
        .await;
    let moved = Fault::Moved {
        seq: 4,
        stands_at: 5,
    };
    assert_eq!(faults(&world).await, [Fault::Altered(4), moved]);
    world.raw("DELETE FROM audit WHERE seq IN (4, 5)").await;
    assert_eq!(faults(&world).await, [Fault::Missing { from: 4, to: 5 }]);
    world.raw("DELETE FROM audit WHERE seq = 1").await;
    assert_eq!(
        faults(&world).await,
        [
            Fault::Missing { from: 1, to: 1 },
            Fault::Missing { from: 4, to: 5 }
        ]
    );
}

async fn a_cut_tail_is_found(world: World) {
    filled(&world).await;
    let outside = signed(&world).await;
    world.raw("DELETE FROM audit WHERE seq > 6").await;
    let cut = Fault::Cut { last: 6, head: 9 };
    let beyond = |kept| Fault::CutBehindSigned {
        last: 6,
        seq: 9,
        kept,
    };
    assert_eq!(faults(&world).await, [cut, beyond(Kept::Database)]);
    // The head goes back with it: what was signed remembers.
    world
        .raw("UPDATE audit_heads SET seq = 6, tag = (SELECT tag FROM audit WHERE seq = 6)")
        .await;
    assert_eq!(faults(&world).await, [beyond(Kept::Database)]);
    // The signatures go as well: what was kept outside remembers.
    world.raw("DELETE FROM audit_signatures").await;
    assert_eq!(faults(&world).await, []);
    let told = faults_beside(&world, outside.clone()).await;
    assert_eq!(told, [beyond(Kept::File)]);
    // And it still does when the chain has grown beyond it again.
    for number in 1..=5 {
        record(&world.store, world.workspace, number).await.unwrap();
    }
    assert_eq!(faults(&world).await, []);
    let other = Fault::NotAsSigned {
        seq: 9,
        kept: Kept::File,
    };
    assert_eq!(faults_beside(&world, outside).await, [other]);
}

async fn a_touched_head_is_found(world: World) {
    filled(&world).await;
    world.raw("UPDATE audit_heads SET seq = 8").await;
    assert_eq!(
        faults(&world).await,
        [Fault::HeadBehind { head: 8, last: 9 }]
    );
    let other = world.hex(&[1; 32]);
    world
        .raw(&format!("UPDATE audit_heads SET seq = 9, tag = {other}"))
        .await;
    assert_eq!(faults(&world).await, [Fault::HeadForged(9)]);
    world.raw("DELETE FROM audit_heads").await;
    assert_eq!(faults(&world).await, [Fault::NoHead]);
}

async fn signatures_are_checked(world: World) {
    filled(&world).await;
    let mut outside = signed(&world).await;
    let none = world.hex(&[0; 64]);
    world
        .raw(&format!("UPDATE audit_signatures SET signature = {none}"))
        .await;
    let bad = |kept| Fault::BadSignature { seq: 9, kept };
    assert_eq!(faults(&world).await, [bad(Kept::Database)]);
    world.raw("DELETE FROM audit_signatures").await;
    outside[0].at = outside[0].at.plus_millis(1);
    assert_eq!(faults_beside(&world, outside).await, [bad(Kept::File)]);
}

async fn a_chain_of_another_workspace_is_no_chain_of_this_one(world: World) {
    filled(&world).await;
    let (other, _) = world.other_workspace().await;
    for number in 1..=9 {
        record(&world.store, other, number).await.unwrap();
    }
    let (this, that) = (world.hex(world.workspace.bytes()), world.hex(other.bytes()));
    world
        .raw(&format!(
            "DELETE FROM audit WHERE workspace_id = {this};
             INSERT INTO audit (workspace_id, seq, at, actor, action, target, detail, tag)
               SELECT {this}, seq, at, actor, action, target, detail, tag FROM audit WHERE workspace_id = {that};
             UPDATE audit_heads SET tag = (SELECT tag FROM audit WHERE workspace_id = {that} AND seq = 9)
               WHERE workspace_id = {this}"
        ))
        .await;
    let reports = world.store.verify_audit(None, Vec::new()).await.unwrap();
    assert_eq!(reports[0].faults[0], Fault::Altered(1));
    assert!(reports[1].is_good());
}

async fn a_chain_that_is_gone_or_too_much_is_found(world: World) {
    filled(&world).await;
    let outside = signed(&world).await;
    let (other, _) = world.other_workspace().await;
    record(&world.store, other, 1).await.unwrap();
    let that = world.hex(other.bytes());
    world
        .raw(&format!("DELETE FROM workspaces WHERE id = {that}"))
        .await;
    let reports = world
        .store
        .verify_audit(None, outside.clone())
        .await
        .unwrap();
    assert!(reports[0].is_good());
    assert_eq!(reports[1].faults, [Fault::UnknownWorkspace]);
    world
        .raw(&format!(
            "DELETE FROM audit_heads WHERE workspace_id = {that}; DELETE FROM audit WHERE workspace_id = {that}"
        ))
        .await;
    world
        .raw("DELETE FROM audit; DELETE FROM audit_heads; DELETE FROM audit_signatures")
        .await;
    assert_eq!(faults(&world).await, [Fault::NoChain]);
    // The workspace is gone with its chain: only the heads outside remember it.
    world.raw("DELETE FROM workspaces").await;
    let reports = world.store.verify_audit(None, outside).await.unwrap();
    let gone = Fault::CutBehindSigned {
        last: 0,
        seq: 9,
        kept: Kept::File,
    };
    assert_eq!(reports[0].faults[0], Fault::UnknownWorkspace);
    assert!(reports[0].faults.contains(&gone), "{reports:?}");
}

async fn it_is_verified_while_it_grows(world: World) {
    let store = Arc::clone(&world.store);
    let workspace = world.workspace;
    let writer = tokio::spawn(async move {
        for number in 1..=200 {
            record(&store, workspace, number).await.unwrap();
        }
    });
    let second = world.other_store().await;
    while !writer.is_finished() {
        signed(&world).await;
        let reports = second.verify_audit(None, Vec::new()).await.unwrap();
        assert!(reports[0].is_good(), "{reports:?}");
    }
    writer.await.unwrap();
    assert_eq!(faults(&world).await, []);
}

async fn the_list_is_filtered_and_paged(world: World) {
    filled(&world).await;
    let list = async |filter: AuditFilter, limit| {
        let found = world.store.list_audit(world.workspace, filter, limit).await;
        let page = found.unwrap();
        let seqs: Vec<i64> = page.records.iter().map(|record| record.seq).collect();
        (seqs, page.next)
    };
    let all = AuditFilter::default;
    let (first, next) = list(all(), 4).await;
    assert_eq!(first, [9, 8, 7, 6]);
    let before = next.map(|(seq, _)| seq);
    let rest = list(AuditFilter { before, ..all() }, 100).await;
    assert_eq!(rest, (vec![5, 4, 3, 2, 1], None));
    let text = |text: &str| Some(text.to_owned());
    let action = AuditFilter {
        action: text("token.create"),
        ..all()
    };
    assert_eq!(list(action, 9).await, (vec![2], None));
    let family = AuditFilter {
        action: text("secret."),
        target: text("sec_1"),
        ..all()
    };
    assert_eq!(list(family, 9).await.0, [9, 7, 5, 3]);
    let actor = AuditFilter {
        actor: text("192.0.2.4"),
        ..all()
    };
    assert_eq!(list(actor, 9).await.0, [6]);
    let user = AuditFilter {
        actor: text(&UserId::from_bytes([3; 16]).to_string()),
        ..all()
    };
    assert_eq!(list(user, 9).await.0.len(), 7);
    world.raw("UPDATE audit SET at = seq * 10000000").await;
    let span = AuditFilter {
        from: Some(Moment::from_millis(30_000_000)),
        to: Some(Moment::from_millis(60_000_000)),
        ..all()
    };
    assert_eq!(list(span, 9).await, (vec![5, 4, 3], None));
    let record = world.store.list_audit(world.workspace, all(), 1).await;
    let record = record.unwrap().records.remove(0);
    assert_eq!(padclock_api::audit::record_seq(record.id), 9);
    assert_eq!(record.detail["version"], 7);
}

async fn lines_are_the_chain(world: World) {
    filled(&world).await;
    let mut lines = world
        .store
        .audit_lines(world.workspace, 0, 5)
        .await
        .unwrap();
    let rest = world.store.audit_lines(world.workspace, 5, 50).await;
    lines.extend(rest.unwrap());
    assert_eq!(lines.len(), 9);
    let public = world.keyring.signing().public();
    let walk = |lines: &[AuditLine]| {
        let key = world.keyring.derived(Label::Audit);
        let mut chain = Chain::new(key, &public, world.workspace, None, Vec::new());
        for line in lines {
            let text = serde_json::to_string(line).unwrap();
            let line: AuditLine = serde_json::from_str(&text).unwrap();
            chain.take(line.into());
        }
        chain.finish(None).faults
    };
    assert_eq!(walk(&lines), []);
    lines[3].target.push('x');
    assert_eq!(walk(&lines), [Fault::Altered(4)]);
}
