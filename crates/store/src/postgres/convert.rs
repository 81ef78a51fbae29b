//! Between PostgreSQL's values and errors and the store's.

use bytes::BytesMut;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::error::StoreError;
use crate::field::{Field, Row};
use crate::tx::Rows;

type Written = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Field {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Shared(text) => text.as_ref().to_sql(ty, out),
            Self::Word(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
            Self::Id(bytes) => bytes.as_slice().to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// One column of a batch, written as an array.
#[derive(Debug)]
pub(super) struct Column<'r> {
    pub(super) rows: &'r Rows,
    pub(super) at: usize,
}

impl ToSql for Column<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        let cells: Vec<&Field> = self
            .rows
            .fields
            .iter()
            .skip(self.at)
            .step_by(self.rows.width)
            .collect();
        cells.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8_ARRAY | Type::TEXT_ARRAY | Type::BYTEA_ARRAY)
    }

    to_sql_checked!();
}

/// An answered row in the store's types.
pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let field = |at: usize| {
        Ok(match *row.columns()[at].type_() {
            Type::INT8 => row
                .try_get::<_, Option<i64>>(at)?
                .map_or(Field::Null, Field::Int),
            Type::INT4 => row
                .try_get::<_, Option<i32>>(at)?
                .map_or(Field::Null, |value| Field::Int(value.into())),
            Type::BOOL => row
                .try_get::<_, Option<bool>>(at)?
                .map_or(Field::Null, |value| Field::Int(value.into())),
            Type::BYTEA => row
                .try_get::<_, Option<&[u8]>>(at)?
                .map_or(Field::Null, Field::of_bytes),
            _ => row
                .try_get::<_, Option<String>>(at)?
                .map_or(Field::Null, Field::Text),
        })
    };
    (0..row.len()).map(field).collect::<Result<_, _>>().map(Row)
}

/// What a failure of PostgreSQL's means. Its detail, which quotes keys, is left out.
pub(crate) fn error(error: &tokio_postgres::Error) -> StoreError {
    let Some(failure) = error.as_db_error() else {
        let text = error.to_string();
        return if text.starts_with("error serializing parameter")
            || text.starts_with("error deserializing column")
        {
            StoreError::Statement(text)
        } else {
            StoreError::Unavailable(format!("PostgreSQL: {text}"))
        };
    };
    let code = failure.code();
    match code.code().get(..2) {
        _ if *code == SqlState::UNIQUE_VIOLATION => StoreError::Conflict("a row with this key"),
        _ if *code == SqlState::T_R_DEADLOCK_DETECTED
            || *code == SqlState::T_R_SERIALIZATION_FAILURE =>
        {
            StoreError::Unavailable(
                "two transactions stood in each other's way; try again".to_owned(),
            )
        }
        _ if *code == SqlState::DISK_FULL => {
            StoreError::Unavailable("no space is left on the server's device".to_owned())
        }
        Some("08" | "53" | "57" | "58" | "28" | "3D") => {
            StoreError::Unavailable(failure.message().to_owned())
        }
        _ => StoreError::Statement(format!("PostgreSQL {}: {}", code.code(), failure.message())),
    }
}
