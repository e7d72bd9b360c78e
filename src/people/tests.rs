//! Accounts from the outside: links, sign-in, lockout, second factor, tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::audit::Vault;
use crate::audit::testing::Chain;
use crate::queue::Identity;
use crate::store::Store;

/// A password that fits.
const PASSWORD: &str = "kerbau-lari-17-pagi";

/// A directory whose database verifies at the end.
struct House {
    chain: Chain,
    dir: tempfile::TempDir,
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
    let chain = Chain::of(&store, dir.path());
    let vault = Vault::open(dir.path()).unwrap();
    (People::open(store, vault, options).unwrap(), time, House { chain, dir })
}

/// A network nobody has signed in from.
fn afar() -> Origin {
    Origin::network("192.0.2.1".parse().unwrap())
}

/// A browser in which somebody signed in before.
fn device() -> Origin {
    Origin::Device("d".to_owned())
}

/// The password as the only proof.
fn by_password(password: &str) -> OldProof<'_> {
    OldProof { password, code: "" }
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
fn a_stranger_uses_up_what_their_network_may_try_and_keeps_nobody_out() {
    let (people, time, _dir) = roster(TotpRule::Optional);
    let new = fields("kasi", "kasi@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    let session = people.sign_in("kasi", PASSWORD, &device()).unwrap();
    assert_eq!(session.session.stage, Stage::Full);
    let networks: Vec<Origin> =
        (1..4).map(|it| Origin::network(format!("198.51.100.{it}").parse().unwrap())).collect();
    for from in &networks {
        for _ in 0..25 {
            let wrong = people.sign_in("kasi", "salah-sama-sekali", from);
            assert!(matches!(wrong, Err(SignInError::Wrong | SignInError::TooMany { .. })));
        }
        let used_up = people.sign_in("kasi", PASSWORD, from);
        assert!(matches!(used_up, Err(SignInError::TooMany { .. })), "guesses have a bound");
    }
    // From elsewhere, from the browser they use, and in the session they have, the officer gets in.
    people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    people.sign_in("kasi", PASSWORD, &device()).unwrap();
    let again = people.prove_again(&session.token, PASSWORD, "").unwrap();
    // It fades, and right passwords use nothing up.
    time.fetch_add(4 * 60_000, Ordering::Relaxed);
    for _ in 0..30 {
        people.sign_in("kasi", PASSWORD, &networks[0]).unwrap();
    }
    // A session has a bound of its own.
    let tried = (0..20).filter(|_| {
        matches!(people.prove_again(&again.token, "salah", ""), Err(SignInError::Wrong))
    });
    assert_eq!(tried.count(), 20);
    let refused = people.prove_again(&again.token, PASSWORD, "");
    assert!(matches!(refused, Err(SignInError::TooMany { .. })));
    let signed_in = people.sign_in("kasi", PASSWORD, &device()).unwrap();
    time.fetch_add(29 * 60_000, Ordering::Relaxed);
    assert!(people.session(&signed_in.token).unwrap().is_some());
    time.fetch_add(31 * 60_000, Ordering::Relaxed);
    assert!(people.session(&signed_in.token).unwrap().is_none(), "idle");
}

#[test]
fn nothing_tells_whether_a_name_exists() {
    let (people, _, house) = roster(TotpRule::Required);
    for (name, role) in [("kasi", Role::Verifier), ("mantan", Role::Auditor)] {
        let new = fields(name, &format!("{name}@cirebonkab.go.id"), None);
        people.add(&By::Console, role, &new, PASSWORD).unwrap();
    }
    people.disable(&By::Console, "mantan").unwrap();
    let store = Store::open(house.dir.path()).unwrap();
    let head = || store.read::<_, PeopleError>(|reader| Ok(reader.chain_head()?)).unwrap();
    let before = head();
    let answers = |name: &str, password: &str| -> Vec<String> {
        let tried = (0..30).map(|_| people.sign_in(name, password, &afar()));
        tried.map(|tried| format!("{:?}", tried.map(drop).unwrap_err())).collect()
    };
    let expected = answers("siapa", "salah-sama-sekali");
    for (name, password) in
        [("kasi", "salah-sama-sekali"), ("mantan", "salah-sama-sekali"), ("mantan2", PASSWORD)]
    {
        assert_eq!(answers(name, password), expected, "{name}");
    }
    assert_eq!(head(), before, "nothing is written either");
    let pauses = |name: &str| (0..200).filter(|_| !people.pause(name, &afar()).is_zero()).count();
    assert_eq!(
        (pauses("kasi"), people.pause("kasi", &device()).is_zero()),
        (pauses("siapa"), true)
    );
    assert!(pauses("kasi") > 0);
}

#[test]
fn a_switched_off_account_answers_like_a_wrong_password() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    for name in ["kasi", "mantan"] {
        let new = fields(name, &format!("{name}@cirebonkab.go.id"), None);
        people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    }
    people.disable(&By::Console, "mantan").unwrap();
    assert!(matches!(people.sign_in("mantan", PASSWORD, &afar()), Err(SignInError::Wrong)));
}

#[test]
fn codes_have_a_bound_that_keeps_no_known_browser_out() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let (_, phone) = enrolled(&people);
    let wait = |minutes: i64| time.fetch_add(minutes * 60_000, Ordering::Relaxed);
    wait(2);
    // A stranger who knows the password guesses codes from ever other networks.
    let mut guesses = 0;
    for network in 1..20 {
        let from = Origin::network(format!("198.51.100.{network}").parse().unwrap());
        let half = people.sign_in("kasi", PASSWORD, &from).unwrap();
        for _ in 0..6 {
            match people.enter_code(&half.token, "000000", &from) {
                Err(SignInError::Wrong) => guesses += 1,
                Err(SignInError::TooMany { .. } | SignInError::NoSession) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(people.session(&half.token).unwrap().is_none(), "a half session ends after five");
    }
    assert_eq!(guesses, 10);
    let half = people.sign_in("kasi", PASSWORD, &device()).unwrap();
    let code = code_of(&phone, people.now_ms());
    people.enter_code(&half.token, &code, &device()).unwrap();
}

#[test]
fn second_factors_lie_sealed_also_those_of_earlier_versions() {
    let (people, time, house) = roster(TotpRule::Required);
    house.chain.is_edited();
    let (_, phone) = enrolled(&people);
    let secret = phone.secret.replace(' ', "");
    let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let store = Store::open(house.dir.path()).unwrap();
    let lies = || {
        let files = std::fs::read_dir(house.dir.path()).unwrap().flatten();
        let files = files.filter_map(|file| std::fs::read(file.path()).ok());
        files.into_iter().any(|file| file.windows(secret.len()).any(|part| part == secret))
    };
    assert!(!lies(), "also while it was shown");
    let write_plain = |tx: &crate::store::Tx<'_>| -> Result<(), PeopleError> {
        let mut row = tx.person_by_name("kasi")?.unwrap();
        row.totp_secret = Some(secret.clone());
        Ok(tx.put_person(&row)?)
    };
    store.write(write_plain).unwrap();
    assert!(lies());
    drop((people, store));
    let hand = Arc::clone(&time);
    let options = Options::new(Arc::new(move || hand.load(Ordering::Relaxed)));
    let vault = Vault::open(house.dir.path()).unwrap();
    let people = People::open(Store::open(house.dir.path()).unwrap(), vault, options).unwrap();
    assert!(!lies(), "sealed at the start, and cleared from the file");
    time.fetch_add(60_000, Ordering::Relaxed);
    let half = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    people.enter_code(&half.token, &code_of(&phone, people.now_ms()), &afar()).unwrap();
}

#[test]
fn a_token_takes_password_and_code() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let (session, phone) = enrolled(&people);
    time.fetch_add(60_000, Ordering::Relaxed);
    let wish = NewToken {
        label: String::new(),
        scopes: "read".parse().unwrap(),
        network: None,
        days: None,
    };
    let code = code_of(&phone, people.now_ms());
    let make = |code: &str| {
        let proof = OldProof { password: PASSWORD, code };
        people.create_token("kasi", proof, &wish, &Origin::Session("s".to_owned()))
    };
    assert!(matches!(make(""), Err(PeopleError::WrongCode)));
    assert!(matches!(make("000000"), Err(PeopleError::WrongCode)));
    assert!(works(&people, &make(&code).unwrap().token));
    assert!(matches!(make(&code), Err(PeopleError::WrongCode)), "a code is taken once");
    assert!(people.session(&session.token).unwrap().is_some());
}

#[test]
fn who_is_no_administrator_any_more_manages_nothing_also_on_an_open_page() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    let add = |name: &str, role| {
        let new = fields(name, &format!("{name}@cirebonkab.go.id"), None);
        people.add(&By::Console, role, &new, PASSWORD).unwrap()
    };
    add("admin1", Role::Operator);
    let (admin, rina) = (add("admin2", Role::Operator), add("rina", Role::Head));
    add("siti", Role::Verifier);
    let by = By::Officer(admin);
    people.set_role(&By::Console, "admin2", Role::Auditor).unwrap();
    people.disable(&By::Console, "rina").unwrap();
    let acting = NewActing {
        name: "siti".to_owned(),
        role: Role::Head,
        holder: String::new(),
        style: ActingStyle::Plh,
        letter: "800/7".to_owned(),
        starts_ms: people.now_ms(),
        ends_ms: people.now_ms() + 86_400_000,
    };
    let refused: Vec<PeopleError> = [
        people.invite(&by, Role::Verifier, "jahat@x.id").map(drop).unwrap_err(),
        people.reset_link(&by, "siti").map(drop).unwrap_err(),
        people.disable(&by, "siti").map(drop).unwrap_err(),
        people.enable(&by, "siti").map(drop).unwrap_err(),
        people.set_role(&by, "siti", Role::Head).map(drop).unwrap_err(),
        people
            .add(&by, Role::Head, &fields("baru", "x@x.id", None), PASSWORD)
            .map(drop)
            .unwrap_err(),
        people.record_acting(&rina, &acting).unwrap_err(),
    ]
    .into();
    for (at, error) in refused.iter().enumerate() {
        let named = matches!(error, PeopleError::NotAllowed);
        assert!(named, "{at}: {error}");
    }
    let open = people.open_links().unwrap();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn an_open_link_can_be_taken_back() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    let new = fields("admin1", "a@cirebonkab.go.id", None);
    let admin = people.add(&By::Console, Role::Operator, &new, PASSWORD).unwrap();
    let by = By::Officer(admin);
    let link = people.invite(&by, Role::Verifier, "siti@cirebonkab.go.id").unwrap();
    let open = people.open_links().unwrap().remove(0);
    assert!(!link.token.contains("http") && open.id.len() == 12);
    people.revoke_link(&by, &open.id).unwrap();
    assert!(matches!(people.link(&link.token), Err(PeopleError::LinkGone)));
    assert!(matches!(people.revoke_link(&by, &open.id), Err(PeopleError::LinkGone)));
}

#[test]
fn a_code_is_taken_once_and_a_role_change_ends_sessions() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let new = fields("kasi", "kasi@cirebonkab.go.id", None);
    people.add(&By::Console, Role::Verifier, &new, PASSWORD).unwrap();
    let first = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    assert_eq!(first.session.stage, Stage::Enrol);
    let enrolment = people.begin_enrolment(&first.token).unwrap();
    assert!(enrolment.url.starts_with("otpauth://totp/"), "{}", enrolment.url);
    let code = |time: i64| code_of(&enrolment, time);
    let now = time.load(Ordering::Relaxed);
    assert!(people.finish_enrolment(&first.token, OldProof::default(), "000000").is_err());
    let full = people.finish_enrolment(&first.token, OldProof::default(), &code(now)).unwrap();
    assert_eq!(full.session.stage, Stage::Full);
    assert!(people.session(&first.token).unwrap().is_none(), "rotated");

    let again = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    assert_eq!(again.session.stage, Stage::Code);
    assert!(
        matches!(people.enter_code(&again.token, &code(now), &afar()), Err(SignInError::Wrong)),
        "reuse"
    );
    let later = time.fetch_add(60_000, Ordering::Relaxed) + 60_000;
    people.enter_code(&again.token, &code(later), &afar()).unwrap();

    people.set_role(&By::Console, "kasi", Role::Auditor).unwrap();
    assert!(people.session(&full.token).unwrap().is_none(), "role changed");
}

#[test]
fn what_a_clock_that_ran_ahead_left_neither_lasts_nor_keeps_anybody_out() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let (_, phone) = enrolled(&people);
    let right = time.fetch_add(400 * 86_400_000, Ordering::Relaxed);
    let half = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    let code = code_of(&phone, people.now_ms());
    let ahead = people.enter_code(&half.token, &code, &afar()).unwrap();
    assert!(!ahead.session.is_stale(people.now_ms()));

    time.store(right + 60_000, Ordering::Relaxed);
    assert!(ahead.session.is_stale(people.now_ms()), "a proof from the future is none");
    assert!(people.session(&ahead.token).unwrap().is_none(), "nor does a session last until then");
    let half = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    let code = code_of(&phone, people.now_ms());
    people.enter_code(&half.token, &code, &afar()).unwrap();
    let half = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    let again = people.enter_code(&half.token, &code, &afar());
    assert!(matches!(again, Err(SignInError::Wrong)), "a code still counts once");
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
    let first = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    let enrolment = people.begin_enrolment(&first.token).unwrap();
    let code = code_of(&enrolment, people.now_ms());
    (people.finish_enrolment(&first.token, OldProof::default(), &code).unwrap(), enrolment)
}

/// A token that may decide.
fn decide_token(people: &People, name: &str, code: &str) -> String {
    let wish = NewToken {
        label: "skrip".to_owned(),
        scopes: "decide".parse().unwrap(),
        network: None,
        days: None,
    };
    let proof = OldProof { password: PASSWORD, code };
    people.create_token(name, proof, &wish, &Origin::Console).unwrap().token
}

/// Whether a bearer token works.
fn works(people: &People, token: &str) -> bool {
    people.bearer(token, "10.1.2.3".parse().unwrap()).unwrap().is_some()
}

#[test]
fn a_session_alone_replaces_no_second_factor() {
    let (people, time, _dir) = roster(TotpRule::Required);
    let (session, phone) = enrolled(&people);
    let wait = |minutes: i64| time.fetch_add(minutes * 60_000, Ordering::Relaxed);
    wait(1);
    let token = decide_token(&people, "kasi", &code_of(&phone, people.now_ms()));
    wait(20);
    let thief = people.begin_enrolment(&session.token).unwrap();
    let now = people.now_ms();
    let (new, old) = (code_of(&thief, now), code_of(&phone, now));
    for (password, code) in [("", ""), (PASSWORD, ""), (PASSWORD, &new), ("", &old)] {
        let proof = OldProof { password, code };
        let tried = people.finish_enrolment(&session.token, proof, &new);
        assert!(matches!(tried, Err(SignInError::Wrong)), "{password:?} {code:?}");
    }
    let half = people.enter_code(&session.token, &old, &afar());
    assert!(matches!(half, Err(SignInError::Wrong)), "a code alone is no proof");
    assert!(works(&people, &token));

    let other = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    let other = people.enter_code(&other.token, &old, &afar()).unwrap();
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
    let half = people.sign_in("kasi", PASSWORD, &afar()).unwrap();
    wait(20);
    let code = code_of(&enrolment, people.now_ms());
    let full = people.enter_code(&half.token, &code, &afar()).unwrap();
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
    let token = decide_token(&people, "siti", "");
    let reset = people.reset_link(&By::Console, "siti").unwrap();
    people.redeem(&reset.token, &redemption).unwrap();
    assert!(!works(&people, &token), "the password was reset");

    let token = decide_token(&people, "siti", "");
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
        people.create_token("kasi", by_password("bukan-kata-sandi"), &wish, &Origin::Console),
        Err(PeopleError::WrongPassword)
    ));
    let issued =
        people.create_token("kasi", by_password(PASSWORD), &wish, &Origin::Console).unwrap();
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
        ("andi", Role::Operator),
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
    assert!(
        matches!(record(Role::Verifier, "tono"), Err(PeopleError::ActingAlready(_))),
        "pressed again"
    );
    assert_eq!(people.acting_officials().unwrap().len(), 1);
    people.end_acting(&By::Officer(head.clone()), &made.id).unwrap();
    record(Role::Head, "").unwrap();
    let rina = people.acting_officials().unwrap().into_iter().any(|it| it.holder == head.id);
    assert!(rina, "the only one with the role");
    // It ends with the role it rests on, and that role again brings nothing back.
    let name = people.acting_officials().unwrap().remove(0).person;
    let all = people.list().unwrap();
    let name = &all.iter().find(|it| it.id == name).unwrap().name;
    people.set_role(&By::Console, name, Role::Auditor).unwrap();
    let is_over = |it: &ActingOfficial| it.ended_ms.is_some();
    assert!(people.acting_officials().unwrap().iter().all(is_over));
}

#[test]
fn an_account_keeps_the_mailboxes_and_nips_it_had() {
    let (people, _, _dir) = roster(TotpRule::Optional);
    let first = fields("siti", "siti@lama.id", Some("198001012005011001"));
    people.add(&By::Console, Role::Verifier, &first, PASSWORD).unwrap();
    let edit = |email, nip| people.edit(&By::Console, "siti", &fields("siti", email, nip)).unwrap();
    edit("siti@baru.id", Some("198001012005011002"));
    edit("siti@lama.id", Some("198001012005011002"));
    edit("siti@baru.id", Some("198001012005011002"));
    let row = people.store.read::<_, PeopleError>(|tx| Ok(tx.person_by_name("siti")?)).unwrap();
    let identity = row.unwrap().actor(&[]).identity;
    assert_eq!(identity.emails, ["siti@baru.id"]);
    assert_eq!(identity.former, ["198001012005011001", "siti@baru.id", "siti@lama.id"]);
    let contact = |nip, email| Identity::new(None, nip, email);
    assert!(identity.same(&contact(None, Some("siti@lama.id"))));
    assert!(contact(Some("198001012005011001"), None).same(&identity));
    assert!(!identity.same(&contact(None, Some("lain@lama.id"))));
    let acts: Vec<String> = people
        .store
        .read::<_, PeopleError>(|tx| Ok(tx.events_after(0, 100)?))
        .unwrap()
        .into_iter()
        .map(|event| event.act)
        .collect();
    assert_eq!(acts.iter().filter(|act| *act == "identity_changed").count(), 3, "{acts:?}");
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
    assert!(matches!(people.sign_in("admin1", PASSWORD, &afar()), Err(SignInError::Wrong)));
}

#[test]
fn mailbox_and_nip_are_judged_as_on_every_other_door() {
    use crate::queue::person::samples::{MAILBOXES, NIPS, NO_MAILBOXES, NO_NIPS};
    let (people, _, _dir) = roster(TotpRule::Optional);
    for email in MAILBOXES {
        assert!(email.parse::<lettre::Address>().is_ok(), "{email}");
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
