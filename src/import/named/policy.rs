//! `dnssec-policy` of named.conf: how zones are signed.

use super::scan::Statement;
use crate::dnssec::Algorithm;
use crate::import::draft::Draft;
use crate::import::model::Signing;

/// One policy.
pub(super) fn policy(statement: &Statement, draft: &mut Draft) -> Signing {
    let mut signing = Signing { name: statement.word(1).to_owned(), ..Signing::default() };
    for option in statement.block() {
        match option.name() {
            "keys" => keys(option, &mut signing, draft),
            "nsec3param" => signing.is_nsec3 = true,
            "signatures-validity" => number("lifetime_days", 86_400, option, &mut signing, draft),
            "signatures-refresh" => number("refresh_days", 86_400, option, &mut signing, draft),
            "dnskey-ttl" => number("dnskey_ttl", 1, option, &mut signing, draft),
            "parent-ds-ttl" => number("parent_ds_ttl", 1, option, &mut signing, draft),
            "zone-propagation-delay" => {
                number("propagation_seconds", 1, option, &mut signing, draft)
            }
            _ => {
                let text = format!(
                    "dnssec-policy: {} is not taken over: gapura reckons it itself",
                    option.text()
                );
                draft.note(&option.place, text);
            }
        }
    }
    signing
}

/// `keys { csk lifetime unlimited algorithm ecdsap256sha256; … }`
fn keys(option: &Statement, signing: &mut Signing, draft: &mut Draft) {
    for key in option.block() {
        let role = key.name();
        signing.is_split |= matches!(role, "ksk" | "zsk");
        if let Some(word) = key.behind("algorithm") {
            // named takes the number in the place of the name.
            let numbered = word.parse().ok().and_then(Algorithm::from_number);
            match numbered.or_else(|| word.parse().ok()) {
                Some(algorithm) => {
                    let before = signing.algorithm.replace(algorithm.to_string());
                    if before.is_some_and(|before| before != algorithm.to_string()) {
                        let text = format!("of several algorithms, {algorithm} is taken over");
                        draft.note(&key.place, text);
                    }
                }
                None => {
                    let text =
                        format!("algorithm {word} is none of gapura's: docs/signing.md, Policies");
                    draft.note(&key.place, text);
                }
            }
        }
        let lifetime = key.behind("lifetime").unwrap_or("unlimited");
        let days = match lifetime {
            "unlimited" => Some(0),
            other => seconds(other).map(|it| it.div_ceil(86_400)),
        };
        let name = if role == "zsk" { "zsk_days" } else { "ksk_days" };
        match days {
            Some(days) => {
                signing.numbers.insert(name, days);
            }
            None => draft.note(&key.place, format!("\"{lifetime}\" is no time")),
        }
    }
}

/// A time of the policy.
fn number(
    name: &'static str,
    unit: u64,
    option: &Statement,
    signing: &mut Signing,
    draft: &mut Draft,
) {
    match seconds(option.word(1)) {
        Some(seconds) => {
            signing.numbers.insert(name, seconds.div_ceil(unit));
        }
        None => draft
            .note(&option.place, format!("{}: \"{}\" is no time", option.name(), option.word(1))),
    }
}

/// A time: seconds, `1w2d3h`, or ISO 8601 as `P1Y2M3DT4H`.
fn seconds(text: &str) -> Option<u64> {
    let text = text.to_ascii_uppercase();
    let (rest, is_iso) = match text.strip_prefix('P') {
        Some(rest) => (rest, true),
        None => (text.as_str(), false),
    };
    let (mut sum, mut number, mut in_day) = (0u64, None::<u64>, !is_iso);
    for sign in rest.chars() {
        if let Some(digit) = sign.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit))?);
            continue;
        }
        if sign == 'T' && is_iso {
            in_day = true;
            continue;
        }
        let unit = match sign {
            'Y' => 31_536_000,
            'M' if !in_day => 2_678_400,
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3_600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        sum = sum.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    sum.checked_add(number.unwrap_or(0)).filter(|_| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        for (text, expected) in [
            ("3600", Some(3_600)),
            ("1w2d", Some(777_600)),
            ("90d", Some(7_776_000)),
            ("1h30m", Some(5_400)),
            ("P30D", Some(2_592_000)),
            ("PT5M", Some(300)),
            ("P1M", Some(2_678_400)),
            ("x", None),
            ("P", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
