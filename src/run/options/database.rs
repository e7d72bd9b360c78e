//! `[database]`: where the tables are.

use super::OptionError;
use crate::config::Settings;
use crate::store::Location;

/// Where the tables are; for settings that were judged.
pub(in crate::run) fn place(settings: &Settings) -> Result<Location, OptionError> {
    match &*settings.database.url.0 {
        "" => Ok(Location::File(settings.server.state_dir.clone())),
        url => on_server(settings, url),
    }
}

/// On a server at this address, with what else the settings say of one.
#[cfg(feature = "postgres")]
pub(in crate::run) fn on_server(settings: &Settings, url: &str) -> Result<Location, OptionError> {
    let database = &settings.database;
    let address =
        crate::store::Address::new(url, database.password_file.clone(), database.tls_ca.clone());
    address.map(Location::Server).map_err(|reason| OptionError::Database { reason })
}

/// This build knows no server.
#[cfg(not(feature = "postgres"))]
pub(in crate::run) fn on_server(_: &Settings, _: &str) -> Result<Location, OptionError> {
    let reason = "this build of gapura has no PostgreSQL: leave it empty".to_owned();
    Err(OptionError::Database { reason })
}

/// What is wrong.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let fault = place(settings).err();
    fault.map(|error| ("database.url".to_owned(), error)).into_iter().collect()
}
