//! The key set as it is kept: JSON with a version. Fields that a newer gapura added are skipped, those that
//! an older one did not know have defaults; a set that contradicts itself is refused, not guessed at.

use super::key::KeyId;
use super::set::KeySet;

/// The version of what is written here.
pub(super) const VERSION: u32 = 1;

impl KeySet {
    /// The text to keep it as.
    pub fn write(&self) -> Result<String, StateError> {
        serde_json::to_string(self).map_err(StateError::Text)
    }

    /// Reads the text it was kept as.
    pub fn read(text: &str) -> Result<Self, StateError> {
        let set: Self = serde_json::from_str(text).map_err(StateError::Text)?;
        if set.version > VERSION {
            return Err(StateError::Newer(set.version));
        }
        for key in &set.keys {
            if KeyId::of(&key.dnskey) != key.id {
                return Err(StateError::OtherKey(key.id));
            }
        }
        if let Some(missing) = set.named().find(|id| set.key(id).is_none()) {
            return Err(StateError::NoKey(missing));
        }
        Ok(set)
    }
}

/// A kept key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is no JSON of a key set.
    #[error("the state of the zone's keys cannot be read: {0}")]
    Text(serde_json::Error),
    /// It was written by a later version.
    #[error(
        "the state of the zone's keys was written by a newer gapura (version {0}, this one knows {VERSION}): \
         start that one"
    )]
    Newer(u32),
    /// A key is not the one it is called.
    #[error("the state of the zone's keys is damaged: key {0} has the public key of another")]
    OtherKey(KeyId),
    /// A key is used that is not there.
    #[error("the state of the zone's keys is damaged: key {0} is used and is not in it")]
    NoKey(KeyId),
}
