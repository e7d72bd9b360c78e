//! Records back to text, one per line: reading what is printed yields the same records.
//!
//! Names are absolute and escaped, strings are quoted and escaped: nothing inside a record can end
//! the line, start a comment or become a directive. BIND, NSD and Knot read it, too: what one of them
//! does not know is written in the generic form (RFC 3597 §5).

use super::END_MARKER;
use crate::text::append;
use crate::wire::{RecordRef, rdata};

/// One record as one line, without the line feed.
pub fn print_record(record: RecordRef<'_>) -> String {
    let mut text = String::new();
    write_record(record, &mut text);
    text
}

/// Appends one record as one line, without the line feed.
pub fn write_record(record: RecordRef<'_>, text: &mut String) {
    rdata::write_name(record.owner, text);
    append!(text, " {} {} {} ", record.ttl, record.class, record.rtype.portable());
    let start = text.len();
    rdata::write_portable(record.rtype, record.rdata, text);
    if text.len() == start {
        text.pop();
    }
}

/// Appends one record as one line.
pub fn write_line(record: RecordRef<'_>, text: &mut String) {
    write_record(record, text);
    text.push('\n');
}

/// A whole zone as a master file that ends with the marker comment. Give the SOA first.
pub fn print_zone<'a>(records: impl Iterator<Item = RecordRef<'a>>) -> String {
    let mut text = String::new();
    for record in records {
        write_line(record, &mut text);
    }
    text.push_str(END_MARKER);
    text.push('\n');
    text
}
