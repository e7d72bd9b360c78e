//! Names as people type them: normalising what was pasted, and the mechanical label rules
//! (docs/procedure.md, Names).

use super::fault::{Fault, Rule};
pub use super::personal::mask_personal_numbers;

/// Characters a label may have at most.
pub const LABEL_MAX: usize = 30;
/// Labels a name may have below the zone, service labels not counted.
pub const LABELS_MAX: usize = 3;

/// Turns a pasted address or a written name into the form below the zone: no scheme, path, port,
/// capitals, spaces, zone or final dot. It repairs nothing else, so every other fault stays visible.
pub fn normalize(text: &str, zone: &str) -> String {
    let lower = text.trim().to_lowercase();
    let rest = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host =
        host.rsplit_once('@').map_or(host, |(user, host)| if user.is_empty() { "@" } else { host });
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let name: String = host.chars().filter(|c| !c.is_whitespace()).collect();
    let name = name.trim_end_matches('.');
    let zone = zone.trim_end_matches('.').to_lowercase();
    if name == zone {
        return String::new();
    }
    match name.strip_suffix(&zone).and_then(|rest| rest.strip_suffix('.')) {
        Some(rest) if !zone.is_empty() => rest.to_owned(),
        _ => name.to_owned(),
    }
}

/// An absolute name without its zone and the dot between them.
pub fn below<'a>(name: &'a str, zone: &str) -> &'a str {
    name.strip_suffix(zone).unwrap_or(name).trim_end_matches('.')
}

/// Every mechanical fault of a name below the zone; an officer may overrule none of them.
pub fn check(name: &str, min_length: usize) -> Vec<Fault> {
    let fault = |rule, about: &str| Fault::new("name", rule, about);
    if name.is_empty() || name.split('.').any(str::is_empty) {
        return vec![fault(Rule::NameEmpty, name)];
    }
    let labels: Vec<&str> = name.split('.').collect();
    let mut faults = Vec::new();
    let mut counted = 0;
    let mut service = true;
    for (place, label) in labels.iter().enumerate() {
        if *label == "*" {
            if place > 0 || labels.len() < 2 {
                faults.push(fault(Rule::WildcardPlace, name));
            }
            continue;
        }
        if let Some(rest) = label.strip_prefix('_') {
            // Service names stand at the front: `_acme-challenge`, `_443._tcp`.
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !service || rest.is_empty() || !rest.chars().all(plain) || label.len() > 63 {
                faults.push(fault(Rule::LabelUnderscore, label));
            }
            continue;
        }
        service = false;
        counted += 1;
        check_label(label, min_length, &mut faults);
    }
    if counted > LABELS_MAX {
        faults.push(fault(Rule::TooManyLabels, name));
    }
    faults
}

/// The rules of one ordinary label.
fn check_label(label: &str, min_length: usize, faults: &mut Vec<Fault>) {
    let mut push = |rule| faults.push(Fault::new("name", rule, label));
    if label.contains('_') {
        push(Rule::LabelUnderscore);
    }
    if !label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c)) {
        push(Rule::LabelCharacters);
        return;
    }
    if label.len() < min_length {
        push(Rule::LabelTooShort);
    }
    if label.len() > LABEL_MAX {
        push(Rule::LabelTooLong);
    }
    if label.starts_with('-') || label.ends_with('-') {
        push(Rule::LabelHyphenEnd);
    }
    if label.get(2..4) == Some("--") {
        push(Rule::LabelIdn);
    }
    if label.chars().all(|c| c.is_ascii_digit()) {
        push(Rule::LabelAllDigits);
    }
}

/// The name without wildcard and service labels in front: what the class pattern is about.
pub fn core(name: &str) -> &str {
    let mut rest = name;
    while let Some((label, tail)) = rest.split_once('.') {
        if label == "*" || label.starts_with('_') {
            rest = tail;
        } else {
            break;
        }
    }
    rest
}

/// Free text as it is kept: without numbers that may be a NIK and without control characters.
pub fn clean_text(text: &str) -> String {
    let plain = |c: &char| matches!(c, '\n' | '\t') || !(c.is_control() || misleads(*c));
    mask_personal_numbers(&text.chars().filter(plain).collect::<String>()).trim().to_owned()
}

/// Characters that are not seen and change how others are read: directions, joiners, a mark of order.
fn misleads(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The same for a text that has one line.
pub fn clean_line(text: &str) -> String {
    let spaced = |c: char| if c.is_control() { ' ' } else { c };
    clean_text(&text.chars().map(spaced).collect::<String>())
}

/// Ends of the domain names that mail programs make a link of wherever they stand.
const LINKED_ENDS: [&str; 22] = [
    "app", "biz", "club", "co", "com", "dev", "id", "info", "io", "link", "live", "me", "my",
    "net", "online", "org", "shop", "site", "store", "top", "web", "xyz",
];

/// Whether a text holds an address that whoever reads it may open: with a scheme, or one that mail
/// programs take for a link.
pub fn holds_link(text: &str) -> bool {
    // Whoever opens a name takes these for dots, too (RFC 3490 section 3.1).
    let lower = text.to_lowercase().replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut words = lower.split(|c: char| !part_of_name(c)).map(|word| word.trim_matches('.'));
    let linked = |word: &str| {
        let end = word.rsplit_once('.').filter(|(before, _)| !before.ends_with('.'));
        word.starts_with("www.") || end.is_some_and(|(_, end)| LINKED_ENDS.contains(&end))
    };
    lower.contains("://") || words.any(linked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(name: &str, rule: Rule) {
        let rules: Vec<Rule> = check(name, 3).into_iter().map(|fault| fault.rule).collect();
        assert!(rules.contains(&rule), "{name}: {rules:?}");
    }

    #[test]
    fn pasted_names_are_normalized() {
        let zone = "cirebonkab.go.id.";
        for (pasted, name) in [
            ("https://Dinkes.cirebonkab.go.id/beranda?x=1", "dinkes"),
            (" Grogol Kapetakan.desa ", "grogolkapetakan.desa"),
            ("DLH.CIREBONKAB.GO.ID.", "dlh"),
            ("http://user@dlh.cirebonkab.go.id:8080/", "dlh"),
            ("cirebonkab.go.id", ""),
            ("xcirebonkab.go.id", "xcirebonkab.go.id"),
            ("_acme-challenge.dlh", "_acme-challenge.dlh"),
        ] {
            assert_eq!(normalize(pasted, zone), name, "{pasted}");
        }
    }

    #[test]
    fn labels_are_judged_mechanically() {
        for good in
            ["dlh", "kec-waled", "grogolkapetakan.desa", "a1b", "_acme-challenge.dlh", "*.app-x"]
        {
            assert_eq!(check(good, 3), [], "{good}");
        }
        refused("", Rule::NameEmpty);
        refused("a..b", Rule::NameEmpty);
        refused("ab", Rule::LabelTooShort);
        refused(&"a".repeat(31), Rule::LabelTooLong);
        refused("-abc", Rule::LabelHyphenEnd);
        refused("abc-", Rule::LabelHyphenEnd);
        refused("xn--abc", Rule::LabelIdn);
        refused("123", Rule::LabelAllDigits);
        refused("abc.def.ghi.jkl", Rule::TooManyLabels);
        refused("abc_def", Rule::LabelUnderscore);
        refused("abc._tcp", Rule::LabelUnderscore);
        refused("kafé", Rule::LabelCharacters);
        refused("*", Rule::WildcardPlace);
        refused("abc.*", Rule::WildcardPlace);
        refused("a*c", Rule::LabelCharacters);
    }

    #[test]
    fn sixteen_digits_are_masked_and_nothing_else() {
        assert_eq!(mask_personal_numbers("a\0b"), "a\0b", "nothing else counts as masked");
        assert_eq!(clean_text(" a\0b\r\nc "), "ab\nc");
        assert_eq!(clean_text("situs\u{202e}simser \u{200b}desa"), "situssimser desa");
        assert_eq!(clean_line("Kuwu\nNIK 3209123456789012"), "Kuwu NIK ****************");
    }

    #[test]
    fn a_link_is_seen_however_it_is_written_and_titles_are_none() {
        for text in [
            "Akun Anda dihapus. Masuk: https://evil.example/masuk",
            "FTP://evil.example",
            "buka www.evil.example",
            "Buka (WWW.evil.example)",
            "klik evil.com/masuk hari ini",
            "surat ke masuk@Evil.Co.ID.",
            "Dinas evil\u{3002}com",
            "Dinas evil\u{ff0e}com/masuk",
        ] {
            assert!(holds_link(text), "{text}");
        }
        for text in [
            "Dinas Kesehatan",
            "Kec.Sumber, Ds.Sindangjawa",
            "H. Ahmad Fauzi, S.Kom., M.Si.",
            "Drs.H.Asep,M.Pd",
            "PT. Maju Jaya ...",
            "140/12/Ds.2026",
            "Bidang E-Government & TIK: seksi 2.1",
        ] {
            assert!(!holds_link(text), "{text}");
        }
    }
}
