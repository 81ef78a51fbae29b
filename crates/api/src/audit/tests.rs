//! Actors read back, ids that hold places, lines that survive the way, and signatures that cover every part.

use proptest::prelude::*;

use super::*;

const USER: &str = "usr_00000000000000000000000001";

#[test]
fn an_actor_is_read_as_it_was_written() {
    let member = AuditActor::of(&format!("{USER} tok_00000000000000000000000002 192.0.2.7"));
    assert_eq!(
        (member.kind.as_str(), member.from.as_deref()),
        ("member", Some("192.0.2.7"))
    );
    assert!(member.user.is_some() && member.token.is_some() && member.session.is_none());
    let session = AuditActor::of(&format!("{USER} ses_00000000000000000000000002 ::1"));
    assert!(session.token.is_none() && session.session.is_some());
    let node = AuditActor::of("node a name with blanks");
    assert_eq!(
        (node.kind.as_str(), node.node.as_deref()),
        ("node", Some("a name with blanks"))
    );
    let stranger = AuditActor::of("stranger 192.0.2.9");
    assert_eq!(
        (stranger.kind.as_str(), stranger.from.as_deref()),
        ("stranger", Some("192.0.2.9"))
    );
    assert_eq!(AuditActor::of("system").kind, "system");
    assert_eq!(AuditActor::of("something new").kind, "something new");
}

#[test]
fn a_line_keeps_its_detail_byte_for_byte() {
    let text = format!(
        r#"{{"workspace":"{}","seq":3,"at":"2026-03-15T10:00:00.123Z","actor":"system","action":"job.create","target":"cj_1","detail":{{"b":1, "a":"\u00e9"}},"tag":"00ff"}}"#,
        WorkspaceId::from_bytes([7; 16])
    );
    let line: AuditLine = serde_json::from_str(&text).unwrap();
    assert_eq!(line.detail.get(), r#"{"b":1, "a":"\u00e9"}"#);
    assert_eq!(line.tag, Hex(vec![0, 255]));
    assert_eq!(serde_json::to_string(&line).unwrap(), text);
}

proptest! {
    #[test]
    fn an_id_holds_its_place(seq in 1..i64::MAX, at in 0..(1_i64 << 47)) {
        let id = record_id(WorkspaceId::from_bytes([9; 16]), seq, Moment::from_millis(at));
        prop_assert_eq!(record_seq(id), seq);
        prop_assert_eq!(id.millis(), at);
    }

    #[test]
    fn hex_is_read_as_it_is_shown(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let hex = Hex(bytes);
        prop_assert_eq!(hex.to_string().parse(), Ok(hex));
    }
}

#[test]
fn odd_hex_is_refused() {
    for bad in ["0", "0g", "é"] {
        assert_eq!(bad.parse::<Hex>(), Err(BadHex), "{bad}");
    }
}
