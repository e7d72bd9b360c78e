//! Enums whose variants have a word: the one list of variants that JSON, columns and texts use.

/// The word names no variant of the enum it was read for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

/// Makes an enum without fields from its variants and their words.
///
/// The word is the variant's JSON, its column in the database and its part of a message id. Besides
/// the enum there are `ALL`, `as_str`, `from_name`, `Display`, `FromStr` and serde.
#[macro_export]
#[doc(hidden)]
macro_rules! __named {
    ($(#[$about:meta])* pub enum $name:ident {
        $($(#[$doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$about])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd,
            serde::Deserialize, serde::Serialize,
        )]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every variant, in the order of the declaration.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant,)*];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The variant of a word.
            pub fn from_name(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|it| it.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::queue::named::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::from_name(word).ok_or($crate::queue::named::UnknownWord)
            }
        }
    };
}

pub use __named as named;

#[cfg(test)]
mod tests {
    use crate::queue::{Deed, LineCode, Role, Rule};

    #[test]
    fn json_and_words_are_the_same() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!(serde_json::from_str::<Deed>(r#""ask_lapsed""#).unwrap(), Deed::ConsultLapsed);
        assert_eq!(serde_json::from_str::<LineCode>(r#""A10""#).unwrap(), LineCode::A10);
        assert_eq!(
            (Rule::from_name("in_zone"), Rule::from_name("InZone")),
            (Some(Rule::InZone), None)
        );
        assert_eq!(
            (Role::from_name("system"), Role::of_officer("system")),
            (Some(Role::System), None)
        );
    }
}
