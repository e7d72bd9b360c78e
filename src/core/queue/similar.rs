//! Names that look alike (docs/procedure.md, Names): always a warning, never a refusal.
//!
//! Names look alike if they are one edit apart; if they are the same once hyphens are dropped and 0/o,
//! 1/l/i and rn/m count as one; or if they have the same words in another order. A series (sdn1, sdn2) is
//! reported too; the officer ticks it off.

use super::naming::telling_label;
use crate::digest::sha256_of;

/// Octets of a label at most (RFC 1035 §2.3.4); what is longer is cut off and not alike.
const LABEL_MAX: usize = 63;

/// Whether two names below a zone look alike: the labels that distinguish them do.
pub fn resemble(a: &str, b: &str) -> bool {
    a != b && alike(telling_label(a), telling_label(b))
}

/// The label that distinguishes a name below a zone, and keys under which it is found: two labels that look
/// alike have one in common, and few others have.
pub fn likeness(zone: &str, name: &str) -> (String, Vec<i64>) {
    let label = telling_label(name);
    if label.is_empty() || label.len() > LABEL_MAX {
        return (label.to_owned(), Vec::new());
    }
    let plain = Folded::plain(label);
    let plain = plain.bytes();
    let key = |kind: &str, text: &[u8]| {
        let hash = sha256_of(&[kind.as_bytes(), b"\0", zone.as_bytes(), b"\0", text]);
        hash.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
    };
    // One edit apart is: equal after at most one octet was taken from each.
    let mut keys = vec![key("edit", plain)];
    for at in 0..plain.len() {
        keys.push(key("edit", &[&plain[..at], &plain[at + 1..]].concat()));
    }
    keys.push(key("skeleton", Folded::skeleton(plain).bytes()));
    let mut words: Vec<&str> = label.split('-').collect();
    words.sort_unstable();
    keys.push(key("words", words.join("-").as_bytes()));
    keys.sort_unstable();
    keys.dedup();
    (label.to_owned(), keys)
}

/// Whether two different labels look alike. A new name is compared with every name there is, so
/// this allocates nothing.
pub fn alike(a: &str, b: &str) -> bool {
    if a == b || a.len() > LABEL_MAX || b.len() > LABEL_MAX {
        return false;
    }
    let (x, y) = (Folded::plain(a), Folded::plain(b));
    let (x, y) = (x.bytes(), y.bytes());
    one_edit(x, y) || Folded::skeleton(x).bytes() == Folded::skeleton(y).bytes() || same_words(a, b)
}

/// A label after folding.
struct Folded([u8; LABEL_MAX], usize);

impl Folded {
    /// Nothing yet.
    fn new() -> Self {
        Self([0; LABEL_MAX], 0)
    }

    /// One octet more.
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.0.get_mut(self.1) {
            *place = byte;
            self.1 += 1;
        }
    }

    /// What is there.
    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }

    /// The label without hyphens.
    fn plain(label: &str) -> Self {
        let mut folded = Self::new();
        label.bytes().filter(|byte| *byte != b'-').for_each(|byte| folded.push(byte));
        folded
    }

    /// Look-alike characters made one: 0 and o; 1, l and i; rn and m.
    fn skeleton(plain: &[u8]) -> Self {
        let mut folded = Self::new();
        let mut at = 0;
        while at < plain.len() {
            let (byte, used) = match &plain[at..] {
                [b'r', b'n', ..] => (b'm', 2),
                [b'0', ..] => (b'o', 1),
                [b'1' | b'l', ..] => (b'i', 1),
                [byte, ..] => (*byte, 1),
                [] => break,
            };
            folded.push(byte);
            at += used;
        }
        folded
    }
}

/// At most one insertion, removal or substitution apart.
fn one_edit(a: &[u8], b: &[u8]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same_front = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let rest_long = &long[(same_front + 1).min(long.len())..];
    let from = if short.len() == long.len() { same_front + 1 } else { same_front };
    rest_long == &short[from.min(short.len())..]
}

/// The same words, split at hyphens, in another order.
fn same_words(a: &str, b: &str) -> bool {
    if !a.contains('-') || a.len() != b.len() {
        return false;
    }
    let words = |text: &str| {
        let mut words: Vec<String> = text.split('-').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    words(a) == words(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_seen() {
        for (a, b) in [
            ("babadan", "babakan"),
            ("beringin", "bringin"),
            ("cangkuang", "cengkuang"),
            ("karangsambung", "karangsembung"),
            ("purbawinangun", "purwawinangun"),
            ("winong", "wiyong"),
            ("kapetakan", "kepetakan"),
            ("pangurangan", "panguragan"),
            ("sipinter", "s1p1nter"),
            ("modern", "modem"),
            ("e-kinerja", "ekinerja"),
            ("sehat-desa", "desa-sehat"),
            ("portal0", "portalo"),
            ("sdn1sumber", "sdn2sumber"),
            ("app1", "app10"),
        ] {
            assert!(alike(a, b) && alike(b, a), "{a} {b}");
            let (ours, theirs) = (likeness("zone.", a).1, likeness("zone.", b).1);
            assert!(ours.iter().any(|key| theirs.contains(key)), "{a} {b}: no key in common");
            let elsewhere = likeness("other.", b).1;
            assert!(!ours.iter().any(|key| elsewhere.contains(key)), "{a} {b}: another zone");
        }
    }

    #[test]
    fn different_names_are_not() {
        for (a, b) in
            [("dinkes", "dinsos"), ("dlh", "dlh"), ("app9", "app10"), ("waled", "waledkota")]
        {
            assert!(!alike(a, b), "{a} {b}");
        }
    }
}
