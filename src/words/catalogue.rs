//! The two catalogues, compiled into the program and parsed once.

use std::fmt;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use super::office::add_office;

/// Indonesian, the default.
const ID: &str = include_str!("id.ftl");
/// What stands on papers, in Indonesian only.
const PAPER: &str = include_str!("paper.ftl");
/// English.
const EN: &str = include_str!("en.ftl");

//------------ Lang ----------------------------------------------------------

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Lang {
    /// Bahasa Indonesia.
    #[default]
    Id,
    /// English.
    En,
}

impl Lang {
    /// The language tag, for `lang` attributes and the cookie.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::En => "en",
        }
    }

    /// The language of a tag; anything unknown is Indonesian.
    pub fn from_tag(tag: &str) -> Self {
        if tag == "en" { Self::En } else { Self::Id }
    }

    /// The other one, for the link that switches.
    pub fn other(self) -> Self {
        match self {
            Self::Id => Self::En,
            Self::En => Self::Id,
        }
    }

    /// The catalogue's text.
    #[cfg(test)]
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Id => ID,
            Self::En => EN,
        }
    }
}

//------------ Words ---------------------------------------------------------

/// A parsed catalogue.
type Bundle = FluentBundle<FluentResource>;

/// The words of one language. Copying it is free.
#[derive(Clone, Copy)]
pub struct Words {
    /// Which.
    lang: Lang,
    /// Its messages.
    bundle: &'static Bundle,
}

impl Words {
    /// The words of a language.
    pub fn of(lang: Lang) -> Self {
        static BUNDLES: [OnceLock<Bundle>; 2] = [OnceLock::new(), OnceLock::new()];
        let bundle = match lang {
            Lang::Id => BUNDLES[0].get_or_init(|| parse(&[ID, PAPER], Lang::Id)),
            Lang::En => BUNDLES[1].get_or_init(|| parse(&[EN], Lang::En)),
        };
        Self { lang, bundle }
    }

    /// Which language.
    pub fn lang(self) -> Lang {
        self.lang
    }

    /// The language tag.
    pub fn tag(self) -> &'static str {
        self.lang.tag()
    }

    /// A message without arguments.
    pub fn s(self, id: &str) -> String {
        self.format(id, None)
    }

    /// A message with one argument.
    pub fn a(self, id: &str, name: &str, value: &str) -> String {
        self.with(id, &[(name, value)])
    }

    /// A message with arguments.
    pub fn with(self, id: &str, values: &[(&str, &str)]) -> String {
        let args: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, *value)).collect();
        self.format(id, Some(&args))
    }

    /// Whether there is a message of this id.
    pub fn has(self, id: &str) -> bool {
        self.bundle.get_message(id).is_some_and(|message| message.value().is_some())
    }

    /// Formats a message; an id without one shows itself, so that the gap is seen and not hidden.
    fn format(self, id: &str, args: Option<&FluentArgs<'_>>) -> String {
        let message = self.bundle.get_message(id);
        let Some(pattern) = message.and_then(|message| message.value()) else {
            tracing::error!(id, lang = self.tag(), "no such message");
            return id.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors);
        if errors.is_empty() {
            return text.into_owned();
        }
        // It names the office, as few do.
        let mut args: FluentArgs<'_> =
            args.into_iter().flat_map(FluentArgs::iter).map(|(k, v)| (k, v.clone())).collect();
        add_office(&mut args, self.lang);
        errors.clear();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(id, lang = self.tag(), ?errors, "a message lacks an argument");
        }
        text
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({})", self.tag())
    }
}

/// Parses the files of a catalogue. A line that does not parse is logged and left out; a test sees to
/// it that there is none.
fn parse(sources: &[&str], lang: Lang) -> Bundle {
    let tag: LanguageIdentifier = lang.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Otherwise invisible direction marks land around every argument, in mails too.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = match FluentResource::try_new((*source).to_owned()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                tracing::error!(
                    ?errors,
                    lang = lang.tag(),
                    "the catalogue does not parse in places"
                );
                resource
            }
        };
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?errors, lang = lang.tag(), "the catalogue has a message twice");
        }
    }
    bundle
}
