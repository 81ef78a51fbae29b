//! From local times to instants: when a cron expression fires in a zone whose clocks change.
//! The three ways are the scheduling contract's `dst` modes.

use crate::cron::Fields;
use crate::definition::Dst;
use crate::zone::{Stretch, Zone};

/// More changes of offset than any zone has in the longest pause of an expression.
const MOST_STRETCHES: usize = 400;

/// An expression in a zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) fields: &'a Fields,
    pub(crate) zone: &'a Zone,
    pub(crate) dst: Dst,
}

impl Walk<'_> {
    /// The first instant after `after` (both seconds since the Unix epoch).
    pub(crate) fn next_after(&self, after: i64) -> Option<i64> {
        if self.dst == Dst::Utc {
            return self.fields.at_or_after(after + 1);
        }
        let mut from = after + 1;
        for _ in 0..MOST_STRETCHES {
            let stretch = self.zone.stretch_at(from);
            if from == stretch.start && self.moved_to_start(&stretch) {
                return Some(from);
            }
            let local = self.fields.at_or_after(self.first_local(&stretch, from))?;
            if local - stretch.offset < stretch.end {
                return Some(local - stretch.offset);
            }
            from = stretch.end;
        }
        None
    }

    /// How many instants lie after `after` and not after `upto`.
    pub(crate) fn count(&self, after: i64, upto: i64) -> u64 {
        if self.dst == Dst::Utc {
            return self.fields.count(after + 1, upto + 1);
        }
        let mut total = 0;
        let mut from = after + 1;
        while from <= upto {
            let stretch = self.zone.stretch_at(from);
            let end = stretch.end.min(upto + 1);
            let low = self.first_local(&stretch, from);
            total += self.fields.count(low, end + stretch.offset);
            if from == stretch.start && self.moved_to_start(&stretch) && !self.names(low) {
                total += 1;
            }
            from = end;
        }
        total
    }

    /// Whether each local time counts once only.
    fn single_pass(&self) -> bool {
        self.dst == Dst::Skip || !self.fields.floating
    }

    /// The first local time of a stretch, not before the instant `from`, that may count.
    fn first_local(&self, stretch: &Stretch, from: i64) -> i64 {
        let local = from + stretch.offset;
        if self.single_pass() {
            local.max(stretch.first_new())
        } else {
            local
        }
    }

    /// Whether fixed times fell into the gap before this stretch, so that they run at its start.
    pub(crate) fn moved_to_start(&self, stretch: &Stretch) -> bool {
        if self.dst != Dst::Vixie || self.fields.floating || stretch.before >= stretch.offset {
            return false;
        }
        let (from, to) = stretch.gap();
        self.fields
            .at_or_after(from)
            .is_some_and(|local| local < to)
    }

    fn names(&self, local: i64) -> bool {
        self.fields.at_or_after(local) == Some(local)
    }
}

#[cfg(test)]
mod tests;
