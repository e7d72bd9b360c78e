//! `[[webhook]]`: programs outside that are told what happens to requests and names.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::settings::SecretText;

/// `[[webhook]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Its name, in commands and on the page.
    pub name: toml::Spanned<String>,
    /// Where it is, `https://…`; the path may be a secret and is never shown.
    pub url: SecretText,
    /// What calls are signed with, in base64.
    #[serde(default)]
    pub secret: SecretText,
    /// A file with the secret in its place.
    #[serde(default)]
    pub secret_file: PathBuf,
    /// The events it is told; empty = all there are.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether it gets the whole event or the sentence alone.
    #[serde(default)]
    pub body: WebhookBody,
    /// Whether its address may be one of the office's own network.
    #[serde(default)]
    pub private: bool,
    /// Certificates of the authorities that may have signed its certificate, PEM; empty = the system's.
    #[serde(default)]
    pub tls_ca: PathBuf,
}

/// `webhook.body`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookBody {
    /// The sentence, and the facts for programs.
    #[default]
    Event,
    /// The sentence alone, for chat programs that refuse fields they do not know.
    Text,
}
