//! Between rusqlite's values and errors and the store's.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{ErrorCode, ToSql};

use crate::error::StoreError;
use crate::field::Field;

impl ToSql for Field {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Shared(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Word(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Id(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// A stored value as a field; a real number, which no column holds, becomes null.
pub(super) fn field(value: ValueRef<'_>) -> Field {
    match value {
        ValueRef::Null | ValueRef::Real(_) => Field::Null,
        ValueRef::Integer(value) => Field::Int(value),
        ValueRef::Text(text) => Field::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Field::of_bytes(bytes),
    }
}

/// What a failure of SQLite's means. Its own messages name tables and columns, never parameters.
pub(crate) fn error(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return StoreError::Statement(error.to_string());
    };
    match failure.code {
        ErrorCode::ConstraintViolation => StoreError::Conflict("a row with this key"),
        ErrorCode::DiskFull => StoreError::Unavailable("no space is left on the device".to_owned()),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Unavailable("another process holds its lock".to_owned())
        }
        ErrorCode::CannotOpen => StoreError::Unavailable("the file can't be opened".to_owned()),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            StoreError::Unavailable("the file can't be written".to_owned())
        }
        ErrorCode::SystemIoFailure => {
            StoreError::Unavailable("the disk reports an error".to_owned())
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            StoreError::Damaged("the file is not a sound database".to_owned())
        }
        _ => StoreError::Statement(error.to_string()),
    }
}
