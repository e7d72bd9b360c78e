//! Which passwords are accepted: enough must remain of one after everything that guessers try first.
//!
//! No list of leaked passwords is shipped. Instead, common words, the person's own name and office,
//! keyboard rows, sequences, repetitions and years are struck out, also where digits replace letters.

use super::PeopleError;
use super::account::NewAccount;

/// Shortest password, in characters.
const CHARS_MIN: usize = 12;
/// Longest password, in bytes, so that hashing has a bound.
pub(super) const BYTES_MAX: usize = 200;
/// Distinct characters a password needs at least.
const DISTINCT_MIN: usize = 5;
/// Characters that must remain, and how many of them distinct.
const LEFT_MIN: (usize, usize) = (6, 4);
/// Shortest run on the keyboard, sequence or repetition that is struck out.
const RUN_MIN: usize = 3;
/// Shortest part of a name that is struck out.
const WORD_MIN: usize = 3;

/// Rows and columns of keyboards, and orders everybody knows; read in both directions.
const RUNS: [&str; 10] = [
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Words of the office and of people in a hurry, in Indonesian and English.
const WORDS: &str = "\
    assalamualaikum administrator alhamdulillah pemerintah diskominfo cirebonkab \
    passphrase persandian indonesia kabupaten katasandi bismillah pancasila jawabarat \
    statistik subdomain september superman password passwort matahari football baseball \
    sunshine princess iloveyou whatever starwars facebook internet computer komputer \
    aplikasi februari november desember merdeka kominfo cirebon bandung jakarta rahasia \
    cintaku welcome letmein trustno freedom michael charlie pokemon samsung petugas \
    pegawai januari agustus oktober passwd garuda sayang kucing dragon monkey master \
    shadow batman google server gapura domain kepala bidang kantor pemkab secret qwerty \
    selasa minggu bunga ninja kabid dinas admin super login masuk sandi kunci hallo hello \
    cinta maret april senin kamis jumat sabtu root user test demo kasi pass asdf love rabu";

/// Whether a password may be used by this person.
pub(super) fn password_fits(password: &str, owner: &NewAccount) -> Result<(), PeopleError> {
    if password.len() > BYTES_MAX {
        return Err(PeopleError::PasswordLong);
    }
    if password.chars().count() < CHARS_MIN {
        return Err(PeopleError::PasswordShort);
    }
    let lower: Vec<char> = password.to_lowercase().chars().collect();
    let own = own_words(owner);
    let weak = |text: &[char]| {
        let left = left_of(text, &own);
        left.len() < LEFT_MIN.0 || distinct(&left) < LEFT_MIN.1
    };
    let as_letters: Vec<char> = lower.iter().map(|c| letter(*c)).collect();
    if distinct(&lower) < DISTINCT_MIN || weak(&lower) || weak(&as_letters) {
        return Err(PeopleError::PasswordWeak);
    }
    Ok(())
}

/// The words of a person's name, account, mailbox and position, and their NIP.
fn own_words(owner: &NewAccount) -> Vec<String> {
    let fields = [&owner.name, &owner.full_name, &owner.title, &owner.email];
    let words = fields.into_iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let mut words: Vec<String> = words
        .chain(owner.nip.as_deref())
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= WORD_MIN)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

/// What remains of a password without what guessers try first.
fn left_of(text: &[char], own: &[String]) -> Vec<char> {
    let text = unit_of(text);
    let mut struck = vec![false; text.len()];
    for word in own.iter().map(String::as_str).chain(WORDS.split(' ')) {
        let word: Vec<char> = word.chars().collect();
        for at in 0..text.len().saturating_sub(word.len() - 1) {
            if text[at..at + word.len()] == word[..] {
                struck[at..at + word.len()].fill(true);
            }
        }
    }
    for at in 0..text.len() {
        let run = longest_run(&text[at..]);
        if run >= RUN_MIN {
            struck[at..at + run].fill(true);
        }
        if is_year(&text[at..]) {
            struck[at..at + 4].fill(true);
        }
    }
    text.iter().zip(struck).filter(|(_, struck)| !struck).map(|(c, _)| *c).collect()
}

/// The part that a text repeats, or all of it.
fn unit_of(text: &[char]) -> &[char] {
    let repeats = |length: &usize| (0..text.len()).all(|at| text[at] == text[at % length]);
    let unit = (1..=text.len() / 2).find(repeats);
    &text[..unit.unwrap_or(text.len())]
}

/// The length of the run on the keyboard, sequence or repetition that a text begins with.
fn longest_run(text: &[char]) -> usize {
    let same = text.iter().take_while(|c| **c == text[0]).count();
    let of_row = |row: &str| {
        let forth: Vec<char> = row.chars().collect();
        let back: Vec<char> = row.chars().rev().collect();
        [forth, back].iter().map(|row| along(row, text)).max().unwrap_or(0)
    };
    RUNS.iter().map(|row| of_row(row)).max().unwrap_or(0).max(same)
}

/// The number of characters for which a text follows a row.
fn along(row: &[char], text: &[char]) -> usize {
    let Some(start) = row.iter().position(|c| *c == text[0]) else { return 0 };
    row[start..].iter().zip(text).take_while(|(one, other)| one == other).count()
}

/// Whether a text begins with a year people remember.
fn is_year(text: &[char]) -> bool {
    let Some(year) = text.get(..4) else { return false };
    year.iter().all(char::is_ascii_digit) && matches!(year[..2], ['1', '9'] | ['2', '0'])
}

/// The letter a digit or sign stands for.
fn letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        c => c,
    }
}

/// The number of distinct characters.
fn distinct(text: &[char]) -> usize {
    let mut chars = text.to_vec();
    chars.sort_unstable();
    chars.dedup();
    chars.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guessers_try_first_is_refused() {
        let owner = NewAccount {
            name: "siti".to_owned(),
            full_name: "Siti Aminah, S.Kom.".to_owned(),
            title: "Kasi Aplikasi".to_owned(),
            rank: None,
            email: "s.aminah@cirebonkab.go.id".to_owned(),
            nip: Some("198001012005011001".to_owned()),
        };
        for weak in [
            "password1234",
            "123456789012",
            "qwertyuiopas",
            "admin12345678",
            "P@ssw0rd1234",
            "Passw0rd!2026",
            "asdfghjkl123",
            "zxcvbnm,./zxcvbnm",
            "1q2w3e4r5t6y1qaz2wsx",
            "SitiAminah1985",
            "siti.aminah.siti",
            "aminah-123456",
            "198001012005011001",
            "cirebonkab2026!",
            "Kominfo-Cirebon-2026",
            "rahasia rahasia",
            "abcdefghijkl",
            "987654321098",
            "kuda1kuda1kuda1",
            "aaaaaaaaaaaa",
            "indonesia1945",
            "1q2w3e4r5t6y7u8i9o0p",
            "qazwsxedcrfv",
            "bismillah12345",
            "gapuragapura1",
            "diskominfo123",
            "letmein2024!!",
            "kabidkasi2026",
        ] {
            let refused = password_fits(weak, &owner);
            assert!(matches!(refused, Err(PeopleError::PasswordWeak)), "{weak}");
        }
        for good in [
            "kerbau-lari-17-pagi",
            "sandal biru di jembatan",
            "Jq7#vT2wLx9k",
            "rakit.tua.1953.hujan",
            "bukan-kata-sandi",
            "tiga ekor angsa",
        ] {
            assert!(password_fits(good, &owner).is_ok(), "{good}");
        }
        assert!(matches!(password_fits("pendek", &owner), Err(PeopleError::PasswordShort)));
        let long = "kerbau-lari-17-pagi".repeat(11);
        assert!(matches!(password_fits(&long, &owner), Err(PeopleError::PasswordLong)));
    }
}
