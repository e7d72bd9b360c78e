//! A paper without the person who asked: what it decided stays.

use crate::paper::Content;

/// The same paper without contact, officers' notes and instructions, which may name the person.
/// Officers stay: they signed it.
pub fn without_persons(content: Content) -> Content {
    match content {
        Content::Receipt(it) => Content::Receipt(crate::paper::Receipt { person: None, ..it }),
        Content::Disposition(it) => {
            Content::Disposition(crate::paper::Disposition { instruction: None, ..it })
        }
        Content::Verification(mut it) => {
            it.lines.iter_mut().for_each(|line| line.note.clear());
            Content::Verification(it)
        }
        Content::Notification(mut it) => {
            // The first line is the position of the person; office and place stay.
            if it.to.len() > 2 {
                it.to.remove(0);
            }
            it.points.clear();
            Content::Notification(it)
        }
        content @ (Content::Report(_) | Content::Activity(_)) => content,
    }
}
