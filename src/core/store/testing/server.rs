//! All tests on a server: with `GAPURA_TEST_DATABASE=postgres` every store that a test opens in a directory is a schema of
//! its own on one server, started for it.

use std::path::Path;
use std::sync::OnceLock;

use crate::digest::sha256_hex;
use crate::postgres_cluster::Cluster;
use crate::store::Address;

/// The server of all tests; it ends with them.
fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start_with(&["fsync=off", "max_connections=400"])).as_ref()
}

/// Whether tests are to run on the server.
pub(in crate::store) fn is_wanted() -> bool {
    std::env::var_os("GAPURA_TEST_DATABASE").is_some_and(|engine| engine == "postgres")
}

/// The schema of a directory on the server; none where tests run on files.
pub(in crate::store) fn address(directory: &Path) -> Option<Address> {
    is_wanted().then(|| on_server(directory).expect("PostgreSQL is there"))
}

/// Does what the administrator of a server can do, who need not mind what rows refer to.
pub(in crate::store) fn tamper(schema: &str, sql: &str) {
    let begin = format!("SET session_replication_role = replica; SET search_path = {schema}");
    cluster().expect("PostgreSQL is there").sql(&format!("{begin}; {}", translated(sql)));
}

/// What a test does to a file, as it is done on a server.
fn translated(sql: &str) -> String {
    let statements = sql.split_inclusive(';').filter(|it| !it.trim_start().starts_with("PRAGMA"));
    let mut text: String = statements.collect();
    while let Some((before, rest)) = text.split_once(" x'") {
        let (octets, after) = rest.split_once('\'').unwrap();
        text = format!("{before} '\\x{octets}'::bytea{after}");
    }
    text
}

/// The same whatever is wanted; none where there is no server, which is said aloud.
pub(in crate::store) fn on_server(directory: &Path) -> Option<Address> {
    let url = cluster()?.url();
    let address = Address::new(&url, "".into(), "".into()).expect("an address");
    Some(address.in_schema(format!("t{}", &sha256_hex(directory.display().to_string())[..20])))
}
