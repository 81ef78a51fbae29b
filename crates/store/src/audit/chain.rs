//! The verifier: walks a chain's records in order and says what is wrong with it. No database here, and no way to write.

use std::collections::VecDeque;
use std::fmt;

use padclock_api::WorkspaceId;
use padclock_api::audit::{AuditLine, SignedHead};
use padclock_job::Moment;
use padclock_vault::{DerivedKey, PublicKey};
use serde::{Serialize, Serializer};

/// Faults that are told one by one; more are counted.
const TOLD: usize = 50;
/// Signatures that are checked per chain, newest first: each covers all that came before it.
const SIGNATURES: usize = 20_000;
/// Tags that the next record may follow while records do not fit.
const NEAR: usize = 16;

/// A record as it stands in the database or in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place.
    pub seq: i64,
    /// Milliseconds since the Unix epoch.
    pub at: i64,
    /// Who acted.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// What else is known, as JSON.
    pub detail: String,
    /// Its tag.
    pub tag: Vec<u8>,
}

impl Record {
    /// The tag that it should have in this workspace's chain after `previous`.
    #[must_use]
    pub(crate) fn expected(
        &self,
        key: &DerivedKey,
        workspace: WorkspaceId,
        previous: &[u8],
    ) -> [u8; 32] {
        key.mac(&[
            previous,
            workspace.bytes(),
            &self.seq.to_be_bytes(),
            &self.at.to_be_bytes(),
            self.actor.as_bytes(),
            self.action.as_bytes(),
            self.target.as_bytes(),
            self.detail.as_bytes(),
        ])
    }
}

impl From<AuditLine> for Record {
    fn from(line: AuditLine) -> Self {
        Self {
            seq: line.seq,
            at: line.at.millis(),
            actor: line.actor,
            action: line.action,
            target: line.target,
            detail: line.detail.get().to_owned(),
            tag: line.tag.0,
        }
    }
}

/// Where a signed head was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// In the database, beside the chain.
    Database,
    /// Outside of it, in a file.
    File,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "in the database",
            Self::File => "in the heads file",
        })
    }
}

/// What is wrong with a chain, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The record is not what was written there, or does not follow the one before it.
    Altered(i64),
    /// Records are not there.
    Missing {
        /// The first one.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// A record stands in another one's place.
    Moved {
        /// Where it belongs.
        seq: i64,
        /// Where it is.
        stands_at: i64,
    },
    /// A record stands where there should be none: below 1, or a second time.
    OutOfOrder(i64),
    /// A record without a number for its place.
    Unnumbered,
    /// The chain ends early: its head tells of more.
    Cut {
        /// The last record.
        last: i64,
        /// What the head says.
        head: i64,
    },
    /// There are records beyond the head.
    HeadBehind {
        /// What the head says.
        head: i64,
        /// The last record.
        last: i64,
    },
    /// The head's tag is not the last record's.
    HeadForged(i64),
    /// There is no head.
    NoHead,
    /// A workspace has no chain at all.
    NoChain,
    /// The chain is of a workspace that is not there.
    UnknownWorkspace,
    /// A head's signature is not the key's.
    BadSignature {
        /// The head's place.
        seq: i64,
        /// Where it was found.
        kept: Kept,
    },
    /// A head that was signed tells of more records than there are: the tail was cut.
    CutBehindSigned {
        /// The last record.
        last: i64,
        /// The signed head's place.
        seq: i64,
        /// Where it was found.
        kept: Kept,
    },
    /// The record is not the one whose tag was signed.
    NotAsSigned {
        /// The place.
        seq: i64,
        /// Where the head was found.
        kept: Kept,
    },
}

impl Fault {
    /// The first place that it is about; none where it is about the whole chain.
    #[must_use]
    pub fn seq(&self) -> Option<i64> {
        match *self {
            Self::Altered(seq) | Self::OutOfOrder(seq) | Self::HeadForged(seq) => Some(seq),
            Self::Missing { from, .. } => Some(from),
            Self::Moved { seq, stands_at } => Some(seq.min(stands_at)),
            Self::Cut { last, .. } | Self::CutBehindSigned { last, .. } => Some(last + 1),
            Self::HeadBehind { head, .. } => Some(head + 1),
            Self::BadSignature { seq, .. } | Self::NotAsSigned { seq, .. } => Some(seq),
            Self::Unnumbered | Self::NoHead | Self::NoChain | Self::UnknownWorkspace => None,
        }
    }

    /// A word for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Altered(_) => "altered",
            Self::Missing { .. } => "missing",
            Self::Moved { .. } => "moved",
            Self::OutOfOrder(_) => "out_of_order",
            Self::Unnumbered => "unnumbered",
            Self::Cut { .. } => "cut",
            Self::HeadBehind { .. } => "head_behind",
            Self::HeadForged(_) => "head_forged",
            Self::NoHead => "no_head",
            Self::NoChain => "no_chain",
            Self::UnknownWorkspace => "unknown_workspace",
            Self::BadSignature { .. } => "bad_signature",
            Self::CutBehindSigned { .. } => "cut_behind_signed",
            Self::NotAsSigned { .. } => "not_as_signed",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(seq) => write!(
                f,
                "record {seq} is altered, or does not follow the one before it"
            ),
            Self::Missing { from, to } if from == to => write!(f, "record {from} is missing"),
            Self::Missing { from, to } => write!(f, "records {from} to {to} are missing"),
            Self::Moved { seq, stands_at } => {
                write!(f, "record {seq} stands in the place of record {stands_at}")
            }
            Self::OutOfOrder(seq) => write!(f, "a record numbered {seq} stands where none may be"),
            Self::Unnumbered => f.write_str("a record has no number"),
            Self::Cut { last, head } => write!(
                f,
                "the chain ends at record {last}, and its head tells of {head}"
            ),
            Self::HeadBehind { head, last } => {
                write!(f, "the head tells of {head} records, and there are {last}")
            }
            Self::HeadForged(seq) => write!(f, "the head's tag is not that of record {seq}"),
            Self::NoHead => f.write_str("the chain has no head"),
            Self::NoChain => f.write_str("the workspace has no chain"),
            Self::UnknownWorkspace => f.write_str("the chain is of a workspace that is not there"),
            Self::BadSignature { seq, kept } => {
                write!(f, "the signature of head {seq} {kept} is not this key's")
            }
            Self::CutBehindSigned { last, seq, kept } => {
                write!(
                    f,
                    "the chain ends at record {last}, and the head signed {kept} tells of {seq}"
                )
            }
            Self::NotAsSigned { seq, kept } => write!(
                f,
                "record {seq} is not the one whose head was signed {kept}"
            ),
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut told = serializer.serialize_struct("Fault", 3)?;
        told.serialize_field("code", self.code())?;
        told.serialize_field("seq", &self.seq())?;
        told.serialize_field("message", &self.to_string())?;
        told.end()
    }
}

/// What was found of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The workspace's id; hex digits where it is none.
    pub workspace: String,
    /// Its name.
    pub name: Option<String>,
    /// How many records were read.
    pub records: u64,
    /// When the first one was written.
    pub first: Option<Moment>,
    /// When the last one was written.
    pub last: Option<Moment>,
    /// Signed heads that agree with the chain.
    pub heads: u64,
    /// What is wrong, in the order of the chain; none: it is whole.
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub more_faults: u64,
}

impl Report {
    /// One that tells of a single fault.
    pub(crate) fn of(workspace: String, name: Option<String>, fault: Fault) -> Self {
        Self {
            workspace,
            name,
            records: 0,
            first: None,
            last: None,
            heads: 0,
            faults: vec![fault],
            more_faults: 0,
        }
    }

    /// Whether the chain is whole.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }
}

/// A chain that is being walked.
#[derive(Debug)]
pub struct Chain<'k> {
    key: &'k DerivedKey,
    workspace: WorkspaceId,
    /// Signed heads that are still to come, lowest first.
    heads: VecDeque<(SignedHead, Kept)>,
    last: i64,
    tag: Vec<u8>,
    /// What the next record may follow besides `tag`, where the one before it did not fit.
    near: VecDeque<Vec<u8>>,
    /// After a gap there is no telling what the next record follows.
    blind: bool,
    /// The first place whose own record was not found there, and the tag before it.
    open: Option<(i64, Vec<u8>)>,
    report: Report,
}

impl<'k> Chain<'k> {
    /// Begins at a chain's first record. `heads` are what is known to have been signed of it.
    #[must_use]
    pub fn new(
        key: &'k DerivedKey,
        public: &PublicKey,
        workspace: WorkspaceId,
        name: Option<String>,
        mut heads: Vec<(SignedHead, Kept)>,
    ) -> Self {
        heads.sort_by_key(|(head, _)| head.seq);
        let mut faults = Vec::new();
        let unchecked = heads.len().saturating_sub(SIGNATURES);
        let mut at = 0;
        heads.retain(|(head, kept)| {
            at += 1;
            let good = at <= unchecked || head.is_signed_by(public);
            if !good {
                faults.push(Fault::BadSignature {
                    seq: head.seq,
                    kept: *kept,
                });
            }
            good
        });
        let more_faults = faults.len().saturating_sub(TOLD) as u64;
        faults.truncate(TOLD);
        let report = Report {
            workspace: workspace.to_string(),
            name,
            records: 0,
            first: None,
            last: None,
            heads: 0,
            faults,
            more_faults,
        };
        Self {
            key,
            workspace,
            heads: heads.into(),
            last: 0,
            tag: Vec::new(),
            near: VecDeque::new(),
            blind: false,
            open: None,
            report,
        }
    }

    fn fault(&mut self, fault: Fault) {
        if self.report.faults.len() < TOLD {
            self.report.faults.push(fault);
        } else {
            self.report.more_faults += 1;
        }
    }

    /// The next record, in the order of their places.
    pub fn take(&mut self, record: Record) {
        let at = Moment::from_millis(record.at);
        self.report.records += 1;
        self.report.first.get_or_insert(at);
        self.report.last = Some(at);
        if record.seq <= self.last {
            return self.fault(Fault::OutOfOrder(record.seq));
        }
        self.skip_to(record.seq);
        let tag: [u8; 32] = record.expected(self.key, self.workspace, &self.tag);
        if tag == *record.tag || self.blind || self.follows_near(&record) {
            self.near.clear();
        } else {
            self.misfit(&record, tag);
        }
        self.blind = false;
        self.compare(&record);
        (self.last, self.tag) = (record.seq, record.tag);
    }

    /// A record of which not even the columns can be read.
    pub fn take_unreadable(&mut self, seq: i64) {
        self.report.records += 1;
        if seq <= self.last {
            return self.fault(Fault::OutOfOrder(seq));
        }
        self.skip_to(seq);
        self.fault(Fault::Altered(seq));
        (self.last, self.blind) = (seq, true);
    }

    /// A record without a place.
    pub fn take_unnumbered(&mut self) {
        self.fault(Fault::Unnumbered);
    }

    /// Notes what is missing before this place.
    fn skip_to(&mut self, seq: i64) {
        if seq > self.last + 1 {
            self.fault(Fault::Missing {
                from: self.last + 1,
                to: seq - 1,
            });
            self.open.get_or_insert((self.last + 1, self.tag.clone()));
            self.blind = true;
        }
        while self
            .heads
            .front()
            .is_some_and(|(head, _)| head.seq < seq && head.seq > self.last)
        {
            self.heads.pop_front();
        }
    }

    fn follows_near(&self, record: &Record) -> bool {
        self.near
            .iter()
            .any(|tag| record.expected(self.key, self.workspace, tag) == *record.tag)
    }

    fn misfit(&mut self, record: &Record, expected: [u8; 32]) {
        let open = self.open.clone();
        let belongs = open.filter(|(seq, previous)| {
            let there = Record {
                seq: *seq,
                ..record.clone()
            };
            there.expected(self.key, self.workspace, previous) == *record.tag
        });
        match belongs {
            Some((seq, _)) => self.fault(Fault::Moved {
                seq,
                stands_at: record.seq,
            }),
            None => self.fault(Fault::Altered(record.seq)),
        }
        self.open.get_or_insert((record.seq, self.tag.clone()));
        // If only this record's tag was touched, or it was swapped with a neighbour, the next ones still follow one of these.
        self.near
            .extend([self.tag.clone(), expected.to_vec(), record.tag.clone()]);
        while self.near.len() > NEAR {
            self.near.pop_front();
        }
    }

    /// Compares with what was signed for this place.
    fn compare(&mut self, record: &Record) {
        while let Some((head, kept)) = self.heads.front() {
            let kept = *kept;
            if head.seq > record.seq {
                return;
            }
            let (seq, same) = (head.seq, head.tag.0 == record.tag);
            self.heads.pop_front();
            if seq < record.seq {
                continue;
            }
            if same {
                self.report.heads += 1;
            } else {
                self.fault(Fault::NotAsSigned { seq, kept });
            }
        }
    }

    /// Ends the walk. `head` is where the chain's head says that it ends: its place and tag; outer none where there is no
    /// telling, as in a file; inner none where it is missing.
    #[must_use]
    pub fn finish(mut self, head: Option<Option<(i64, Vec<u8>)>>) -> Report {
        let last = self.last;
        match head {
            None => {}
            Some(None) if last == 0 => self.fault(Fault::NoChain),
            Some(None) => self.fault(Fault::NoHead),
            Some(Some((seq, _))) if seq > last => self.fault(Fault::Cut { last, head: seq }),
            Some(Some((seq, _))) if seq < last => self.fault(Fault::HeadBehind { head: seq, last }),
            Some(Some((seq, tag))) if tag != self.tag => self.fault(Fault::HeadForged(seq)),
            Some(Some(_)) => {}
        }
        // The newest of each kind says it all.
        for place in [Kept::Database, Kept::File] {
            let beyond = self
                .heads
                .iter()
                .rev()
                .find(|(head, kept)| *kept == place && head.seq > last);
            if let Some(seq) = beyond.map(|(head, _)| head.seq) {
                self.fault(Fault::CutBehindSigned {
                    last,
                    seq,
                    kept: place,
                });
            }
        }
        self.report
    }
}

#[cfg(test)]
mod tests;
