//! What can be wrong with a chain, and what is told of one. How it is found is in `chain`.

use std::fmt;

use padclock_job::Moment;
use serde::{Serialize, Serializer};

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
