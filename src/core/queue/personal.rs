//! Numbers of persons (NIK, 16 digits) in texts: found however they are written, and masked.
//!
//! A NIK may be written in groups, with blanks, dots, commas, hyphens, slashes or brackets between them, and in the digits of
//! any script. A NIP of 18 digits is no NIK, nor are the addresses of machines.
//! (docs/procedure.md, Personal data)

use std::net::Ipv4Addr;

use super::person::NIP_DIGITS;

/// Digits of a NIK.
const NIK_DIGITS: usize = 16;
/// Characters between two groups of digits that still belong together.
const GAP_MAX: usize = 3;
/// The zeros of the scripts whose digits people type or paste (Unicode, category Nd).
const ZEROS: [u32; 24] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
    0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1b50, 0x1bb0, 0xa9d0, 0xaa50, 0xff10, 0x1d7ce,
];

/// Replaces the digits of every number that may be a NIK by asterisks.
pub fn mask_personal_numbers(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for group in found(&chars) {
        chars[group].fill('*');
    }
    chars.into_iter().collect()
}

/// Whether a text holds a number that may be a NIK.
pub(super) fn holds_personal_number(text: &str) -> bool {
    !found(&text.chars().collect::<Vec<_>>()).is_empty()
}

/// The groups of digits that make up such numbers.
fn found(chars: &[char]) -> Vec<std::ops::Range<usize>> {
    let groups = groups(chars);
    let mut found = Vec::new();
    let mut from = 0;
    while from < groups.len() {
        let taken = nik_at(chars, &groups[from..]);
        found.extend(groups[from..from + taken].iter().cloned());
        from += taken.max(1);
    }
    found
}

/// How many groups from the first one on are a NIK; 0 if none are.
fn nik_at(chars: &[char], groups: &[std::ops::Range<usize>]) -> usize {
    let mut digits = 0;
    for (count, group) in groups.iter().enumerate() {
        if count > 0 && !belong_together(chars, groups[count - 1].end, group.start) {
            break;
        }
        digits += group.len();
        // A number in one piece that is longer hides one all the same, unless it is a NIP.
        let one_piece = count == 0 && digits > NIK_DIGITS && digits != NIP_DIGITS;
        if digits == NIK_DIGITS || one_piece {
            return count + 1;
        }
        if digits > NIK_DIGITS {
            break;
        }
    }
    0
}

/// Whether only separators stand between two groups, and few of them.
fn belong_together(chars: &[char], end: usize, start: usize) -> bool {
    let is_gap = |c: &char| {
        c.is_whitespace()
            || matches!(c, '.' | ',' | ';' | '-' | '_' | '/' | '\\' | '|' | ':' | '(' | ')' | '·')
            || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}')
            // What takes no room.
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
    };
    start - end <= GAP_MAX && chars[end..start].iter().all(is_gap)
}

/// The runs of digits, but for those of addresses.
fn groups(chars: &[char]) -> Vec<std::ops::Range<usize>> {
    let mut groups = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !is_digit(chars[at]) {
            at += 1;
            continue;
        }
        let run =
            |wanted: fn(char) -> bool| at + chars[at..].iter().take_while(|c| wanted(**c)).count();
        let dotted: String = chars[at..run(|c| c.is_ascii_digit() || c == '.')].iter().collect();
        let dotted = dotted.trim_end_matches('.');
        if dotted.parse::<Ipv4Addr>().is_ok() {
            at += dotted.len();
            continue;
        }
        let end = run(is_digit);
        groups.push(at..end);
        at = end;
    }
    groups
}

/// Whether a character is a decimal digit of some script.
fn is_digit(c: char) -> bool {
    let code = u32::from(c);
    let digits = |zero: &u32| (*zero..zero + 10).contains(&code);
    // The mathematical alphabets have five sets in a row.
    ZEROS.iter().any(digits) || (0x1d7ce..=0x1d7ff).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nik_is_found_however_it_is_written() {
        for text in [
            "NIK 3209123456789012.",
            "3209 1234 5678 9012",
            "3209.1234.5678.9012",
            "320912-345678-9012",
            "32-09-12-345678-9012",
            "32 09 12 345678 9012",
            "3 2 0 9 1 2 3 4 5 6 7 8 9 0 1 2",
            "3209 - 1234 - 5678 - 9012",
            "3209\u{a0}1234\u{2013}5678\u{2212}9012",
            "3209/1234/5678/9012",
            "3209_1234_5678_9012",
            "3209,1234,5678,9012",
            "(3209)12345678(9012)",
            "3209|1234|5678|9012",
            "3209\u{200b}1234\u{2060}56789012",
            "３２０９１２３４５６７８９０１２",
            "٣٢٠٩١٢٣٤٥٦٧٨٩٠١٢",
            "۳۲۰۹ ۱۲۳۴ ۵۶۷۸ ۹۰۱۲",
            "३२०९१२३४५६७८९०१२",
            "꧓꧒꧐꧙꧑꧒꧓꧔꧕꧖꧗꧘꧙꧐꧑꧒",
            "3209123456789012345",
            "a3209123456789012b",
            "3209123456789012@surel.id",
            "2026-11 3209123456789012",
        ] {
            assert!(holds_personal_number(text), "{text}");
            let masked = mask_personal_numbers(text);
            assert!(!holds_personal_number(&masked), "{masked}");
            assert!(masked.contains("**") || masked.contains("* "), "{masked}");
        }
        assert_eq!(mask_personal_numbers("NIK 3209 1234 5678 9012!"), "NIK **** **** **** ****!");
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "NIP 198501012010011001",
            "NIP 19850101 201001 1 001",
            "0231-8330-123, 0812-3456-7890",
            "192.0.2.110 192.0.2.111",
            "v=spf1 ip4:103.28.12.0/24 ip4:103.28.13.0/24 -all",
            "Surat 440/12/Ds tanggal 23-11-2026",
            "2026-11-23 sampai 2027-11-23",
            "123456789012345",
        ] {
            assert_eq!(mask_personal_numbers(text), text);
        }
    }
}
