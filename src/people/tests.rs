//! Accounts from the outside: links, sign-in, lockout, second factor, tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::audit::testing::Chain;
use crate::store::Store;

/// A password that fits.
const PASSWORD: &str = "kerbau-lari-17-pagi";

/// A directory whose database verifies at the end.
struct House {
    _chain: Chain,
    _dir: tempfile::TempDir,
}

/// A roster in a directory of its own, and the clock's hand.
fn roster(totp: TotpRule) -> (People, Arc<AtomicI64>, House) {
    let dir = tempfile::tempdir().unwrap();
    let time = Arc::new(AtomicI64::new(1_795_500_000_000));
    let hand = Arc::clone(&time);
    let mut options = Options::new(Arc::new(move || hand.load(Ordering::Relaxed)));
    options.totp = totp;
    options.decide_tokens = true;
    let store = Store::open(dir.path()).unwrap();
    let _chain = Chain::of(&store, dir.path());
    (People::new(store, options), time, House { _chain, _dir: dir })
}

/// The fields of an account.
fn fields(name: &str, email: &str, nip: Option<&str>) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        email: email.to_owned(),
        nip: nip.map(str::to_owned),
        ..NewAccount::default()
    }
}

#[test]
fn the_first_administrator_comes_by_a_link_that_works_once() {
    let (people, time, _dir) = roster(TotpRule::Optional);
    let old = people.first_link().unwrap().unwrap();
    let link = people.first_link().unwrap().unwrap();
    assert!(matches!(people.link(&old.token), Err(PeopleError::LinkGone)), "replaced");
    let wanted = Redemption {
        account: fields("sari", "sari@cirebonkab.go.id", None),
        password: PASSWORD.to_owned(),
    };
    let weak = Redemption { password: "pendek".to_owned(), ..wanted.clone() };
    assert!(matches!(people.redeem(&link.token, &weak), Err(PeopleError::PasswordShort)));
    let admin = people.redeem(&link.token, &wanted).unwrap();
    assert_eq!(admin.role, Role::Operator);
    assert!(matches!(people.redeem(&link.token, &wanted), Err(PeopleError::LinkGone)));
    assert!(people.first_link().unwrap().is_none());

    let by = By::Officer(admin);
    let invited = people.invite(&by, Role::Verifier, "budi@cirebonkab.go.id").unwrap();
    time.fetch_add(4 * 86_400_000, Ordering::Relaxed);
    assert!(matches!(people.link(&invited.token), Err(PeopleError::LinkGone)), "expired");
}

#[test]
fn one_person_holds_one_role() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    let add = |role, new: &NewAccount| people.add(&By::Console, role, new, PASSWORD);
    let nip = Some("198001012005011001");
    add(Role::Head, &fields("kabid", "kabid@cirebonkab.go.id", nip)).unwrap();
    let same_mail = fields("kasi", "KABID@cirebonkab.go.id", None);
    assert!(matches!(add(Role::Verifier, &same_mail), Err(PeopleError::EmailTaken)));
    let same_nip = fields("kasi", "kasi@cirebonkab.go.id", nip);
    assert!(matches!(add(Role::Verifier, &same_nip), Err(PeopleError::NipTaken)));
    let kabid = By::Officer(people.by_name("kabid").unwrap());
    let refused = people.invite(&kabid, Role::Verifier, "kasi@cirebonkab.go.id");
    assert!(matches!(refused, Err(PeopleError::NotAllowed)));
}

#[test]
fn five_failures_lock_and_time_opens() {
    let (people, time, _dir) = roster(TotpRule::Optional);
    let new = fields("kasi", "kasi@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    for _ in 0..5 {
        assert!(matches!(people.sign_in("kasi", "salah-sama-sekali"), Err(SignInError::Wrong)));
    }
    assert!(matches!(people.sign_in("kasi", PASSWORD), Err(SignInError::Locked { .. })));
    assert!(matches!(people.sign_in("siapa", PASSWORD), Err(SignInError::Wrong)));
    time.fetch_add(61_000, Ordering::Relaxed);
    let signed_in = people.sign_in("kasi", PASSWORD).unwrap();
    assert_eq!(signed_in.session.stage, Stage::Full);
    time.fetch_add(29 * 60_000, Ordering::Relaxed);
    assert!(people.session(&signed_in.token).unwrap().is_some());
    time.fetch_add(31 * 60_000, Ordering::Relaxed);
    assert!(people.session(&signed_in.token).unwrap().is_none(), "idle");
}

#[test]
fn a_code_is_taken_once_and_a_role_change_ends_sessions() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let new = fields("kasi", "kasi@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    let first = people.sign_in("kasi", PASSWORD).unwrap();
    assert_eq!(first.session.stage, Stage::Enrol);
    let enrolment = people.begin_enrolment(&first.token).unwrap();
    assert!(enrolment.url.starts_with("otpauth://totp/"), "{}", enrolment.url);
    let code = |time: i64| code_of(&enrolment, time);
    let now = time.load(Ordering::Relaxed);
    assert!(people.finish_enrolment(&first.token, OldProof::default(), "000000").is_err());
    let full = people.finish_enrolment(&first.token, OldProof::default(), &code(now)).unwrap();
    assert_eq!(full.session.stage, Stage::Full);
    assert!(people.session(&first.token).unwrap().is_none(), "rotated");

    let again = people.sign_in("kasi", PASSWORD).unwrap();
    assert_eq!(again.session.stage, Stage::Code);
    assert!(
        matches!(people.enter_code(&again.token, &code(now)), Err(SignInError::Wrong)),
        "reuse"
    );
    let later = time.fetch_add(60_000, Ordering::Relaxed) + 60_000;
    people.enter_code(&again.token, &code(later)).unwrap();

    people.set_role(&By::Console, "kasi", Role::Auditor).unwrap();
    assert!(people.session(&full.token).unwrap().is_none(), "role changed");
}

/// The code an authenticator shows at this time.
fn code_of(enrolment: &Enrolment, time: i64) -> String {
    let key = enrolment.secret.replace(' ', "");
    let key = data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap();
    let totp = totp_rs::Builder::new().with_secret(key).build().unwrap();
    totp.generate(u64::try_from(time / 1000).unwrap()).to_string()
}

/// A kasi who has just signed in for the first time and set up a second factor.
fn enrolled(people: &People) -> (SignedIn, Enrolment) {
    let new = fields("kasi", "kasi@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    let first = people.sign_in("kasi", PASSWORD).unwrap();
    let enrolment = people.begin_enrolment(&first.token).unwrap();
    let code = code_of(&enrolment, people.now_ms());
    (people.finish_enrolment(&first.token, OldProof::default(), &code).unwrap(), enrolment)
}

/// A token that may decide.
fn decide_token(people: &People, name: &str) -> String {
    let wish = NewToken {
        label: "skrip".to_owned(),
        scopes: "decide".parse().unwrap(),
        network: None,
        days: None,
    };
    people.create_token(name, PASSWORD, &wish).unwrap().token
}

/// Whether a bearer token works.
fn works(people: &People, token: &str) -> bool {
    people.bearer(token, "10.1.2.3".parse().unwrap()).unwrap().is_some()
}

#[test]
fn a_session_alone_replaces_no_second_factor() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let (session, phone) = enrolled(&people);
    let token = decide_token(&people, "kasi");
    let wait = |minutes: i64| time.fetch_add(minutes * 60_000, Ordering::Relaxed);
    wait(20);
    let thief = people.begin_enrolment(&session.token).unwrap();
    let now = people.now_ms();
    let (new, old) = (code_of(&thief, now), code_of(&phone, now));
    for (password, code) in [("", ""), (PASSWORD, ""), (PASSWORD, &new), ("", &old)] {
        let proof = OldProof { password, code };
        let tried = people.finish_enrolment(&session.token, proof, &new);
        assert!(matches!(tried, Err(SignInError::Wrong)), "{password:?} {code:?}");
    }
    let half = people.enter_code(&session.token, &old);
    assert!(matches!(half, Err(SignInError::Wrong)), "a code alone is no proof");
    assert!(works(&people, &token));

    let other = people.sign_in("kasi", PASSWORD).unwrap();
    let other = people.enter_code(&other.token, &old).unwrap();
    wait(1);
    let enrolment = people.begin_enrolment(&session.token).unwrap();
    assert_ne!(enrolment.secret, thief.secret, "nobody else has seen the one in use");
    let now = people.now_ms();
    let (new, old) = (code_of(&enrolment, now), code_of(&phone, now));
    let proof = OldProof { password: PASSWORD, code: &old };
    people.finish_enrolment(&session.token, proof, &new).unwrap();
    assert!(people.session(&other.token).unwrap().is_none(), "other sessions end");
    assert!(!works(&people, &token), "tokens end");
}

#[test]
fn only_password_and_code_renew_the_proof_and_the_end_of_a_session() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let (mut session, phone) = enrolled(&people);
    let began = people.now_ms();
    let wait = |minutes: i64| time.fetch_add(minutes * 60_000, Ordering::Relaxed);
    wait(20);
    let enrolment = people.begin_enrolment(&session.token).unwrap();
    let now = people.now_ms();
    let (new, old) = (code_of(&enrolment, now), code_of(&phone, now));
    let proof = OldProof { password: PASSWORD, code: &old };
    session = people.finish_enrolment(&session.token, proof, &new).unwrap();
    let kept = people.session(&session.token).unwrap().unwrap();
    assert!(session.session.is_stale(now) && kept.is_stale(now), "no proof for a decision");
    while people.now_ms() < began + 7 * 3_600_000 {
        wait(25);
        assert!(people.session(&session.token).unwrap().is_some(), "in use");
    }
    time.store(began + 8 * 3_600_000 + 1, Ordering::Relaxed);
    assert!(people.session(&session.token).unwrap().is_none(), "8 hours from the sign-in");

    // A code that comes long after its password proves no more than the password did.
    let half = people.sign_in("kasi", PASSWORD).unwrap();
    wait(20);
    let code = code_of(&enrolment, people.now_ms());
    let full = people.enter_code(&half.token, &code).unwrap();
    assert!(full.session.is_stale(people.now_ms()));
    wait(1);
    let code = code_of(&enrolment, people.now_ms());
    let again = people.prove_again(&full.token, PASSWORD, &code).unwrap();
    assert!(!again.session.is_stale(people.now_ms()));
}

#[test]
fn tokens_and_links_end_with_what_they_rest_on() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    let add = |name: &str, role| {
        let new = fields(name, &format!("{name}@cirebonkab.go.id"), None);
        people.add(&By::Console, role, &new, PASSWORD).unwrap()
    };
    let (first, _) = (add("admin1", Role::Operator), add("admin2", Role::Operator));
    add("siti", Role::Verifier);
    let redemption = Redemption { password: PASSWORD.to_owned(), ..Redemption::default() };
    let token = decide_token(&people, "siti");
    let reset = people.reset_link(&By::Console, "siti").unwrap();
    people.redeem(&reset.token, &redemption).unwrap();
    assert!(!works(&people, &token), "the password was reset");

    let token = decide_token(&people, "siti");
    let reset = people.reset_link(&By::Console, "siti").unwrap();
    people.set_password("siti", PASSWORD).unwrap();
    assert!(!works(&people, &token), "the password was set");
    assert!(matches!(people.redeem(&reset.token, &redemption), Err(PeopleError::LinkGone)));

    let token = decide_token(&people, "siti");
    people.disable(&By::Console, "siti").unwrap();
    people.enable(&By::Console, "siti").unwrap();
    assert!(!works(&people, &token), "switching on revives nothing");

    let by = By::Officer(first);
    let invited = |email: &str| people.invite(&by, Role::Verifier, email).unwrap().token;
    let (one, other) = (invited("jahat@x.id"), invited("jahat2@x.id"));
    let reset = people.reset_link(&by, "siti").unwrap();
    people.disable(&By::Console, "admin1").unwrap();
    people.enable(&By::Console, "admin1").unwrap();
    for link in [&one, &other, &reset.token] {
        assert!(matches!(people.link(link), Err(PeopleError::LinkGone)), "its maker was disabled");
    }
    let link = invited("jahat@x.id");
    people.set_role(&By::Console, "admin1", Role::Auditor).unwrap();
    assert!(matches!(people.link(&link), Err(PeopleError::LinkGone)), "its maker is no admin");
}

#[test]
fn tokens_know_their_scope_network_and_end() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let new = fields("kasi", "kasi@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    let wish = NewToken {
        label: "skrip".to_owned(),
        scopes: "read,decide".parse().unwrap(),
        network: Some("10.1.0.0/16".to_owned()),
        days: Some(30),
    };
    assert!(matches!(
        people.create_token("kasi", "bukan-kata-sandi", &wish),
        Err(PeopleError::WrongPassword)
    ));
    let issued = people.create_token("kasi", PASSWORD, &wish).unwrap();
    let near = "10.1.2.3".parse().unwrap();
    let bearer = people.bearer(&issued.token, near).unwrap().unwrap();
    assert!(bearer.scopes.has(Scope::Decide) && !bearer.scopes.has(Scope::Submit));
    assert!(people.bearer(&issued.token, "10.2.2.3".parse().unwrap()).unwrap().is_none());
    assert!(people.bearer("gpr_lain", near).unwrap().is_none());
    time.fetch_add(31 * 86_400_000, Ordering::Relaxed);
    assert!(people.bearer(&issued.token, near).unwrap().is_none(), "ended");
}

#[test]
fn a_stand_in_has_one_chair_and_it_is_named() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    for (name, role) in [
        ("rina", Role::Head),
        ("siti", Role::Verifier),
        ("tono", Role::Verifier),
        ("dewi", Role::Operator),
    ] {
        let new = fields(name, &format!("{name}@cirebonkab.go.id"), None);
        people.add(&By::Console, role, &new, PASSWORD).unwrap();
    }
    let head = people.by_name("rina").unwrap();
    let record = |role, holder: &str| {
        let new = NewActing {
            name: "dewi".to_owned(),
            role,
            holder: holder.to_owned(),
            style: ActingStyle::Plh,
            letter: "800/7".to_owned(),
            starts_ms: people.now_ms(),
            ends_ms: people.now_ms() + 86_400_000,
        };
        people.record_acting(&head, &new)
    };
    for holder in ["", "rina", "siapa"] {
        let refused = record(Role::Verifier, holder);
        assert!(matches!(refused, Err(PeopleError::ActingHolder)), "{holder:?}");
    }
    record(Role::Verifier, "tono").unwrap();
    let tono = people.by_name("tono").unwrap().id;
    let made = people.acting_officials().unwrap().remove(0);
    assert_eq!(made.holder, tono, "the one chosen, not the first");
    assert!(matches!(record(Role::Head, ""), Err(PeopleError::ActingTwice)));
    people.end_acting(&By::Officer(head.clone()), &made.id).unwrap();
    record(Role::Head, "").unwrap();
    let rina = people.acting_officials().unwrap().into_iter().any(|it| it.holder == head.id);
    assert!(rina, "the only one with the role");
}

#[test]
fn the_last_administrator_stays() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    let new = fields("admin1", "a@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Operator, &new, PASSWORD).unwrap();
    assert!(matches!(people.disable(&By::Console, "admin1"), Err(PeopleError::LastAdmin)));
    let new = fields("admin2", "b@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Operator, &new, PASSWORD).unwrap();
    people.disable(&By::Console, "admin1").unwrap();
    assert!(matches!(people.sign_in("admin1", PASSWORD), Err(SignInError::Wrong)));
}

#[test]
fn mailbox_and_nip_are_judged_as_on_every_other_door() {
    use crate::queue::person::samples::{MAILBOXES, NIPS, NO_MAILBOXES, NO_NIPS};
    let (people, _, _dir) = roster(TotpRule::Optional);
    for email in MAILBOXES {
        people.invite(&By::Console, Role::Verifier, email).unwrap();
        fields("sari", email, None).checked().unwrap();
    }
    for email in NO_MAILBOXES {
        let invited = people.invite(&By::Console, Role::Verifier, email);
        assert!(matches!(invited, Err(PeopleError::BadEmail)), "{email}");
        let account = fields("sari", email, None).checked();
        assert!(matches!(account, Err(PeopleError::BadEmail)), "{email}");
    }
    for nip in NIPS {
        let checked = fields("sari", "a@b.id", Some(nip)).checked().unwrap();
        assert_eq!(checked.nip.as_deref(), Some("198001012005011001"), "{nip}");
    }
    for nip in NO_NIPS {
        let checked = fields("sari", "a@b.id", Some(nip)).checked();
        assert!(matches!(checked, Err(PeopleError::BadNip)), "{nip}");
    }
    assert_eq!(fields("sari", "a@b.id", Some(" ")).checked().unwrap().nip, None);
}
