//! Makes changes live: every change passes through [`publish`], which checks, numbers, commits,
//! swaps and confirms proposals, and reverts them if the confirmation fails.

mod commit;
mod copying;
mod derived;
mod keeper;
mod marks;
mod note;
mod number;
mod own_file;
mod proposal;
mod publish;
mod refreshes;
mod served;
mod sign;

pub use proposal::{NoRows, NotPublished, Published, Rows, RowsFn};

pub(super) use commit::{copy_is_due, swap};
pub(super) use copying::put_aside;
pub(super) use derived::{hash_in, mask_of, path, serial_of};
pub(super) use keeper::start;
pub(super) use marks::{are_marks_copied, copied, raise_mark, raise_mark_at, read_marks};
pub(super) use note::Note;
pub(super) use number::{number, soa_record, with_serial};
pub(super) use own_file::write_file;
pub(super) use proposal::{AcceptedFile, FileFate, Held, Next, Numbering, Proposal, SigningFate};
pub(super) use publish::{publish, publish_one, without_soa};
pub(super) use refreshes::read_refreshes;
pub(super) use served::{note as copy_note, read as read_copy, trace as copy_trace};
pub(super) use sign::delta_max;
