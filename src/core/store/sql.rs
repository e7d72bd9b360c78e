//! Statements as constants, rows as structs: how the files of this room are written.
//!
//! [`row!`] declares a struct once; its fields are the table's columns, and SELECT, INSERT, UPDATE
//! and the reading of a row follow from them. [`statements!`] names every statement of a file, so
//! that a test can prepare each against the tables. Parameters are `$1`, `$2`, … in the order of
//! their first use, which SQLite and PostgreSQL bind alike.

use super::engine::Found;
use super::value::{Cell, Params, ToValue, Value};
use super::{Reader, StoreError, Tx};

pub(super) use super::value::params;

//------------ Text ----------------------------------------------------------

/// Longest statement in octets.
const TEXT_MAX: usize = 1024;

/// A statement's text while it is put together at compile time.
pub(super) struct Text {
    /// The octets; those behind `length` are unused.
    octets: [u8; TEXT_MAX],
    /// The octets in use.
    length: usize,
}

impl Text {
    /// The text as a constant.
    pub(super) const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.octets.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => panic!("only whole texts are appended"),
        }
    }

    /// Appends a part; more than [`TEXT_MAX`] octets do not compile.
    const fn with(mut self, part: &str) -> Self {
        let part = part.as_bytes();
        let mut at = 0;
        while at < part.len() {
            self.octets[self.length] = part[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    /// Appends a part, after a comma unless it is the first of its list.
    const fn listed(self, first: &mut bool, part: &str) -> Self {
        let text = if *first { self } else { self.with(", ") };
        *first = false;
        text.with(part)
    }

    /// Appends a parameter, `$1` to `$99`.
    const fn parameter(self, number: usize) -> Self {
        let digits = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        let digits = if number < 10 { digits.split_at(1).1 } else { digits.as_slice() };
        match std::str::from_utf8(digits) {
            Ok(digits) => self.with("$").with(digits),
            Err(_) => panic!("two digits at most"),
        }
    }
}

/// A statement as it is.
pub(super) const fn sql(text: &str) -> Text {
    Text { octets: [0; TEXT_MAX], length: 0 }.with(text)
}

/// `SELECT columns FROM table`, and the rest of the statement.
pub(super) const fn select<R: Row>(rest: &str) -> Text {
    select_with::<R>("", rest)
}

/// The same with more columns behind those of the row, written `, column`.
pub(super) const fn select_with<R: Row>(more: &str, rest: &str) -> Text {
    let (mut text, mut first, mut at) = (sql("SELECT "), true, 0);
    while at < R::COLUMNS.len() {
        text = text.listed(&mut first, R::COLUMNS[at].name);
        at += 1;
    }
    text.with(more).with(" FROM ").with(R::TABLE).with(" ").with(rest)
}

/// `INSERT` of a row and the columns in `more`, in this order.
pub(super) const fn insert<R: Row>(more: &[Column]) -> Text {
    let mut text = sql("INSERT INTO ").with(R::TABLE).with(" (");
    let (mut first, mut at) = (true, 0);
    while at < R::COLUMNS.len() + more.len() {
        text = text.listed(&mut first, column::<R>(more, at).name);
        at += 1;
    }
    text = text.with(") VALUES (");
    (first, at) = (true, 0);
    while at < R::COLUMNS.len() + more.len() {
        text = text.listed(&mut first, "").parameter(at + 1);
        at += 1;
    }
    text.with(")")
}

/// The same; where the key is known already, the columns that change are updated.
pub(super) const fn upsert<R: Row>(more: &[Column]) -> Text {
    let mut text = insert::<R>(more).with(" ON CONFLICT (");
    let (mut first, mut at) = (true, 0);
    while at < R::COLUMNS.len() + more.len() {
        if let Part::Key = column::<R>(more, at).part {
            text = text.listed(&mut first, column::<R>(more, at).name);
        }
        at += 1;
    }
    text = text.with(") DO UPDATE SET ");
    (first, at) = (true, 0);
    while at < R::COLUMNS.len() + more.len() {
        let Column { name, part } = column::<R>(more, at);
        if let Part::Changes = part {
            text = text.listed(&mut first, name).with(" = excluded.").with(name);
        }
        at += 1;
    }
    text
}

/// `UPDATE` of the columns that change, then those in `more`, where the key is the row's.
#[cfg(feature = "approval")]
pub(super) const fn update<R: Row>(more: &[Column]) -> Text {
    let mut text = sql("UPDATE ").with(R::TABLE).with(" SET ");
    let (mut first, mut number, mut at) = (true, 0, 0);
    while at < R::COLUMNS.len() + more.len() {
        let Column { name, part } = column::<R>(more, at);
        if let Part::Changes = part {
            number += 1;
            text = text.listed(&mut first, name).with(" = ").parameter(number);
        }
        at += 1;
    }
    text = text.with(" WHERE ");
    (first, at) = (true, 0);
    while at < R::COLUMNS.len() {
        if let Part::Key = R::COLUMNS[at].part {
            number += 1;
            text = if first { text } else { text.with(" AND ") };
            text = text.with(R::COLUMNS[at].name).with(" = ").parameter(number);
            first = false;
        }
        at += 1;
    }
    text
}

/// The column at a place among those of the row and then `more`.
const fn column<R: Row>(more: &[Column], at: usize) -> Column {
    if at < R::COLUMNS.len() { R::COLUMNS[at] } else { more[at - R::COLUMNS.len()] }
}

/// A statement: a constant of [`statements!`], or the conditions of a filter put together.
#[derive(Clone, Copy)]
pub(super) struct Sql<'a>(pub(super) &'a str);

/// Names the statements of a file, and lists them for the test that prepares each.
macro_rules! statements {
    ($($name:ident = $text:expr;)+) => {
        $(const $name: $crate::store::sql::Sql<'static> = {
            const TEXT: &$crate::store::sql::Text = &$text;
            $crate::store::sql::Sql(TEXT.as_str())
        };)+
        /// All of them.
        #[cfg(test)]
        pub(super) const STATEMENTS: &[$crate::store::sql::Sql<'static>] = &[$($name),+];
    };
}
pub(super) use statements;

//------------ Row -----------------------------------------------------------

/// How a column is written.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// Names the row.
    Key,
    /// Written once.
    Fixed,
    /// Written again by every update.
    Changes,
}

/// A column of a table.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: &'static str,
    /// How it is written.
    pub(super) part: Part,
}

impl Column {
    /// Columns that are no part of a row's struct, for `more`.
    pub(super) const fn of(part: Part, name: &'static str) -> Self {
        Self { name, part }
    }
}

/// A struct whose fields are the columns of a table.
pub(super) trait Row: FromRow {
    /// The table.
    const TABLE: &'static str;
    /// The columns in the order of the fields.
    const COLUMNS: &'static [Column];

    /// The values of the columns, in their order.
    fn values(&self) -> Vec<Value<'_>>;
}

/// What can be read from the columns of a result, from a place on.
pub(super) trait FromRow: Sized {
    /// How many columns it takes.
    const WIDTH: usize;

    /// Reads them.
    fn read(row: &Found<'_>, at: usize) -> Result<Self, StoreError>;
}

/// Declares a row: `[key]` names it, `[fixed]` is written once, the rest changes; a column whose
/// name is not the field's is named behind `=`.
macro_rules! row {
    (
        $(#[$meta:meta])*
        pub struct $name:ident = $table:literal {
            $($(#[$doc:meta])* $([$part:ident])? pub $field:ident: $type:ty $(= $column:literal)?,)+
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl $crate::store::sql::Row for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [$crate::store::sql::Column] = &[$(
                $crate::store::sql::Column::of(
                    $crate::store::sql::row!(@part $($part)?),
                    $crate::store::sql::row!(@name $field $($column)?),
                )
            ),+];

            fn values(&self) -> Vec<$crate::store::value::Value<'_>> {
                vec![$($crate::store::value::ToValue::value(&self.$field)),+]
            }
        }

        impl $crate::store::sql::FromRow for $name {
            const WIDTH: usize = <Self as $crate::store::sql::Row>::COLUMNS.len();

            fn read(
                row: &$crate::store::engine::Found<'_>,
                at: usize,
            ) -> Result<Self, $crate::store::StoreError> {
                let mut columns = at..;
                let mut next = || columns.next().unwrap_or(at);
                Ok(Self { $($field: $crate::store::sql::FromRow::read(row, next())?,)+ })
            }
        }
    };
    (@part key) => { $crate::store::sql::Part::Key };
    (@part fixed) => { $crate::store::sql::Part::Fixed };
    (@part) => { $crate::store::sql::Part::Changes };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $column:literal) => { $column };
}
pub(super) use row;

impl<T: Cell> FromRow for T {
    const WIDTH: usize = 1;

    fn read(row: &Found<'_>, at: usize) -> Result<Self, StoreError> {
        T::of(row.value(at)?).ok_or_else(|| row.corrupt(at))
    }
}

impl<A: FromRow, B: FromRow> FromRow for (A, B) {
    const WIDTH: usize = A::WIDTH + B::WIDTH;

    fn read(row: &Found<'_>, at: usize) -> Result<Self, StoreError> {
        Ok((A::read(row, at)?, B::read(row, at + A::WIDTH)?))
    }
}

impl<A: FromRow, B: FromRow, C: FromRow> FromRow for (A, B, C) {
    const WIDTH: usize = A::WIDTH + B::WIDTH + C::WIDTH;

    fn read(row: &Found<'_>, at: usize) -> Result<Self, StoreError> {
        let ((a, b), c) = <((A, B), C)>::read(row, at)?;
        Ok((a, b, c))
    }
}

impl<A: FromRow, B: FromRow, C: FromRow, D: FromRow> FromRow for (A, B, C, D) {
    const WIDTH: usize = A::WIDTH + B::WIDTH + C::WIDTH + D::WIDTH;

    fn read(row: &Found<'_>, at: usize) -> Result<Self, StoreError> {
        let (a, b, c) = FromRow::read(row, at)?;
        Ok((a, b, c, D::read(row, at + A::WIDTH + B::WIDTH + C::WIDTH)?))
    }
}

/// A number of rows as `LIMIT` takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

//------------ Running a statement -------------------------------------------

impl Reader<'_> {
    /// The rows of a question.
    pub(super) fn all<T: FromRow>(
        &self,
        sql: Sql<'_>,
        params: impl Params,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.0.ask(sql.0, &params.values(), &mut |row| {
            found.push(T::read(row, 0)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first row of a question, if there is one.
    pub(super) fn one<T: FromRow>(
        &self,
        sql: Sql<'_>,
        params: impl Params,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.0.ask(sql.0, &params.values(), &mut |row| {
            found = Some(T::read(row, 0)?);
            Ok(false)
        })?;
        Ok(found)
    }

    /// The one row of a question that always has one.
    pub(super) fn only<T: FromRow>(
        &self,
        sql: Sql<'_>,
        params: impl Params,
    ) -> Result<T, StoreError> {
        self.one(sql, params)?.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
    }

    /// Hands the rows of a question to `sink` until it returns false.
    pub(super) fn each(
        &self,
        sql: Sql<'_>,
        params: impl Params,
        mut sink: impl FnMut(&Found<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.0.walk(sql.0, &params.values(), &mut sink)
    }
}

impl Tx<'_> {
    /// Runs a statement; returns the count of rows it touched.
    pub(super) fn run(&self, sql: Sql<'_>, params: impl Params) -> Result<usize, StoreError> {
        self.0.0.run(sql.0, &params.values())
    }

    /// Runs an `insert` or `upsert` with a row and the values of its further columns.
    pub(super) fn put<R: Row>(
        &self,
        sql: Sql<'_>,
        row: &R,
        more: &[&dyn ToValue],
    ) -> Result<(), StoreError> {
        let mut values = row.values();
        values.extend(more.iter().map(|value| value.value()));
        self.run(sql, &values[..]).map(drop)
    }

    /// Runs an `update` with a row and the values of its further columns.
    #[cfg(feature = "approval")]
    pub(super) fn change<R: Row>(
        &self,
        sql: Sql<'_>,
        row: &R,
        more: &[&dyn ToValue],
    ) -> Result<(), StoreError> {
        let (mut values, mut key) = (Vec::new(), Vec::new());
        for (column, value) in R::COLUMNS.iter().zip(row.values()) {
            match column.part {
                Part::Key => key.push(value),
                Part::Changes => values.push(value),
                Part::Fixed => {}
            }
        }
        values.extend(more.iter().map(|value| value.value()));
        values.append(&mut key);
        self.run(sql, &values[..]).map(drop)
    }
}
