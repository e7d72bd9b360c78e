//! A table of requests that the administrator of a demonstration has uploaded but not confirmed: two rows are ready,
//! two are not.

use anyhow::Context;

use super::script::ZONE;
use crate::bulk::Table;
use crate::desk::{BulkFile, Desk};
use crate::digest::sha256_hex;
use crate::queue::Actor;
use crate::uploads::Letter;

/// The table.
const TABLE: &str = include_str!("table.csv");

/// Uploads the table and a covering letter.
pub(super) fn bring(desk: &Desk, actor: &Actor, letter: &Letter) -> anyhow::Result<()> {
    let table = Table::read(TABLE.as_bytes()).ok().context("the table does not read")?;
    let sha256 = sha256_hex(TABLE.as_bytes());
    let file = BulkFile { name: "kelurahan.csv", sha256: &sha256, table: &table };
    let id = desk.open_bulk(file, (ZONE, &[]), actor)?;
    desk.set_bulk_cover(&id, "surat-camat.pdf", letter, actor)?;
    Ok(())
}
