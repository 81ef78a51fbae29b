//! Statement parameters and answered rows, in the few types that both engines share.

use padclock_api::Id;
use padclock_job::Moment;

use crate::error::{Result, StoreError};

/// One parameter or column.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// SQL's null.
    Null,
    /// Whole numbers, truth values (0, 1) and times (milliseconds).
    Int(i64),
    /// Text, JSON included.
    Text(String),
    /// Text that several rows share.
    Shared(std::sync::Arc<str>),
    /// A fixed word.
    Word(&'static str),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The 16 bytes of an id.
    Id([u8; 16]),
}

impl Field {
    /// Bytes as they were answered; sixteen of them, as most are, cost no allocation.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        <[u8; 16]>::try_from(bytes).map_or_else(|_| Self::Bytes(bytes.to_vec()), Self::Id)
    }
}

macro_rules! from_int {
    ($($type:ty),*) => {$(impl From<$type> for Field { fn from(value: $type) -> Self { Self::Int(i64::from(value)) } })*};
}
from_int!(i64, u32, u16, bool);

impl From<Moment> for Field {
    fn from(value: Moment) -> Self {
        Self::Int(value.millis())
    }
}
impl From<String> for Field {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&'static str> for Field {
    fn from(value: &'static str) -> Self {
        Self::Word(value)
    }
}
impl From<std::sync::Arc<str>> for Field {
    fn from(value: std::sync::Arc<str>) -> Self {
        Self::Shared(value)
    }
}
impl From<Vec<u8>> for Field {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}
impl<K> From<Id<K>> for Field
where
    K: padclock_api::ids::Kind,
{
    fn from(value: Id<K>) -> Self {
        Self::Id(*value.bytes())
    }
}
impl<T: Into<Field>> From<Option<T>> for Field {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Makes the parameter list of a statement.
macro_rules! fields {
    ($($value:expr),* $(,)?) => { &[$($crate::field::Field::from($value)),*] };
}
pub(crate) use fields;

/// One answered row, read by position.
#[derive(Debug)]
pub struct Row(pub(crate) Vec<Field>);

impl Row {
    fn take(&mut self, at: usize) -> Field {
        self.0
            .get_mut(at)
            .map_or(Field::Null, |field| std::mem::replace(field, Field::Null))
    }

    pub(crate) fn int(&self, at: usize) -> Result<i64> {
        self.opt_int(at)?.ok_or_else(|| damaged(at, "a number"))
    }

    pub(crate) fn opt_int(&self, at: usize) -> Result<Option<i64>> {
        match self.0.get(at) {
            Some(Field::Int(value)) => Ok(Some(*value)),
            Some(Field::Null) => Ok(None),
            _ => Err(damaged(at, "a number")),
        }
    }

    pub(crate) fn number(&self, at: usize) -> Result<u32> {
        u32::try_from(self.int(at)?).map_err(|_| damaged(at, "a small number"))
    }

    pub(crate) fn flag(&self, at: usize) -> Result<bool> {
        Ok(self.int(at)? != 0)
    }

    pub(crate) fn moment(&self, at: usize) -> Result<Moment> {
        self.int(at).map(Moment::from_millis)
    }

    pub(crate) fn opt_moment(&self, at: usize) -> Result<Option<Moment>> {
        Ok(self.opt_int(at)?.map(Moment::from_millis))
    }

    pub(crate) fn text(&mut self, at: usize) -> Result<String> {
        self.opt_text(at)?.ok_or_else(|| damaged(at, "text"))
    }

    pub(crate) fn opt_text(&mut self, at: usize) -> Result<Option<String>> {
        match self.take(at) {
            Field::Text(value) => Ok(Some(value)),
            Field::Null => Ok(None),
            _ => Err(damaged(at, "text")),
        }
    }

    pub(crate) fn bytes(&mut self, at: usize) -> Result<Vec<u8>> {
        match self.take(at) {
            Field::Bytes(value) => Ok(value),
            Field::Id(value) => Ok(value.to_vec()),
            _ => Err(damaged(at, "bytes")),
        }
    }

    pub(crate) fn id<K: padclock_api::ids::Kind>(&self, at: usize) -> Result<Id<K>> {
        self.opt_id(at)?.ok_or_else(|| damaged(at, "an id"))
    }

    pub(crate) fn opt_id<K: padclock_api::ids::Kind>(&self, at: usize) -> Result<Option<Id<K>>> {
        match self.0.get(at) {
            Some(Field::Null) => Ok(None),
            Some(Field::Bytes(bytes)) if bytes.is_empty() => Ok(None),
            Some(Field::Id(bytes)) => Ok(Some(Id::from_bytes(*bytes))),
            _ => Err(damaged(at, "an id")),
        }
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self, at: usize) -> Result<T> {
        let text = self.text(at)?;
        serde_json::from_str(&text).map_err(|_| damaged(at, "well-formed JSON"))
    }

    pub(crate) fn opt_json<T: serde::de::DeserializeOwned>(
        &mut self,
        at: usize,
    ) -> Result<Option<T>> {
        match self.opt_text(at)? {
            None => Ok(None),
            Some(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|_| damaged(at, "well-formed JSON")),
        }
    }
}

fn damaged(at: usize, expected: &str) -> StoreError {
    StoreError::Damaged(format!("column {at} of a row is not {expected}"))
}
