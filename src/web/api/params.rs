//! Parameters behind the question mark: one table per call says what each is called, what it may be and
//! what it means. The document is made from the table, and so is the reading: what the table does not
//! know, or what is not of its form, is refused by name.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, Required};

use super::problem::Problem;
use crate::queue::time::{DAY_MS, moment};
use crate::queue::{Fault, Rule};
use crate::web::state::State;

/// Longest free text of a parameter, in characters.
const TEXT_MAX: usize = 200;

//------------ Param ---------------------------------------------------------

/// One parameter.
#[derive(Clone, Copy)]
pub(super) struct Param {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) about: &'static str,
    /// What it may be.
    pub(super) form: Form,
}

/// What a parameter may be.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// Some of these words: repeated, or with commas between them.
    Words(fn() -> Vec<&'static str>),
    /// A text that is compared.
    Text,
    /// `true` or `false`.
    Flag,
    /// A number of rows: least, most, and how many when nobody says; 0 = all.
    Rows(usize, usize, usize),
    /// A place in a sequence, from 0.
    Sequence,
    /// A time (RFC 3339), or a date that counts from its beginning.
    Since,
    /// A time (RFC 3339), or a date that counts to its end.
    Until,
}

impl Param {
    /// A parameter of a table.
    pub(super) const fn new(name: &'static str, form: Form, about: &'static str) -> Self {
        Self { name, about, form }
    }

    /// The parameter in the document.
    fn document(&self) -> Parameter {
        let builder = ParameterBuilder::new()
            .name(self.name)
            .parameter_in(ParameterIn::Query)
            .description(Some(self.about))
            .required(Required::False)
            .schema(Some(self.form.schema()));
        builder.build()
    }
}

impl Form {
    /// Its schema.
    fn schema(self) -> RefOr<Schema> {
        let of = |kind| ObjectBuilder::new().schema_type(kind);
        match self {
            Self::Word(words) => of(Type::String).enum_values(Some(words())).build().into(),
            Self::Words(words) => {
                let word = of(Type::String).enum_values(Some(words())).build();
                ArrayBuilder::new().items(word).build().into()
            }
            Self::Text => of(Type::String).max_length(Some(TEXT_MAX)).build().into(),
            Self::Flag => of(Type::Boolean).default(Some(false.into())).build().into(),
            Self::Rows(least, most, default) => of(Type::Integer)
                .minimum(Some(least))
                .maximum(Some(most))
                .default((default > 0).then(|| default.into()))
                .build()
                .into(),
            Self::Sequence => of(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .minimum(Some(0))
                .default(Some(0.into()))
                .build()
                .into(),
            Self::Since | Self::Until => {
                of(Type::String).examples(["2026-11-01", "2026-11-01T08:00:00Z"]).build().into()
            }
        }
    }

    /// What is wrong with a value: the rule, and what would be right.
    fn fault(self, value: &str) -> Option<String> {
        let unless = |good: bool, wanted: String| (!good).then_some(wanted);
        match self {
            Self::Word(words) | Self::Words(words) => {
                let words = words();
                unless(words.contains(&value), format!("one of {}", words.join(", ")))
            }
            Self::Text => {
                unless(value.chars().count() <= TEXT_MAX, format!("at most {TEXT_MAX} characters"))
            }
            Self::Flag => unless(matches!(value, "true" | "false"), "true or false".to_owned()),
            Self::Rows(least, most, _) => {
                let good = value.parse().is_ok_and(|rows: usize| (least..=most).contains(&rows));
                unless(good, format!("a number from {least} to {most}"))
            }
            Self::Sequence => unless(
                value.parse().is_ok_and(|place: i64| place >= 0),
                "a number from 0 on".to_owned(),
            ),
            Self::Since | Self::Until => unless(
                moment(value, 0).is_some(),
                "a date (YYYY-MM-DD) or a time (RFC 3339)".to_owned(),
            ),
        }
    }
}

/// The parameters of a call.
pub(super) trait ParamTable {
    /// Its rows.
    const PARAMS: &'static [Param];
}

/// The parameters of a call that takes none.
pub(super) struct NoParams;

impl ParamTable for NoParams {
    const PARAMS: &'static [Param] = &[];
}

//------------ Asked ---------------------------------------------------------

/// The parameters of one call, tested against their table. One that is empty counts as none.
pub(super) struct Asked<T> {
    /// Values by name.
    values: BTreeMap<&'static str, Vec<String>>,
    /// Whose they are.
    table: PhantomData<T>,
}

impl<T: ParamTable> IntoParams for Asked<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        T::PARAMS.iter().map(Param::document).collect()
    }
}

impl<T: ParamTable> Asked<T> {
    /// Reads what stands behind the question mark.
    fn read(uri: &Uri) -> Result<Self, Problem> {
        let mut values: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or("").as_bytes()) {
            let Some(param) = T::PARAMS.iter().find(|param| param.name == name) else {
                let known: Vec<&str> = T::PARAMS.iter().map(|param| param.name).collect();
                let name: String = name.chars().take(TEXT_MAX).collect();
                faults.push(Fault::new(name, Rule::UnknownParameter, known.join(", ")));
                continue;
            };
            let of = values.entry(param.name).or_default();
            let before = of.len();
            match param.form {
                Form::Words(_) => of.extend(value.split(',').map(|word| word.trim().to_owned())),
                _ => of.push(value.trim().to_owned()),
            }
            of.retain(|value| !value.is_empty());
            if before > 0 && !matches!(param.form, Form::Words(_)) {
                faults.push(Fault::new(param.name, Rule::SentTwice, ""));
            }
            let wrong = of.iter().skip(before).find_map(|value| param.form.fault(value));
            faults.extend(wrong.map(|it| Fault::new(param.name, Rule::BadParameter, it)));
        }
        if faults.is_empty() {
            Ok(Self { values, table: PhantomData })
        } else {
            Err(Problem::unreadable(&faults))
        }
    }

    /// A text or word.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values.get(name)?.first().cloned()
    }

    /// Words.
    pub(super) fn words(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).as_deref() == Some("true")
    }

    /// Rows of a page.
    pub(super) fn rows(&self, name: &str) -> usize {
        let given = self.text(name).and_then(|rows| rows.parse().ok());
        let default = T::PARAMS.iter().find(|param| param.name == name).map(|param| param.form);
        given.unwrap_or(match default {
            Some(Form::Rows(_, _, default)) => default,
            _ => 0,
        })
    }

    /// A place in a sequence, if one was given.
    pub(super) fn sequence(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A time, in epoch milliseconds.
    pub(super) fn moment(&self, name: &str) -> Option<i64> {
        let param = T::PARAMS.iter().find(|param| param.name == name)?;
        let offset = if matches!(param.form, Form::Until) { DAY_MS } else { 0 };
        moment(&self.text(name)?, offset)
    }

    /// That a parameter cannot be what it is.
    pub(super) fn refuse(name: &str, wanted: &str) -> Problem {
        Problem::unreadable(&[Fault::new(name, Rule::BadParameter, wanted)])
    }
}

impl<T: ParamTable> FromRequestParts<State> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        Self::read(&parts.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with one parameter of each form.
    struct Every;

    impl ParamTable for Every {
        const PARAMS: &'static [Param] = &[
            Param::new("state", Form::Words(|| vec!["live", "closed"]), ""),
            Param::new("sort", Form::Word(|| vec!["due", "number"]), ""),
            Param::new("office", Form::Text, ""),
            Param::new("late", Form::Flag, ""),
            Param::new("limit", Form::Rows(1, 200, 50), ""),
            Param::new("since", Form::Sequence, ""),
            Param::new("from", Form::Since, ""),
            Param::new("to", Form::Until, ""),
        ];
    }

    /// The parameters, or the names of those at fault.
    fn read(query: &str) -> Result<Asked<Every>, Vec<String>> {
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        Asked::read(&uri).map_err(|problem| {
            let json = serde_json::to_value(problem).unwrap();
            let errors = json["errors"].as_array().unwrap().iter();
            errors.map(|error| error["field"].as_str().unwrap().to_owned()).collect()
        })
    }

    #[test]
    fn what_the_table_does_not_know_is_refused_by_name() {
        for (query, wrong) in [
            ("colour=red", "colour"),
            ("late=maybe", "late"),
            ("late=TRUE", "late"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=1&limit=2", "limit"),
            ("state=live,happy", "state"),
            ("sort=colour", "sort"),
            ("since=-1", "since"),
            ("from=yesterday", "from"),
        ] {
            assert_eq!(read(query).err(), Some(vec![wrong.to_owned()]), "{query}");
        }
        assert_eq!(read("a=1&late=2&b=3").err().unwrap(), ["a", "late", "b"]);
    }

    #[test]
    fn what_it_knows_is_read() {
        let asked =
            read("state=live,closed&late=true&limit=7&from=2026-11-01&to=2026-11-01&office=")
                .unwrap_or_else(|wrong| panic!("{wrong:?}"));
        assert_eq!(asked.words("state"), ["live", "closed"]);
        assert_eq!(
            (asked.flag("late"), asked.rows("limit"), asked.text("office")),
            (true, 7, None)
        );
        let (from, to) = (asked.moment("from").unwrap(), asked.moment("to").unwrap());
        assert_eq!(to - from, DAY_MS, "the whole day");
        assert_eq!(read("").unwrap_or_else(|_| panic!()).rows("limit"), 50);
    }
}
