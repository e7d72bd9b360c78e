//! The schema: its tables are brought up to date, and what is in it is told from what the steps make.

use std::collections::BTreeMap;

use super::fault::Fault;
#[cfg(feature = "approval")]
use super::guard;
use super::session::{Session, Turn, failed};
use super::{Database, WRITING};
use crate::lock::lock;
use crate::store::engine::Link;
use crate::store::migrations::{self, TABLE};
use crate::store::moving::Table;
use crate::store::sql::Sql;
use crate::store::value::Value;
use crate::store::{Reader, StoreError};

/// The oldest server whose words we use.
const OLDEST: i32 = 140_000;

/// What is kept of the schema's own upkeep: one line.
const UPKEEP: &str = "CREATE TABLE IF NOT EXISTS upkeep (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    -- 1 while erased data may lie in it.
    unclean BIGINT NOT NULL
);
INSERT INTO upkeep VALUES (1, 0) ON CONFLICT (one) DO NOTHING;";

/// Sees that a server can be worked on.
pub(super) fn see_that_it_fits(session: &Session) -> Result<(), StoreError> {
    let number = "SELECT current_setting('server_version_num')::int4";
    let version: i32 = session.value(number, &[]).map_err(failed)?;
    if version < OLDEST {
        return Err(refused(format!(
            "the server is PostgreSQL {}: use 14 or later",
            version / 10_000
        )));
    }
    let text = "SELECT getdatabaseencoding()::text";
    let encoding: String = session.value(text, &[]).map_err(failed)?;
    if encoding != "UTF8" {
        return Err(refused(format!(
            "the database has the encoding {encoding}: make it anew with ENCODING 'UTF8' TEMPLATE template0"
        )));
    }
    Ok(())
}

/// Warns of a server that may lose what it has acknowledged.
pub(super) fn warn_of_risk(session: &Session) -> Result<(), StoreError> {
    let text = "SELECT bool_and(setting = 'on') FROM pg_settings \
        WHERE name IN ('fsync', 'full_page_writes')";
    if !session.value::<bool>(text, &[]).map_err(failed)? {
        tracing::warn!(
            "PostgreSQL runs with fsync or full_page_writes off: what it has acknowledged may be lost with the power"
        );
    }
    Ok(())
}

/// That a server is not used as it is.
fn refused(why: String) -> StoreError {
    failed(Fault::Unfit(why))
}

/// Whether the schema has no tables of ours.
pub(super) fn is_absent(session: &Session) -> Result<bool, StoreError> {
    session.value("SELECT to_regclass('migration') IS NULL", &[]).map_err(failed)
}

/// Which database it is: the cluster, its line of history, and the schema. A restore makes another schema, or another
/// line; a fail-over another line, which is that of the log at once and that of the control file with the next checkpoint.
pub(super) fn identity(session: &Session, schema: &str) -> Result<String, StoreError> {
    let text = "SELECT concat_ws('/', \
        (SELECT system_identifier FROM pg_control_system()), \
        (SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int), \
        (SELECT oid FROM pg_namespace WHERE nspname = $1))";
    session.value(text, &[&schema]).map_err(failed)
}

/// Takes the lock of writers until the end of a transaction, whose commit waits for what the server is set to; returns the
/// transaction's number.
pub(super) fn lock_writers(turn: &Turn<'_>, schema: &str) -> Result<String, StoreError> {
    // The number is made once the lock is ours.
    let text = "SELECT pg_current_xact_id()::text, \
        set_config('synchronous_commit', current_setting('gapura.synchronous_commit'), true) \
        FROM (SELECT pg_advisory_xact_lock($1, hashtext($2)) OFFSET 0) AS locked";
    let values = [Value::Integer(i64::from(WRITING)), Value::Text(schema.into())];
    let rows = turn.rows(text, &values).map_err(|fault| StoreError::Begin(fault.into()))?;
    let number = rows.first().map(|row| row.try_get(0)).transpose()?;
    number.ok_or_else(|| failed(Fault::Busy))
}

/// Makes the schema and brings its tables up to date, all or nothing.
pub(super) fn bring_up(on: &Database, session: &mut Session) -> Result<(), StoreError> {
    let schema = &on.address.schema;
    let is_there = !is_absent(session)?;
    if is_there && is_up_to_date(on, session)? {
        return Ok(());
    }
    let turn = session.begin_write(on).map_err(failed)?;
    lock_writers(&turn, schema)?;
    // A step may rewrite a large table.
    turn.batch("SET LOCAL statement_timeout = 0")?;
    // Only who may make a schema is asked for it.
    let named = turn.rows("SELECT to_regnamespace($1) IS NULL", &[Value::Text(schema.into())]);
    if named.map_err(failed)?.first().map(|row| row.try_get(0)).transpose()? == Some(true) {
        turn.batch(&format!("CREATE SCHEMA {schema}"))?;
    }
    turn.define(TABLE)?;
    turn.batch(UPKEEP)?;
    let link = Link::Postgres(&turn);
    migrations::look(link)?;
    migrations::apply_missing(link)?;
    #[cfg(feature = "approval")]
    guard::put_triggers(&turn)?;
    turn.commit().map_err(|fault| StoreError::Commit(fault.into()))
}

/// Whether nothing has to be done.
pub(super) fn is_up_to_date(on: &Database, session: &mut Session) -> Result<bool, StoreError> {
    let turn = session.begin_read(on).map_err(failed)?;
    #[cfg(feature = "approval")]
    if !guard::has_triggers(&turn)? {
        return Ok(false);
    }
    migrations::is_up_to_date(Link::Postgres(&turn))
}

impl Turn<'_> {
    /// The tables with their columns.
    pub(in crate::store) fn tables(&self) -> Result<Vec<Table>, StoreError> {
        let text = "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) \
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
            WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind = 'r' \
            AND a.attnum > 0 AND NOT a.attisdropped GROUP BY c.relname";
        let rows = self.rows(text, &[]).map_err(failed)?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }
}

impl Database {
    /// Gives the schema another name; returns it.
    pub(in crate::store) fn put_aside(&self) -> Result<String, StoreError> {
        let schema = &self.address.schema;
        let text = "SELECT $1 || '_moved_' || to_char(now(), 'YYYYMMDDHH24MISS')";
        let mut writer = lock(&self.writer);
        let session = self.session(&mut writer)?;
        let aside: String = session.value(text, &[schema]).map_err(failed)?;
        let renamed = session.batch(&format!("ALTER SCHEMA {schema} RENAME TO {aside}"));
        renamed.map_err(failed)?;
        Ok(format!("the schema {aside} of {}", self.address))
    }

    /// Drops the schema.
    pub(in crate::store) fn discard(&self) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let session = self.session(&mut writer)?;
        let text = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.address.schema);
        session.batch(&text).map_err(failed)
    }
}

//------------ Comparing -----------------------------------------------------

/// What a schema is made of, by kind and name, with what defines it; and the steps it had.
const DESCRIBED: &str = "
WITH here AS (SELECT c.oid, c.relname::text AS name, c.relkind FROM pg_class c
    WHERE c.relnamespace = to_regnamespace($1))
SELECT 'table ' || here.name AS what, string_agg(concat_ws(' ', a.attname,
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation::regcollation,
        pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, '')), ', ' ORDER BY a.attnum) AS how
    FROM here JOIN pg_attribute a ON a.attrelid = here.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE relkind = 'r' GROUP BY here.name
UNION ALL SELECT 'relation ' || name, relkind::text FROM here
    WHERE relkind NOT IN ('r', 'i', 't')
UNION ALL SELECT 'index ' || name, pg_get_indexdef(oid) FROM here WHERE relkind = 'i'
UNION ALL SELECT 'constraint ' || here.name || ' ' || k.conname, pg_get_constraintdef(k.oid)
    FROM here JOIN pg_constraint k ON k.conrelid = here.oid
UNION ALL SELECT 'trigger ' || here.name || ' ' || t.tgname, concat(t.tgenabled, pg_get_triggerdef(t.oid))
    FROM here JOIN pg_trigger t ON t.tgrelid = here.oid WHERE NOT t.tgisinternal
UNION ALL SELECT 'rule ' || here.name || ' ' || r.rulename, pg_get_ruledef(r.oid)
    FROM here JOIN pg_rewrite r ON r.ev_class = here.oid
UNION ALL SELECT 'policy ' || here.name || ' ' || p.polname, p.polcmd::text
    FROM here JOIN pg_policy p ON p.polrelid = here.oid
UNION ALL SELECT 'function ' || f.oid::regprocedure, concat_ws(' ', f.prosecdef, f.proconfig, f.prosrc)
    FROM pg_proc f WHERE f.pronamespace = to_regnamespace($1)
UNION ALL SELECT 'event trigger ' || evtname, evtevent FROM pg_event_trigger";

/// The steps of a schema, as the description has them.
const STEPS: &str = "SELECT 'migration ' || number, checksum FROM migration";

/// The schema that is made to compare with, and undone again.
const FRESH: &str = "gapura_fresh";

#[cfg(feature = "approval")]
impl Turn<'_> {
    /// What a schema is made of that the steps of this build make now, and what ours is made of.
    pub(in crate::store) fn described(&self) -> Result<[Description; 2], StoreError> {
        let mut session = self.database.connect()?;
        let turn = session.begin_write(self.database).map_err(failed)?;
        turn.batch(&format!("CREATE SCHEMA {FRESH}; SET LOCAL search_path = {FRESH}"))?;
        turn.define(TABLE)?;
        turn.batch(UPKEEP)?;
        migrations::apply_missing(Link::Postgres(&turn))?;
        guard::put_triggers(&turn)?;
        // It is undone with the transaction.
        Ok([turn.description(FRESH)?, self.description(&self.database.address.schema)?])
    }

    /// What a schema is made of.
    fn description(&self, schema: &str) -> Result<Description, StoreError> {
        let mut rows = self.rows(DESCRIBED, &[Value::Text(schema.into())]).map_err(failed)?;
        rows.extend(self.rows(STEPS, &[]).map_err(failed)?);
        let qualified = format!("{schema}.");
        let mut found = Description::new();
        for row in rows {
            let [what, how]: [String; 2] = [row.try_get(0)?, row.try_get(1)?];
            found.insert(what.replace(&qualified, ""), how.replace(&qualified, ""));
        }
        Ok(found)
    }

    /// A number that another trigger, rule, table or function gives another value.
    pub(in crate::store) fn schema_number(&self) -> Result<i64, StoreError> {
        Reader::unguarded(Link::Postgres(self)).only(Sql(NUMBER), [])
    }
}

/// What a schema is made of, by kind and name.
type Description = BTreeMap<String, String>;

/// The number of a schema: over what acts by itself in it.
#[cfg(feature = "approval")]
const NUMBER: &str = "SELECT hashtextextended(coalesce(string_agg(it, ',' ORDER BY it), ''), 0) FROM (\
    SELECT 'c' || oid AS it FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()) \
    UNION ALL SELECT concat('t', t.oid, t.tgenabled) FROM pg_trigger t \
        JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal \
        AND c.relnamespace = to_regnamespace(current_schema()) \
    UNION ALL SELECT concat('r', r.oid, r.ev_enabled) FROM pg_rewrite r \
        JOIN pg_class c ON c.oid = r.ev_class \
        WHERE c.relnamespace = to_regnamespace(current_schema()) \
    UNION ALL SELECT concat('p', oid, '.', xmin) FROM pg_proc \
        WHERE pronamespace = to_regnamespace(current_schema())) AS parts";
