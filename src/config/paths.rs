//! Relative paths in the settings: they belong to the directory of the settings file, wherever gapura is
//! started, as those of Knot, NSD and BIND do.

use std::path::{Component, Path, PathBuf};

use super::Settings;

/// Makes every path of settings that stand in `file` a path from the working directory.
pub(super) fn resolve(settings: &mut Settings, file: &Path) {
    let base = file.parent().unwrap_or_else(|| Path::new(""));
    for path in paths(settings) {
        *path = from(base, path);
    }
}

/// All paths of the settings.
fn paths(settings: &mut Settings) -> Vec<&mut PathBuf> {
    let Settings {
        server,
        database,
        tls,
        quic,
        query_log,
        dnstap,
        keys,
        remotes,
        zones,
        office,
        webhooks,
        work,
        naming,
        targets,
        ..
    } = settings;
    let mut paths = vec![
        &mut server.state_dir,
        &mut server.zone_dir,
        &mut database.password_file,
        &mut database.tls_ca,
        &mut office.coat_of_arms,
        &mut work.holidays,
        &mut naming.regions,
        &mut naming.offices,
        &mut targets.indonesia,
    ];
    paths.extend(tls.iter_mut().flat_map(|tls| [&mut tls.cert, &mut tls.key, &mut tls.client_ca]));
    paths.extend(quic.iter_mut().flat_map(|quic| [&mut quic.cert, &mut quic.key]));
    paths.extend(query_log.iter_mut().map(|log| &mut log.file));
    paths.extend(dnstap.iter_mut().flat_map(|tap| [&mut tap.socket, &mut tap.file]));
    paths.extend(keys.iter_mut().map(|key| &mut key.secret_file));
    paths.extend(
        remotes
            .iter_mut()
            .flat_map(|remote| [&mut remote.tls_ca, &mut remote.tls_cert, &mut remote.tls_key]),
    );
    paths.extend(webhooks.iter_mut().flat_map(|it| [&mut it.secret_file, &mut it.tls_ca]));
    paths.extend(zones.iter_mut().map(|zone| &mut zone.file));
    paths
}

/// A path of a file in `base`. An empty one is a setting that is not set, and stays empty.
fn from(base: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() || path.is_absolute() {
        return path.to_owned();
    }
    let (mut base, mut rest) = (base, path);
    // "config" and "../zones" are "zones" to people; behind a link the parent is another one.
    while let Ok(up) = rest.strip_prefix("..") {
        let is_plain = matches!(base.components().next_back(), Some(Component::Normal(_)))
            && !base.is_symlink();
        let Some(parent) = base.parent().filter(|_| is_plain) else { break };
        (base, rest) = (parent, up);
    }
    match base.join(rest) {
        here if here.as_os_str().is_empty() => PathBuf::from("."),
        path => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_belongs_to_the_directory_of_the_settings() {
        for (base, path, expected) in [
            ("", "state", "state"),
            ("config", "../zones/a.zone", "zones/a.zone"),
            ("config", "..", "."),
            ("config", "../../x", "../x"),
            ("/etc/gapura", "zones/a.zone", "/etc/gapura/zones/a.zone"),
            ("/etc/gapura", "../x", "/etc/x"),
            ("/etc/gapura", "/var/lib/x", "/var/lib/x"),
            ("/", "../x", "/../x"),
            ("/etc/gapura", "", ""),
        ] {
            assert_eq!(
                from(Path::new(base), Path::new(path)),
                Path::new(expected),
                "{base} {path}"
            );
        }
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("a/b"), dir.path().join("link"));
        std::fs::create_dir_all(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(from(&link, Path::new("../x")), link.join("../x"));
    }

    #[test]
    fn no_path_of_the_settings_is_forgotten() {
        let source = concat!(
            include_str!("settings.rs"),
            include_str!("office.rs"),
            include_str!("webhook.rs")
        );
        let of_settings = source.matches(": PathBuf,").count();
        let mut settings: Settings = toml::from_str(
            "[tls]\nlisten = []\ncert = \"a\"\nkey = \"b\"\n[quic]\nlisten = []\ncert = \"a\"\nkey = \"b\"\n\
             [query_log]\nfile = \"c\"\n[dnstap]\n[[key]]\nname = \"k.\"\n\
             [[remote]]\nname = \"r\"\naddresses = []\n[[zone]]\nname = \"a.\"\nfile = \"d\"\n\
             [[webhook]]\nname = \"w\"\nurl = \"u\"\n",
        )
        .unwrap();
        assert_eq!(paths(&mut settings).len(), of_settings);
    }
}
