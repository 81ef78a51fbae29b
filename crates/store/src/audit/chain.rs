//! The verifier: walks a chain's records in order and says what is wrong with it. No database here, and no way to write.

use std::collections::VecDeque;

use padclock_api::WorkspaceId;
use padclock_api::audit::{AuditLine, SignedHead};
use padclock_job::Moment;
use padclock_vault::{DerivedKey, PublicKey};

use super::fault::{Fault, Kept, Report};

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
