//! Forms as data: fields with label, hint, value and fault; one template renders them all.
//!
//! The pattern is one for the whole site: all fields are required unless marked "(opsional)", no
//! asterisks; faults are listed in a summary on top, which links to the field, and again at the field.

use super::sent::Fields;
use super::unsent::FormKey;
use crate::people::random_token;
use crate::queue::{Fault, Rule};
use crate::words::{Said, Words};

//------------ Field ---------------------------------------------------------

/// How a field is filled in.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// One line; the text is the HTML input type.
    Line(&'static str),
    /// Several lines.
    Area,
    /// One of a few, all visible.
    Radios(Vec<Choice>),
    /// One of many.
    Select(Vec<Choice>),
    /// Any of a few.
    Checks(Vec<Choice>),
    /// A file.
    File(&'static str),
    /// Shown and not changed; the text is what is read, its value is sent.
    Fixed(String),
    /// Not shown.
    Hidden,
}

/// One choice of a field.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// What is sent.
    pub(super) value: String,
    /// What is read.
    pub(super) label: String,
    /// A line below, or empty.
    pub(super) hint: String,
}

impl Choice {
    /// A choice without a hint.
    pub(super) fn new(value: &str, label: String) -> Self {
        Self { value: value.to_owned(), label, hint: String::new() }
    }
}

/// One field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Name in the form, and the anchor that the summary links to.
    pub(super) name: String,
    /// Label.
    pub(super) label: String,
    /// Help below the label, or empty.
    pub(super) hint: String,
    /// How it is filled in.
    pub(super) input: Input,
    /// Its value; kept after a failed send.
    pub(super) value: String,
    /// What is wrong with it.
    pub(super) fault: Option<String>,
    /// Whether it may stay empty.
    pub(super) optional: bool,
    /// HTML autocomplete, or empty.
    pub(super) autocomplete: &'static str,
    /// HTML inputmode, or empty.
    pub(super) inputmode: &'static str,
    /// Width class: `w-s`, `w-m` or empty.
    pub(super) width: &'static str,
    /// Whether to add the link that shows what a field of this kind wants, as text behind it.
    pub(super) suffix: String,
}

impl Field {
    /// A field of one line whose words are the messages `{id}` and, if there is one, `{id}-hint`.
    pub(super) fn line(t: Words, name: &str, id: &str) -> Self {
        let hint_id = format!("{id}-hint");
        let hint = if t.has(&hint_id) { t.s(&hint_id) } else { String::new() };
        Self { hint, ..Self::labelled(name, t.s(id)) }
    }

    /// A line with a label that is in words already.
    pub(super) fn labelled(name: &str, label: String) -> Self {
        Self {
            name: name.to_owned(),
            label,
            hint: String::new(),
            input: Input::Line("text"),
            value: String::new(),
            fault: None,
            optional: false,
            autocomplete: "",
            inputmode: "",
            width: "",
            suffix: String::new(),
        }
    }

    /// A hidden field.
    pub(super) fn hidden(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: String::new(),
            hint: String::new(),
            input: Input::Hidden,
            value: value.to_owned(),
            fault: None,
            optional: true,
            autocomplete: "",
            inputmode: "",
            width: "",
            suffix: String::new(),
        }
    }

    /// Sets how it is filled in.
    pub(super) fn input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// Sets its value.
    pub(super) fn value(mut self, value: &str) -> Self {
        value.clone_into(&mut self.value);
        self
    }

    /// It may stay empty.
    pub(super) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Sets what the browser may fill in by itself.
    pub(super) fn autocomplete(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = autocomplete;
        self
    }

    /// Sets the keyboard shown on a phone.
    pub(super) fn inputmode(mut self, inputmode: &'static str) -> Self {
        self.inputmode = inputmode;
        self
    }

    /// Sets the width class.
    pub(super) fn width(mut self, width: &'static str) -> Self {
        self.width = width;
        self
    }

    /// Sets a text behind the field.
    pub(super) fn suffix(mut self, suffix: &str) -> Self {
        suffix.clone_into(&mut self.suffix);
        self
    }

    /// A password, never shown again after a failed send.
    pub(super) fn password(t: Words, name: &str, id: &str, autocomplete: &'static str) -> Self {
        Self::line(t, name, id)
            .input(Input::Line("password"))
            .autocomplete(autocomplete)
            .width("w-m")
    }

    /// A one-time code of six digits: one field, pasting works.
    pub(super) fn code(t: Words, id: &str) -> Self {
        Self::line(t, "code", id).autocomplete("one-time-code").inputmode("numeric").width("w-s")
    }

    /// Whether people type or choose its value, and it may be shown again.
    fn is_typed(&self) -> bool {
        let secret = matches!(
            self.input,
            Input::Line("password") | Input::File(_) | Input::Hidden | Input::Fixed(_)
        );
        !secret && self.name != "code"
    }

    /// Whether this choice is the one chosen.
    pub(super) fn chosen(&self, choice: &Choice) -> bool {
        match self.input {
            Input::Checks(_) => self.value.split(',').any(|value| value == choice.value),
            _ => self.value == choice.value,
        }
    }

    /// What is said when it was left empty: names the field, so that a summary of several reads well.
    pub(super) fn asks(&self, t: Words) -> String {
        let choose = matches!(self.input, Input::Radios(_) | Input::Select(_) | Input::Checks(_));
        t.a(if choose { "fault-choose" } else { "fault-empty" }, "label", &self.label)
    }

    /// The `aria-describedby` of its control, or empty.
    pub(super) fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.hint.is_empty() {
            ids.push(format!("{}-hint", self.name));
        }
        if self.fault.is_some() {
            ids.push(format!("{}-fault", self.name));
        }
        ids.join(" ")
    }
}

//------------ Form ----------------------------------------------------------

/// A form with its one button.
#[derive(Clone, Debug)]
pub(super) struct Form {
    /// Where it is sent.
    pub(super) action: String,
    /// The fields.
    pub(super) fields: Vec<Field>,
    /// The button's verb.
    pub(super) button: String,
    /// Button class: empty, `quiet` or `warn`.
    pub(super) style: &'static str,
    /// The form token.
    pub(super) csrf: String,
    /// What an officer typed in it before the session ended.
    pub(super) kept: Option<Fields>,
    /// One-time key, if a second press must not do it twice.
    pub(super) once: Option<String>,
    /// More buttons, which send the same form and ask for something else: value and verb.
    pub(super) others: Vec<(&'static str, String)>,
    /// From which field on the rest is folded away, and the words of the fold.
    pub(super) fold: Option<(usize, String)>,
}

impl Form {
    /// A form to this address with this button.
    pub(super) fn new(action: &str, key: &FormKey, button: String) -> Self {
        Self {
            action: action.to_owned(),
            fields: Vec::new(),
            button,
            style: "",
            csrf: key.token.clone(),
            kept: key.typed(action),
            once: None,
            others: Vec::new(),
            fold: None,
        }
    }

    /// Adds another button, whose value is sent as `lanjut`.
    pub(super) fn other(mut self, value: &'static str, verb: String) -> Self {
        self.others.push((value, verb));
        self
    }

    /// Folds the fields from `at` on away under these words.
    pub(super) fn fold(mut self, at: usize, words: String) -> Self {
        self.fold = Some((at, words));
        self
    }

    /// The words of the fold that begins at this field.
    pub(super) fn fold_at(&self, at: &usize) -> Option<&str> {
        self.fold.as_ref().filter(|(from, _)| from == at).map(|(_, words)| words.as_str())
    }

    /// Whether the fold is open: something in it is filled in or wrong.
    pub(super) fn unfolded(&self) -> bool {
        let from = self.fold.as_ref().map_or(usize::MAX, |(from, _)| *from);
        let line = |field: &&Field| matches!(field.input, Input::Line(_) | Input::Area);
        let shown = self.shown();
        let folded = shown.iter().skip(from);
        folded.clone().any(|field| field.fault.is_some())
            || folded.filter(line).any(|field| !field.value.is_empty())
    }

    /// Adds a field.
    pub(super) fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Sets the button's class.
    pub(super) fn style(mut self, style: &'static str) -> Self {
        self.style = style;
        self
    }

    /// Adds a one-time key.
    pub(super) fn once(mut self) -> Self {
        self.once = random_token().ok();
        self
    }

    /// Puts values back after a failed send.
    pub(super) fn refill<'a>(mut self, get: impl Fn(&str) -> &'a str) -> Self {
        self.kept = None;
        for field in self.fields.iter_mut().filter(|field| field.is_typed()) {
            get(&field.name).clone_into(&mut field.value);
        }
        self
    }

    /// The fields as they are shown: with what was typed before the session ended.
    pub(super) fn shown(&self) -> Vec<Field> {
        let mut fields = self.fields.clone();
        let Some(kept) = &self.kept else { return fields };
        for field in fields.iter_mut().filter(|field| field.is_typed()) {
            let all: Vec<&str> = kept.all(&field.name).collect();
            field.value = match field.input {
                Input::Checks(_) => all.join(","),
                _ => all.first().unwrap_or(&"").trim().to_owned(),
            };
        }
        fields
    }

    /// Marks a field as wrong; a fault of no field goes to the first one.
    pub(super) fn fault(mut self, name: &str, text: String) -> Self {
        let at = self.fields.iter().position(|field| field.name == name);
        let shown = |field: &Field| !matches!(field.input, Input::Hidden);
        let at = at.or_else(|| self.fields.iter().position(shown));
        if let Some(field) = at.and_then(|at| self.fields.get_mut(at)) {
            field.fault.get_or_insert(text);
        }
        self
    }

    /// Marks the fields that faults name; the faults of no field of this form come back.
    pub(super) fn take_faults(mut self, t: Words, faults: &[Fault]) -> (Self, Vec<&Fault>) {
        let mut others = Vec::new();
        for fault in faults {
            let shown = |field: &&mut Field| {
                field.name == fault.field && !matches!(field.input, Input::Hidden)
            };
            match self.fields.iter_mut().find(shown) {
                Some(field) => {
                    let chosen = matches!(field.input, Input::Radios(_) | Input::Select(_));
                    let text = match fault.rule {
                        Rule::Empty => field.asks(t),
                        _ if chosen => field.asks(t),
                        _ => fault.say(t),
                    };
                    field.fault.get_or_insert(text);
                }
                None => others.push(fault),
            }
        }
        (self, others)
    }

    /// Marks every field that is needed and was left empty.
    pub(super) fn need(mut self, t: Words, get: impl Fn(&Field) -> bool) -> Self {
        for field in &mut self.fields {
            if !field.optional && get(field) {
                let text = field.asks(t);
                field.fault.get_or_insert(text);
            }
        }
        self
    }

    /// Whether a field is wrong.
    pub(super) fn is_faulty(&self) -> bool {
        self.fields.iter().any(|field| field.fault.is_some())
    }

    /// The fields that are wrong: anchor and message.
    pub(super) fn faults(&self) -> Vec<(&str, &str)> {
        let wrong = self.fields.iter();
        wrong.filter_map(|field| Some((field.name.as_str(), field.fault.as_deref()?))).collect()
    }

    /// Whether a file goes with it.
    pub(super) fn has_file(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.input, Input::File(_)))
    }
}
