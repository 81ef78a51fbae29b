//! What the verifier says of chains that were touched, and that it says nothing of those that were not.

use padclock_vault::{Keyring, Label, Randomness, RootKey};
use proptest::prelude::*;

use super::*;

struct Counting(u8);

impl Randomness for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(7);
            *byte = self.0;
        }
    }
}

fn keyring() -> Keyring {
    let mut random = Counting(1);
    let root = RootKey::generate(&mut random);
    Keyring::create(&root, &mut random).0
}

const HERE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);

fn chain(keys: &Keyring, length: i64) -> Vec<Record> {
    let mut previous = Vec::new();
    let record = |seq| {
        let mut record = Record {
            seq,
            at: 1_000 + seq,
            actor: "system".to_owned(),
            action: "secret.use".to_owned(),
            target: format!("exec_{seq}"),
            detail: "{}".to_owned(),
            tag: Vec::new(),
        };
        record.tag = record
            .expected(keys.derived(Label::Audit), HERE, &previous)
            .to_vec();
        previous.clone_from(&record.tag);
        record
    };
    (1..=length).map(record).collect()
}

fn signed(keys: &Keyring, record: &Record) -> SignedHead {
    let at = Moment::from_millis(record.at);
    SignedHead::sign(keys.signing(), HERE, record.seq, at, record.tag.clone())
}

fn head(records: &[Record]) -> Option<Option<(i64, Vec<u8>)>> {
    Some(records.last().map(|last| (last.seq, last.tag.clone())))
}

fn walk(
    keys: &Keyring,
    records: &[Record],
    heads: Vec<(SignedHead, Kept)>,
    head: Option<Option<(i64, Vec<u8>)>>,
) -> Report {
    let public = keys.signing().public();
    let mut chain = Chain::new(keys.derived(Label::Audit), &public, HERE, None, heads);
    for record in records {
        chain.take(record.clone());
    }
    chain.finish(head)
}

#[test]
fn a_whole_chain_is_good() {
    let keys = keyring();
    let records = chain(&keys, 9);
    let heads = [3, 3, 8].map(|at| (signed(&keys, &records[at]), Kept::Database));
    let report = walk(&keys, &records, heads.to_vec(), head(&records));
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!((report.records, report.heads), (9, 3));
    assert_eq!(report.last, Some(Moment::from_millis(1_009)));
    assert!(walk(&keys, &records, Vec::new(), None).is_good());
}

#[test]
fn a_touched_record_is_the_only_one_that_is_told() {
    let keys = keyring();
    let touch: [fn(&mut Record); 6] = [
        |record| record.at += 1,
        |record| record.actor.push('x'),
        |record| record.action = "secret.update".to_owned(),
        |record| record.target.clear(),
        |record| record.detail = "{ }".to_owned(),
        |record| record.tag[31] ^= 1,
    ];
    for (number, touch) in touch.iter().enumerate() {
        let mut records = chain(&keys, 9);
        touch(&mut records[4]);
        let report = walk(&keys, &records, Vec::new(), head(&records));
        assert_eq!(report.faults, [Fault::Altered(5)], "touch {number}");
    }
}

#[test]
fn removed_and_repeated_records_are_told() {
    let keys = keyring();
    let whole = chain(&keys, 9);
    let mut records = whole.clone();
    records.drain(3..5);
    let report = walk(&keys, &records, Vec::new(), head(&whole));
    assert_eq!(report.faults, [Fault::Missing { from: 4, to: 5 }]);
    let mut records = whole.clone();
    records.insert(4, whole[3].clone());
    let report = walk(&keys, &records, Vec::new(), head(&whole));
    assert_eq!(report.faults, [Fault::OutOfOrder(4)]);
    let first = walk(&keys, &whole[1..], Vec::new(), head(&whole));
    assert_eq!(first.faults, [Fault::Missing { from: 1, to: 1 }]);
}

#[test]
fn swapped_records_are_told_as_moved() {
    let keys = keyring();
    for (one, other) in [(2, 3), (2, 6)] {
        let mut records = chain(&keys, 9);
        records.swap(one, other);
        let (first, second) = (one as i64 + 1, other as i64 + 1);
        (records[one].seq, records[other].seq) = (first, second);
        let report = walk(&keys, &records, Vec::new(), head(&records));
        assert_eq!(report.faults[0], Fault::Altered(first));
        let moved = Fault::Moved {
            seq: first,
            stands_at: second,
        };
        assert!(report.faults.contains(&moved), "{:?}", report.faults);
    }
}

#[test]
fn a_cut_tail_is_told_by_whatever_remembers_it() {
    let keys = keyring();
    let whole = chain(&keys, 9);
    let cut = &whole[..6];
    let by_head = walk(&keys, cut, Vec::new(), head(&whole));
    assert_eq!(by_head.faults, [Fault::Cut { last: 6, head: 9 }]);
    // The head was moved back too, and the signatures in the database were deleted: the heads outside tell.
    let outside = vec![
        (signed(&keys, &whole[4]), Kept::File),
        (signed(&keys, &whole[7]), Kept::File),
    ];
    let by_file = walk(&keys, cut, outside, head(cut));
    let beyond = Fault::CutBehindSigned {
        last: 6,
        seq: 8,
        kept: Kept::File,
    };
    assert_eq!((by_file.faults, by_file.heads), (vec![beyond], 1));
    // Nothing that remembers, nothing that tells: the documented limit.
    assert!(walk(&keys, cut, Vec::new(), head(cut)).is_good());
}

#[test]
fn heads_that_are_not_the_chains_are_told() {
    let keys = keyring();
    let records = chain(&keys, 5);
    let none = walk(&keys, &records, Vec::new(), Some(None));
    assert_eq!(none.faults, [Fault::NoHead]);
    assert_eq!(
        walk(&keys, &[], Vec::new(), Some(None)).faults,
        [Fault::NoChain]
    );
    assert!(walk(&keys, &[], Vec::new(), Some(Some((0, Vec::new())))).is_good());
    let forged = walk(&keys, &records, Vec::new(), Some(Some((5, vec![1; 32]))));
    assert_eq!(forged.faults, [Fault::HeadForged(5)]);
    let behind = walk(&keys, &records, Vec::new(), head(&records[..3]));
    assert_eq!(behind.faults, [Fault::HeadBehind { head: 3, last: 5 }]);
    let mut bad = signed(&keys, &records[2]);
    bad.signature.0[0] ^= 1;
    let report = walk(&keys, &records, vec![(bad, Kept::Database)], head(&records));
    assert_eq!(
        report.faults,
        [Fault::BadSignature {
            seq: 3,
            kept: Kept::Database
        }]
    );
    let mut other = records[2].clone();
    other.tag[0] ^= 1;
    let report = walk(
        &keys,
        &records,
        vec![(signed(&keys, &other), Kept::File)],
        head(&records),
    );
    assert_eq!(
        report.faults,
        [Fault::NotAsSigned {
            seq: 3,
            kept: Kept::File
        }]
    );
}

#[test]
fn another_workspaces_chain_does_not_pass_for_this_ones() {
    let keys = keyring();
    let records = chain(&keys, 3);
    let public = keys.signing().public();
    let there = WorkspaceId::from_bytes([2; 16]);
    let mut chain = Chain::new(keys.derived(Label::Audit), &public, there, None, Vec::new());
    records.iter().for_each(|record| chain.take(record.clone()));
    assert_eq!(chain.finish(head(&records)).faults[0], Fault::Altered(1));
}

#[test]
fn many_faults_are_counted() {
    let keys = keyring();
    let mut records = chain(&keys, 200);
    records.iter_mut().for_each(|record| record.target.clear());
    let report = walk(&keys, &records, Vec::new(), head(&records));
    assert_eq!((report.faults.len(), report.more_faults), (50, 150));
}

/// What can be done to a chain by who can write the table.
#[derive(Debug, Clone)]
enum Touch {
    Flip {
        at: usize,
        column: u8,
        byte: usize,
        bit: u8,
    },
    Remove {
        at: usize,
    },
    Swap {
        one: usize,
        other: usize,
    },
    Copy {
        from: usize,
        to: usize,
    },
    Cut {
        to: usize,
    },
}

fn touch(length: usize) -> impl Strategy<Value = Touch> {
    let place = 0..length;
    prop_oneof![
        (place.clone(), 0..6_u8, any::<usize>(), 0..7_u8).prop_map(|(at, column, byte, bit)| {
            Touch::Flip {
                at,
                column,
                byte,
                bit,
            }
        }),
        place.clone().prop_map(|at| Touch::Remove { at }),
        (place.clone(), place.clone()).prop_map(|(one, other)| Touch::Swap { one, other }),
        (place.clone(), place.clone()).prop_map(|(from, to)| Touch::Copy { from, to }),
        place.prop_map(|to| Touch::Cut { to }),
    ]
}

fn flip(text: &mut String, byte: usize, bit: u8) {
    let mut bytes = std::mem::take(text).into_bytes();
    let at = byte % bytes.len();
    bytes[at] ^= 1 << bit;
    *text = String::from_utf8(bytes).unwrap();
}

fn touched(records: &mut Vec<Record>, touch: &Touch) {
    match *touch {
        Touch::Flip {
            at,
            column,
            byte,
            bit,
        } => {
            let record = &mut records[at];
            match column {
                0 => record.at ^= 1 << bit,
                1 => flip(&mut record.actor, byte, bit),
                2 => flip(&mut record.action, byte, bit),
                3 => flip(&mut record.target, byte, bit),
                4 => flip(&mut record.detail, byte, bit),
                _ => record.tag[byte % 32] ^= 1 << bit,
            }
        }
        Touch::Remove { at } => drop(records.remove(at)),
        Touch::Swap { one, other } => {
            let (first, second) = (records[one].seq, records[other].seq);
            records.swap(one, other);
            (records[one].seq, records[other].seq) = (first, second);
        }
        Touch::Copy { from, to } => {
            let seq = records[to].seq;
            records[to] = Record {
                seq,
                ..records[from].clone()
            };
        }
        Touch::Cut { to } => records.truncate(to),
    }
}

proptest! {
    #[test]
    fn whatever_is_done_to_a_signed_chain_is_found(touch in touch(12)) {
        let keys = keyring();
        let whole = chain(&keys, 12);
        let outside = vec![(signed(&keys, &whole[11]), Kept::File)];
        let mut records = whole.clone();
        touched(&mut records, &touch);
        // The head is made to fit, as who can write the table can write it too.
        let head = records.last().map_or((0, Vec::new()), |last| (last.seq, last.tag.clone()));
        let report = walk(&keys, &records, outside, Some(Some(head)));
        prop_assert_eq!(report.is_good(), records == whole, "{:?}", report.faults);
        if let Some(first) = report.faults.first() {
            let differs = (0..12).find(|at| records.get(*at) != whole.get(*at)).unwrap() as i64 + 1;
            prop_assert_eq!(first.seq(), Some(differs), "{:?}", report.faults);
        }
    }
}
