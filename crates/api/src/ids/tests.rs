//! Ids: both forms, order, refusals, and the one id of an occurrence.

use std::collections::HashSet;

use super::*;

#[test]
fn text_and_bytes_say_the_same() {
    let id = SecretId::new(1_773_568_800_000, [7; 10]);
    let text = id.to_string();
    assert_eq!(text.len(), "sec_".len() + 26);
    assert!(text.starts_with("sec_"));
    assert_eq!(text.parse::<SecretId>().unwrap(), id);
    assert_eq!(id.millis(), 1_773_568_800_000);
}

#[test]
fn order_is_the_order_of_time_in_both_forms() {
    let early = JobId::new(1_000, [255; 10]);
    let late = JobId::new(1_001, [0; 10]);
    assert!(early < late);
    assert!(early.to_string() < late.to_string());
}

#[test]
fn other_texts_are_refused() {
    let good = JobId::new(5, [1; 10]).to_string();
    let with_u = good.replacen('1', "u", 1);
    let upper = good.to_uppercase();
    let overflow = format!("cj_8{}", &good[4..]);
    let secret = good.replace("cj_", "sec_");
    for bad in [
        "",
        "cj_",
        "cj",
        "cj_123",
        &with_u,
        &upper,
        &overflow,
        &secret,
        &good[..good.len() - 1],
        "cj_\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
    ] {
        assert!(bad.parse::<JobId>().is_err(), "{bad:?} was taken for an id");
    }
}

#[test]
fn an_occurrence_has_one_id_and_shares_it_with_no_other() {
    let jobs = [
        JobId::new(1, [1; 10]),
        JobId::new(1, [2; 10]),
        JobId::new(2, [3; 10]),
    ];
    let mut seen = HashSet::new();
    for job in jobs {
        for generation in 1..50 {
            for scheduled in [0, 1_000, 2_000] {
                let id = ExecutionId::of_occurrence(job, generation, scheduled);
                assert_eq!(id, ExecutionId::of_occurrence(job, generation, scheduled));
                assert_eq!(id.millis(), scheduled);
                assert!(seen.insert(id));
            }
        }
    }
}

#[test]
fn the_uuid_of_an_execution_is_stable_and_well_formed() {
    let one = ExecutionId::new(1, [1; 10]);
    let two = ExecutionId::new(1, [2; 10]);
    assert_eq!(one.uuid(), one.uuid());
    assert_ne!(one.uuid(), two.uuid());
    let uuid = one.uuid();
    let parts: Vec<_> = uuid.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    assert_eq!(&uuid[14..15], "8");
}

#[test]
fn json_is_the_text() {
    let id = WorkspaceId::new(9, [9; 10]);
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, format!("\"{id}\""));
    assert_eq!(serde_json::from_str::<WorkspaceId>(&json).unwrap(), id);
    assert!(serde_json::from_str::<WorkspaceId>("\"ws_nope\"").is_err());
}
