//! Values of columns: what both engines hold, and how types of ours are written as one and read back.
//!
//! Integers, text and octets are all there is; a flag is the integer 0 or 1. How an engine carries a value is its own
//! file's business.

use std::borrow::Cow;
use std::fmt;

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Nothing.
    Null,
    /// A number, or a flag.
    Integer(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// Octets.
    Octets(Cow<'a, [u8]>),
    /// What no column of ours holds, such as a fraction or text that is no UTF-8: somebody else put it there.
    Odd(Cow<'a, [u8]>),
}

/// For errors: not more of a value than names it.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{:?}", text.chars().take(60).collect::<String>()),
            Self::Octets(octets) => write!(f, "{} octets", octets.len()),
            Self::Odd(octets) => write!(f, "{} octets of another kind", octets.len()),
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

//------------ Writing -------------------------------------------------------

/// What is written as a value.
pub(super) trait ToValue {
    /// As a value.
    fn value(&self) -> Value<'_>;
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::value)
    }
}

impl ToValue for Value<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Octets(octets) => Value::Octets(Cow::Borrowed(octets)),
            Self::Odd(octets) => Value::Odd(Cow::Borrowed(octets)),
        }
    }
}

impl ToValue for str {
    fn value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }
}

impl ToValue for String {
    fn value(&self) -> Value<'_> {
        self.as_str().value()
    }
}

impl ToValue for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Octets(Cow::Borrowed(self))
    }
}

impl ToValue for Vec<u8> {
    fn value(&self) -> Value<'_> {
        self.as_slice().value()
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn value(&self) -> Value<'_> {
        self.as_slice().value()
    }
}

/// Numbers that fit.
macro_rules! numbers {
    ($($type:ty),+) => {$(
        impl ToValue for $type {
            fn value(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        }
    )+};
}
numbers!(i64, i32, u32, u16, bool);

/// A count: never negative, and never near the largest number the database holds.
impl ToValue for u64 {
    fn value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

//------------ Reading -------------------------------------------------------

/// A value of one column.
pub(super) trait Cell: ToValue + Sized {
    /// Reads it; none if the value is none of this type.
    fn of(value: Value<'_>) -> Option<Self>;
}

impl<T: Cell> Cell for Option<T> {
    fn of(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::of(value).map(Some),
        }
    }
}

impl Cell for String {
    fn of(value: Value<'_>) -> Option<Self> {
        let Value::Text(text) = value else { return None };
        Some(text.into_owned())
    }
}

impl Cell for Vec<u8> {
    fn of(value: Value<'_>) -> Option<Self> {
        let Value::Octets(octets) = value else { return None };
        Some(octets.into_owned())
    }
}

impl Cell for i64 {
    fn of(value: Value<'_>) -> Option<Self> {
        let Value::Integer(number) = value else { return None };
        Some(number)
    }
}

impl Cell for bool {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl Cell for u32 {
    fn of(value: Value<'_>) -> Option<Self> {
        Self::try_from(i64::of(value)?).ok()
    }
}

impl Cell for u64 {
    fn of(value: Value<'_>) -> Option<Self> {
        Self::try_from(i64::of(value)?).ok()
    }
}

//------------ Parameters ----------------------------------------------------

/// The values of `$1`, `$2`, … of a statement.
pub(super) trait Params {
    /// In their order.
    fn values(&self) -> Vec<Value<'_>>;
}

impl Params for &[&dyn ToValue] {
    fn values(&self) -> Vec<Value<'_>> {
        self.iter().map(|it| it.value()).collect()
    }
}

impl Params for &[Value<'_>] {
    fn values(&self) -> Vec<Value<'_>> {
        self.iter().map(ToValue::value).collect()
    }
}

/// None.
impl Params for [&dyn ToValue; 0] {
    fn values(&self) -> Vec<Value<'_>> {
        Vec::new()
    }
}

/// A few of one type.
macro_rules! arrays {
    ($($count:literal),+) => {$(
        impl<T: ToValue> Params for [T; $count] {
            fn values(&self) -> Vec<Value<'_>> {
                self.iter().map(ToValue::value).collect()
            }
        }
    )+};
}
arrays!(1, 2, 3);

/// Values of several types as parameters.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::store::value::ToValue),*]
            as &[&dyn $crate::store::value::ToValue]
    };
}
pub(super) use params;
