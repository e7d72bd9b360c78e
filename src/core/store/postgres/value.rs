//! Values as PostgreSQL carries them: BIGINT, TEXT and BYTEA, and what its functions return besides.

use std::borrow::Cow;
use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::store::value::Value;

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => return Ok(IsNull::Yes),
            Value::Integer(number) => match *kind {
                Type::INT4 => out.extend_from_slice(&i32::try_from(*number)?.to_be_bytes()),
                _ => out.extend_from_slice(&number.to_be_bytes()),
            },
            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
            Value::Octets(octets) | Value::Odd(octets) => out.extend_from_slice(octets),
        }
        Ok(IsNull::No)
    }

    /// The server says what does not fit.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Self::Integer(i64::from_be_bytes(raw.try_into()?)),
            Type::INT4 => Self::Integer(i64::from(i32::from_be_bytes(raw.try_into()?))),
            Type::BOOL => Self::Integer(i64::from(raw != [0])),
            Type::TEXT | Type::VARCHAR | Type::NAME => {
                Self::Text(Cow::Borrowed(std::str::from_utf8(raw)?))
            }
            Type::BYTEA => Self::Octets(raw.into()),
            _ => Self::Odd(raw.into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    /// What is none of ours reads as an odd value.
    fn accepts(_: &Type) -> bool {
        true
    }
}
