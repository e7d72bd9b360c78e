//! Where the server is, as the settings say it: `postgres://user@host/name`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::files;

/// How long connecting may take.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Longest password in octets.
const PASSWORD_MAX: usize = 1024;

/// A database on a server of PostgreSQL.
#[derive(Clone)]
pub struct Address {
    /// What the URL says, without TLS.
    config: Config,
    /// Whether TLS is spoken.
    pub(super) is_encrypted: bool,
    /// The authorities that may have signed the server's certificate; empty: the system's.
    pub(super) authorities: PathBuf,
    /// A file with the password; empty: it is in the URL, or there is none.
    password_file: PathBuf,
    /// The schema.
    pub(super) schema: String,
}

impl Address {
    /// Reads the settings. The error says what to write in the place of a URL that cannot be used, and nothing of it.
    pub fn new(url: &str, password_file: PathBuf, authorities: PathBuf) -> Result<Self, String> {
        const WANTED: &str =
            "write it as postgres://user@host/name, or postgres:///name?host=/run/postgresql";
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        if !["postgres://", "postgresql://"].iter().any(|scheme| place.starts_with(scheme)) {
            return Err(WANTED.to_owned());
        }
        let (modes, rest): (Vec<&str>, Vec<&str>) =
            query.split('&').partition(|part| part.starts_with("sslmode="));
        // What the driver says quotes what it was given.
        let config = format!("{place}?{}", rest.join("&")).parse::<Config>();
        let mut config = config.map_err(|_| WANTED.to_owned())?;
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(format!("it names no database: {WANTED}"));
        }
        if config.get_hosts().is_empty() {
            return Err(format!("it names no host: {WANTED}"));
        }
        // Of a server and its standbys only the one that takes writes is meant, whichever it is now.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let is_encrypted = match modes.last().map(|mode| &mode["sslmode=".len()..]) {
            None => !config.get_hosts().iter().all(is_here),
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            Some(_) => {
                return Err("sslmode is disable, require or verify-full; the last two are the \
                            same, and without one TLS is spoken to other machines"
                    .to_owned());
            }
        };
        let schema = "gapura".to_owned();
        Ok(Self { config, is_encrypted, authorities, password_file, schema })
    }

    /// The same with the tables in another schema.
    #[cfg(any(test, feature = "testing"))]
    pub(in crate::store) fn in_schema(self, schema: String) -> Self {
        Self { schema, ..self }
    }

    /// What the driver connects by. The password file is read each time: it may have changed.
    pub(super) fn config(&self) -> Result<Config, String> {
        let mut config = self.config.clone();
        if !self.password_file.as_os_str().is_empty() {
            let read = files::read_secret(&self.password_file, PASSWORD_MAX);
            let password = read.map_err(|error| {
                format!("the password file {} {error}", self.password_file.display())
            })?;
            config.password(password.trim_ascii());
        }
        if config.get_application_name().is_none() {
            config.application_name("gapura");
        }
        let mode = if self.is_encrypted { SslMode::Require } else { SslMode::Disable };
        config
            .ssl_mode(mode)
            .connect_timeout(CONNECT_MAX)
            // A connection that is cut without a word is noticed within 15 s.
            .tcp_user_timeout(Duration::from_secs(15))
            .keepalives_idle(Duration::from_secs(5))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(2);
        Ok(config)
    }
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// As people name it: without what may be a secret.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(path) => write!(f, "{}", path.display())?,
            }
            let ports = self.config.get_ports();
            if let Some(port) =
                ports.get(at).or_else(|| ports.first()).filter(|port| **port != 5432)
            {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The address of a URL.
    fn address(url: &str) -> Result<Address, String> {
        Address::new(url, PathBuf::new(), PathBuf::new())
    }

    #[test]
    fn tls_is_spoken_to_other_machines_unless_the_url_says_otherwise() {
        for (url, is_encrypted) in [
            ("postgres://g@db.example/gapura", true),
            ("postgres://g@db.example/gapura?sslmode=disable", false),
            ("postgres://g@127.0.0.1,[::1]/gapura", false),
            ("postgres://g@127.0.0.1,db.example/gapura", true),
            ("postgres://g@localhost:5433/gapura?sslmode=verify-full", true),
            ("postgres:///gapura?host=/run/postgresql", false),
            ("postgresql://g@%2Frun%2Fpostgresql/gapura", false),
        ] {
            assert_eq!(address(url).map(|it| it.is_encrypted), Ok(is_encrypted), "{url}");
        }
    }

    #[test]
    fn of_several_hosts_the_one_that_takes_writes_is_meant() {
        let several = address("postgres://g@db1.example,db2.example:5433/gapura").unwrap();
        assert_eq!(several.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(several.to_string(), "postgres://g@db1.example,db2.example:5433/gapura");
        let asked = "postgres://g@db1,db2/gapura?target_session_attrs=any";
        let asked = address(asked).unwrap().config.get_target_session_attrs();
        assert_eq!(asked, TargetSessionAttrs::ReadWrite, "a standby is of no use");
    }

    #[test]
    fn a_fault_says_what_to_write_and_nothing_of_what_was_written() {
        for url in [
            "mysql://g:geheim@h/d",
            "postgres://g:geheim@h",
            "postgres:///gapura",
            "postgres://g:geheim@h/d?sslmode=prefer",
            "postgres://g:geheim@h/d?nonsense=geheim",
            "postgres://g:geheim@h:port/d",
        ] {
            let error = address(url).unwrap_err();
            assert!(!error.contains("geheim") && error.len() > 20, "{url}: {error}");
        }
    }

    #[test]
    fn a_password_file_that_cannot_be_used_is_told_of_in_a_sentence() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let said = || {
            let address = Address::new("postgres://g@h/d", path.clone(), PathBuf::new()).unwrap();
            address.config().map(drop).unwrap_err().replace(&path.display().to_string(), "FILE")
        };
        assert!(said().starts_with("the password file FILE cannot be read: "), "{}", said());
        std::fs::write(&path, "geheim").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = "the password file FILE may be used by everybody on this machine: give it the mode 0600";
        assert_eq!(said(), open);
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = address("postgres://g:geheim@db.example:5433/gapura").unwrap();
        assert_eq!(shown.to_string(), "postgres://g@db.example:5433/gapura");
        assert_eq!(format!("{shown:?}"), shown.to_string());
        let here = address("postgres://g@/gapura?host=/run/postgresql").unwrap();
        assert_eq!(here.to_string(), "postgres://g@/run/postgresql/gapura");
    }
}
