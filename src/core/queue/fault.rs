//! Why an act was refused: stable codes for problem details, rules for the catalogue.

use serde::{Deserialize, Serialize};

use super::line::LineCode;
use super::named::named;
use super::person::Role;
use super::request::State;

//------------ TransitionError -----------------------------------------------

/// Why an act changed nothing. Tested in this order: state, person, freshness, lines.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransitionError {
    /// The act is not possible in this state.
    #[error("{act} is not possible in state {state}")]
    WrongState {
        /// The act's name.
        act: &'static str,
        /// The state found.
        state: &'static str,
    },
    /// The actor lacks the role, or another verifier holds the request.
    #[error("{0}")]
    NotAllowed(NotAllowed),
    /// Two of the three persons would be one.
    #[error("the same person already takes part as {with}")]
    SamePerson {
        /// The side the actor is on already.
        with: Role,
    },
    /// Lines or fields are missing.
    #[error("incomplete: {}", first(.0))]
    Incomplete(Vec<Fault>),
    /// The approval is about something that has changed since.
    #[error("stale: {0}")]
    Stale(Stale),
    /// The application breaks a rule that no officer may overrule at this point.
    #[error("{}", first(.0))]
    Rule(Vec<Fault>),
}

/// The first fault's text, for logs.
fn first(faults: &[Fault]) -> String {
    faults.first().map(Fault::detail).unwrap_or_default()
}

impl TransitionError {
    /// The `code` of the problem details (docs/api.md).
    pub fn code(&self) -> FaultCode {
        match self {
            Self::WrongState { .. } => FaultCode::WrongState,
            Self::NotAllowed(_) => FaultCode::NotAllowed,
            Self::SamePerson { .. } => FaultCode::SamePerson,
            Self::Incomplete(_) => FaultCode::Incomplete,
            Self::Stale(_) => FaultCode::Stale,
            Self::Rule(faults) => faults.first().map_or(FaultCode::Incomplete, |fault| fault.code),
        }
    }

    /// The single faults, by field; empty where the code says everything.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Incomplete(faults) | Self::Rule(faults) => faults,
            _ => &[],
        }
    }

    /// The error of these faults: `Incomplete` if fields are missing and nothing else; broken rules
    /// come first.
    pub fn of_faults(mut faults: Vec<Fault>) -> Self {
        if faults.iter().all(|fault| fault.code == FaultCode::Incomplete) {
            return Self::Incomplete(faults);
        }
        faults.sort_by_key(|fault| fault.code == FaultCode::Incomplete);
        Self::Rule(faults)
    }

    /// The error as a stranger may read it.
    pub fn for_stranger(self) -> Self {
        let faults = |faults: Vec<Fault>| faults.into_iter().map(Fault::for_stranger).collect();
        match self {
            Self::Incomplete(found) => Self::Incomplete(faults(found)),
            Self::Rule(found) => Self::Rule(faults(found)),
            error => error,
        }
    }

    /// What an event may say of it: lines and fields with the rules they break, never a value. The
    /// chain cannot forget, and a value may be an address or a telephone number.
    pub fn on_record(&self) -> String {
        match self {
            Self::Incomplete(faults) | Self::Rule(faults) => {
                let faults: Vec<String> = faults.iter().map(Fault::on_record).collect();
                faults.join(", ")
            }
            // Roles, states, revisions and serials.
            Self::WrongState { .. }
            | Self::NotAllowed(_)
            | Self::SamePerson { .. }
            | Self::Stale(_) => self.to_string(),
        }
    }

    /// The error of an act that is not possible in this state.
    pub fn wrong_state(act: &'static str, state: State) -> Self {
        Self::WrongState { act, state: state.as_str() }
    }
}

/// What an actor lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotAllowed {
    /// The role.
    #[error("this act needs the role {0}")]
    NeedsRole(Role),
    /// The request is assigned to another.
    #[error("another verifier holds this request")]
    NotHolder,
    /// The person to be assigned is no verifier, or unknown, or disabled.
    #[error("the person named under `to` is no active kasi")]
    AssigneeNotVerifier,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The applicant has not proven to be the applicant.
    #[error("the applicant's secret is needed")]
    NotProven,
    /// gapura asked for it by itself.
    #[error("gapura asked for this by itself: there is no applicant who could correct it")]
    NoSender,
}

/// What has changed since the approval was given.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// Another revision.
    #[error("revision {seen} was read, revision {now} is current")]
    Revision {
        /// The one that was read.
        seen: u32,
        /// The current one.
        now: u32,
    },
    /// Another candidate: the zone around the name, or the delta, has changed.
    #[error("the candidate has changed since it was read")]
    Candidate {
        /// The hash that was read.
        seen: String,
        /// The current one.
        now: String,
    },
    /// A line of the sheet fails that did not when it was read: a name above was taken out, say.
    #[error("line {line} of the check sheet no longer holds")]
    Line {
        /// Which line.
        line: LineCode,
    },
    /// Another serial, where `approval.bind = "serial"`.
    #[error("serial {seen} was read, serial {now} is served")]
    Serial {
        /// The one that was read.
        seen: u32,
        /// The current one.
        now: u32,
    },
    /// Somebody whose signature it rests on was switched off, removed or lost the role.
    #[error("the {role} who signed it may not sign any more")]
    Signer {
        /// The role the signature was given in.
        role: Role,
    },
    /// Another content of a list of the settings.
    #[error("the list was changed meanwhile")]
    List,
    /// There is no candidate at all: it does not build on the zone as served.
    #[error("there is no candidate to approve")]
    NoCandidate,
}

//------------ Fault ---------------------------------------------------------

named! {
    /// The stable codes of problem details.
    pub enum FaultCode {
        /// 409.
        WrongState = "wrong_state",
        /// 403.
        NotAllowed = "not_allowed",
        /// 403.
        SamePerson = "same_person",
        /// 422.
        Incomplete = "incomplete",
        /// 409.
        Stale = "stale",
        /// 422.
        NameRule = "name_rule",
        /// 422.
        NameTaken = "name_taken",
        /// 422.
        TargetRefused = "target_refused",
        /// 422.
        Reserved = "reserved",
        /// 413.
        TooLarge = "too_large",
        /// 422.
        LetterRefused = "letter_refused",
        /// 503.
        LetterUnchecked = "letter_unchecked",
        /// 400.
        BadRequest = "bad_request",
    }
}

/// One fault: its field, its code, its rule, and what it is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// The field in the JSON of docs/api.md (`name`, `records.0.data`), or the line's code.
    pub field: String,
    /// The code, for programs.
    pub code: FaultCode,
    /// The rule, for the catalogue.
    pub rule: Rule,
    /// The other name, the address, the list: what the text needs. May be empty.
    pub about: String,
}

impl Fault {
    /// A fault with the code of its rule.
    pub fn new(field: impl Into<String>, rule: Rule, about: impl Into<String>) -> Self {
        Self { field: field.into(), code: rule.code(), rule, about: about.into() }
    }

    /// The fault as a stranger may read it: without the number of somebody else's request.
    pub fn for_stranger(mut self) -> Self {
        if self.rule == Rule::OtherRequest {
            self.about.clear();
        }
        self
    }

    /// Field and rule, without what it is about.
    fn on_record(&self) -> String {
        format!("{} {}", self.field, self.rule)
    }

    /// The English text for logs and the API.
    pub fn detail(&self) -> String {
        let text = self.rule.text();
        if self.about.is_empty() { text.to_owned() } else { format!("{text}: {}", self.about) }
    }
}

/// Makes [`Rule`] with each rule's word, code and English text side by side.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $word:literal => $code:ident, $text:literal;)*) => {
        named! {
            /// Every single rule a request can break; each is a message in the catalogue.
            pub enum Rule { $($(#[$doc])* $name = $word,)* }
        }

        impl Rule {
            /// Its code.
            pub fn code(self) -> FaultCode {
                match self { $(Self::$name => FaultCode::$code,)* }
            }

            /// What is wrong, in English, for logs and the API.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

rules! {
    /// A field without content.
    Empty = "empty" => Incomplete, "this must be filled in";
    /// A date that cannot be read.
    BadDate = "bad_date" => Incomplete, "not a date (YYYY-MM-DD) or a time (RFC 3339)";
    /// An end before the start or in the past.
    EndsBeforeStart = "ends_before_start" => Incomplete, "the end must lie in the future and after the start";
    /// A mail address without a mailbox or domain.
    BadEmail = "bad_email" => Incomplete, "not a mail address";
    /// A NIP without exactly 18 digits.
    BadNip = "bad_nip" => Incomplete, "a NIP has 18 digits";
    /// A telephone number without enough digits, or with letters.
    BadPhone = "bad_phone" => Incomplete, "not a telephone number";
    /// A letter from tomorrow or later.
    LetterDateAhead = "letter_date_ahead" => Incomplete, "the letter's date lies ahead";
    /// A 16-digit number in free text.
    PersonalNumber = "personal_number" => Incomplete, "leave out numbers of 16 digits: gapura keeps no NIK";
    /// Text longer than the limit.
    TooLong = "too_long" => Incomplete, "too long";
    /// A link in a line that stands in mails.
    HoldsLink = "holds_link" => Incomplete, "leave out web addresses";
    /// No record where one is needed.
    NoRecords = "no_records" => Incomplete, "at least one record is needed";
    /// No record yet: the site is to have a place by a day that the applicant named.
    NoTargetYet = "no_target_yet" => Incomplete, "the site has no place yet: records are needed before the name can go live";
    /// The day by which the site is to have a place is over, or too far away.
    HostingDateAway = "hosting_date_away" => Incomplete, "the day must lie ahead, within 90 days";
    /// Records where none belong.
    RecordsNotWanted = "records_not_wanted" => Incomplete, "this kind of request brings no records";
    /// No letter file.
    NoLetter = "no_letter" => Incomplete, "the letter is missing";
    /// The class needs an end date.
    EndDateNeeded = "end_date_needed" => Incomplete, "this class needs an end date";
    /// An ormas asks for more than a year.
    EndDateTooFar = "end_date_too_far" => Incomplete, "the end date lies too far away";
    /// A name that is put back needs another end than the one that is past.
    EndPassed = "end_passed" => Incomplete, "the approved end is past: name a new one";
    /// A region code that is not in the list.
    UnknownRegion = "unknown_region" => Incomplete, "this region code is not in the list";
    /// A class that is not in the list.
    UnknownClass = "unknown_class" => Incomplete, "there is no such class";
    /// A number that a spreadsheet wrote anew, as 8,12E+11.
    CellSpoilt = "cell_spoilt" => Incomplete, "the spreadsheet changed this number: format the column as text and enter it again";
    /// A row with more cells than there are columns.
    RowTooLong = "row_too_long" => Incomplete, "this row has more cells than there are columns";
    /// Another row asks for the same name.
    TwiceInFile = "twice_in_file" => Incomplete, "another row asks for the same name, in line";
    /// A row that could not be filed.
    NotFiled = "not_filed" => Incomplete, "it could not be filed";
    /// A line nobody looked at.
    LineNotChecked = "line_not_checked" => Incomplete, "this line has not been checked";
    /// A line whose verdict is fix or bad.
    LineNotOk = "line_not_ok" => Incomplete, "the verdict on this line is not ok";
    /// A verdict other than ok without a note.
    NoteNeeded = "note_needed" => Incomplete, "a note is needed";
    /// Return without a line to be corrected.
    NoLineToFix = "no_line_to_fix" => Incomplete, "at least one line must need correction";
    /// Reject without a line that does not fit.
    NoLineBad = "no_line_bad" => Incomplete, "at least one line must not fit";
    /// A reject reason that is not in the list.
    UnknownReason = "unknown_reason" => Incomplete, "unknown reason code";
    /// An automatic line that nobody may overrule.
    LineNeverOverruled = "line_never_overruled" => Incomplete, "this automatic line failed and cannot be overruled";
    /// The second signature is missing.
    SecondSignatureNeeded = "second_signature_needed" => Incomplete, "the second signature is missing";
    /// The time of promotion has not come.
    NotYet = "not_yet" => Incomplete, "the start time has not come";
    /// A month that still runs cannot be closed.
    MonthNotOver = "month_not_over" => Incomplete, "the month is not over";
    /// The probe is missing or too old.
    ProbeMissing = "probe_missing" => Incomplete, "no probe of the last 10 minutes";
    /// No party was asked.
    NothingAsked = "nothing_asked" => Incomplete, "no party was asked to agree";
    /// No request for a name has this number.
    UnknownRequest = "unknown_request" => Incomplete, "no request has this number";
    /// The change to take back was not made, or not on this name.
    RollbackUnknown = "rollback_unknown" => Incomplete, "no change of this name that went live has this number";
    /// A delegation to one name server only.
    OneNameServer = "one_name_server" => Incomplete, "a delegation needs two name servers at least";
    /// Newer changes depend on what the change would take back.
    RollbackConflict = "rollback_conflict" => Incomplete, "later changes to the same RRsets prevent it";

    /// Hours that cannot be read, or that end before they begin.
    BadHours = "bad_hours" => Incomplete, "hours read like 08:00-12:00,13:00-16:00, each ends after it begins";
    /// A week without one working hour.
    ClosedWeek = "closed_week" => Incomplete, "the office must be open on one day at least";
    /// An end before the beginning, or a time longer than a year.
    BadPeriod = "bad_period" => Incomplete, "the last day must follow the first, within a year";
    /// Control characters, or a number of 16 digits.
    BadText = "bad_text" => Incomplete, "this text has signs that cannot be kept";
    /// Two rows with the same first cell.
    DoubledRow = "doubled_row" => Incomplete, "this row is there already";
    /// More cells than the list has columns.
    RowWidth = "row_width" => Incomplete, "a line has these columns";
    /// More rows than a list may have.
    TooManyRows = "too_many_rows" => Incomplete, "too many rows";
    /// A list without rows that needs some.
    ListEmpty = "list_empty" => Incomplete, "this list cannot be empty";
    /// A list of which more than half would go.
    ListShrinks = "list_shrinks" => Incomplete, "more than half of the list would go: confirm that this is meant";
    /// A code of a unit that does not read, or does not fit its level.
    BadRegionCode = "bad_region_code" => Incomplete, "a code reads like 32.09.22 for a kecamatan, 32.09.22.2015 for a village";
    /// A level that is none.
    UnknownLevel = "unknown_level" => Incomplete, "a unit is a kecamatan, a kelurahan or a desa";
    /// A village without its district.
    NoDistrict = "no_district" => Incomplete, "the kecamatan of this village is not in the list";
    /// A pattern of reserved names that does not read.
    BadPattern = "bad_pattern" => Incomplete, "a reserved name is one label, or the beginning of one and *";
    /// A suffix that is no domain name of two labels or more.
    BadSuffix = "bad_suffix" => Incomplete, "a suffix is a domain name with a dot in it";
    /// No network.
    BadNetwork = "bad_network" => Incomplete, "a network reads like 192.0.2.0/24 or 2001:db8::/32";
    /// A network so wide that it says nothing.
    NetworkTooWide = "network_too_wide" => Incomplete, "this network is too wide to be in one country";
    /// A key that is none, or a choice that is none.
    UnknownKey = "unknown_key" => Incomplete, "unknown";
    /// An address of a site that does not read.
    BadSite = "bad_site" => Incomplete, "an address of a site begins with https:// or http://";

    /// No label at all, or an empty one.
    NameEmpty = "name_empty" => NameRule, "the name is empty or has an empty label";
    /// The name is not below the zone.
    NotInZone = "not_in_zone" => NameRule, "the name is not in a zone gapura serves";
    /// A character outside a-z, 0-9, hyphen.
    LabelCharacters = "label_characters" => NameRule, "only a-z, 0-9 and the hyphen are allowed";
    /// Too few characters.
    LabelTooShort = "label_too_short" => NameRule, "too short";
    /// Too many characters.
    LabelTooLong = "label_too_long" => NameRule, "too long";
    /// A hyphen at either end.
    LabelHyphenEnd = "label_hyphen_end" => NameRule, "a label must not begin or end with a hyphen";
    /// A hyphen in places 3 and 4.
    LabelIdn = "label_idn" => NameRule, "no hyphens in places 3 and 4 (no IDN)";
    /// Digits only.
    LabelAllDigits = "label_all_digits" => NameRule, "a label must not consist of digits only";
    /// More than three labels.
    TooManyLabels = "too_many_labels" => NameRule, "at most 3 labels below the zone";
    /// An underscore outside a service name.
    LabelUnderscore = "label_underscore" => NameRule, "the underscore is for service names only";
    /// A wildcard not at the front.
    WildcardPlace = "wildcard_place" => NameRule, "a wildcard must be the whole first label, and not directly below the zone";
    /// The class has another pattern.
    ClassPattern = "class_pattern" => NameRule, "the name does not have the pattern of its class";
    /// The bare form of a doubled village name.
    DoubledName = "doubled_name" => NameRule, "several villages have this name: add the kecamatan";
    /// Not among the villages, districts or offices.
    NotInList = "not_in_list" => NameRule, "not in the list of regions or offices";
    /// The name and the region code do not belong together.
    RegionDiffers = "region_differs" => NameRule, "the name does not belong to the region code";
    /// The office has a name already.
    SecondNameOfOffice = "second_name_of_office" => NameRule, "the office has a name already";
    /// Ormas are switched off.
    ClassOff = "class_off" => NameRule, "this class is not open";

    /// In the zone already.
    InZone = "in_zone" => NameTaken, "the name is in the zone already";
    /// At or below a zone cut.
    BelowCut = "below_cut" => NameTaken, "the name lies at or below a zone cut";
    /// Names exist below it.
    NamesBelow = "names_below" => NameTaken, "names exist below this name";
    /// A wildcard covers it: shown only.
    UnderWildcard = "under_wildcard" => NameTaken, "a wildcard covers the name today";
    /// Another request is under way.
    OtherRequest = "other_request" => NameTaken, "another request on this name is under way";
    /// A live record of another office.
    NameLive = "name_live" => NameTaken, "the name is live";
    /// In quarantine.
    InQuarantine = "in_quarantine" => NameTaken, "the name is in quarantine";
    /// A change of a name that is not live.
    NameNotLive = "name_not_live" => NameTaken, "the name is not live";
    /// A lifting of what is not suspended.
    NotSuspended = "not_suspended" => NameTaken, "the name is not suspended";
    /// Another office owns the name.
    OtherOwner = "other_owner" => NameTaken, "the name belongs to another office";
    /// A hand-over to the office that has the name.
    SameOwner = "same_owner" => NameTaken, "the name belongs to this office already";
    /// The office that is to give a name away has not agreed.
    HolderNotConfirmed = "holder_not_confirmed" => NameTaken, "the office that has the name has not agreed to hand it over";
    /// The parent's office has not agreed.
    ParentNotConfirmed = "parent_not_confirmed" => NameTaken, "the office of the name above has not agreed";
    /// No office is known to own the name, or what lies above it.
    OwnerUnknown = "owner_unknown" => NameTaken, "no office is known to own the name";
    /// The request does not come from the mailbox that is recorded for the name, nor from an officer with a letter.
    OwnerUnproven = "owner_unproven" => NameTaken, "nobody has shown to speak for the office that owns the name: a code from the mailbox recorded for it, or a letter that an officer keys in";
    /// A similar name.
    Similar = "similar" => NameRule, "similar to another name";

    /// On the reserved list.
    ReservedName = "reserved_name" => Reserved, "the name is reserved";

    /// An address that cannot be read.
    BadAddress = "bad_address" => TargetRefused, "not an address";
    /// An address in a special range.
    SpecialAddress = "special_address" => TargetRefused, "an address of a special range";
    /// Outside Indonesia.
    AbroadAddress = "abroad_address" => TargetRefused, "an address outside Indonesia";
    /// The prefix file is missing: not checked.
    CountryNotChecked = "country_not_checked" => TargetRefused, "the country was not checked";
    /// A target name that cannot be read.
    BadTarget = "bad_target" => TargetRefused, "not a domain name";
    /// A target that is for special use, or leads to whoever looks it up.
    SpecialTarget = "special_target" => TargetRefused, "a name that means nothing on the Internet, or leads to the machine of whoever looks it up";
    /// A suffix where a stranger can claim the target.
    HijackableTarget = "hijackable_target" => TargetRefused, "a stranger can claim this target";
    /// CNAME beside other data.
    CnameWithOther = "cname_with_other" => TargetRefused, "a CNAME must be the only record at its name";
    /// The target points at itself.
    TargetIsSelf = "target_is_self" => TargetRefused, "the name points at itself";
    /// A record type the queue does not take.
    TypeNotOffered = "type_not_offered" => TargetRefused, "this record type is not offered";
    /// RDATA that does not parse.
    BadData = "bad_data" => TargetRefused, "the record's data cannot be read";
    /// TTL outside the limits.
    BadTtl = "bad_ttl" => TargetRefused, "the TTL is outside the limits";
    /// The same record twice.
    DuplicateRecord = "duplicate_record" => TargetRefused, "the same record twice";
    /// TTLs of one RRset differ.
    TtlDiffers = "ttl_differs" => TargetRefused, "the TTLs of one RRset differ";
    /// The probe found a claimable target.
    Claimable = "claimable" => TargetRefused, "the target can be claimed by a stranger now";
    /// The target does not answer yet.
    TargetDown = "target_down" => TargetRefused, "the target does not answer yet";
    /// The probe was not run.
    NotProbed = "not_probed" => TargetRefused, "the target was not probed";

    /// The candidate zone has an error finding.
    CandidateFinding = "candidate_finding" => TargetRefused, "the candidate zone has an error";
    /// A letter that is no PDF, JPEG or PNG.
    LetterKind = "letter_kind" => LetterRefused, "a letter is a PDF, a JPEG or a PNG: save or photograph it as one";
    /// A letter that is damaged or only a part.
    LetterBroken = "letter_broken" => LetterRefused, "the file is damaged or not whole: save or scan it again";
    /// A PDF that runs or starts something.
    LetterActive = "letter_active" => LetterRefused, "the PDF holds a script or an action: print it to a new PDF";
    /// A PDF that carries files or media.
    LetterAttached = "letter_attached" => LetterRefused, "the PDF carries attached files or media: print it to a new PDF";
    /// A PDF with a password.
    LetterLocked = "letter_locked" => LetterRefused, "the PDF is protected by a password: save it without";
    /// A PDF that is something else too.
    LetterForeign = "letter_foreign" => LetterRefused, "there is other data before, between or behind the parts of the PDF: print it to a new PDF";
    /// A letter that grows out of hand.
    LetterBomb = "letter_bomb" => LetterRefused, "the PDF unpacks to far more than its size: scan the letter again";
    /// A letter with too many octets.
    LetterTooLarge = "letter_too_large" => TooLarge, "the letter is too large: scan it in grey, with fewer dots per inch, or photograph it";
    /// A picture with too many pixels.
    LetterPixels = "letter_pixels" => LetterRefused, "the picture has too many pixels: photograph or scan it smaller";
    /// The scanner found something.
    LetterMalware = "letter_malware" => LetterRefused, "the virus scanner refuses the file: clean the computer it comes from";
    /// A letter that could not be read within the limits.
    LetterUnread = "letter_unread" => LetterRefused, "the file could not be read with the time and memory allowed: print or photograph it anew";
    /// Letters cannot be judged at the moment.
    LetterUnchecked = "letter_unchecked" => LetterUnchecked, "letters cannot be checked at the moment: try again later, or bring the letter on paper";
    /// The operator's file says nothing else about a name than what is promised.
    NothingToAdopt = "nothing_to_adopt" => Incomplete, "the zone file on disk has no other value for what is promised at this name";
    /// Too many emergency suspensions of one officer that the other has not agreed with.
    EmergenciesOpen = "emergencies_open" => Incomplete, "too many of your emergency suspensions wait for the other officer: they must agree first";
    /// A name that has an office.
    OwnerKnown = "owner_known" => Incomplete, "this name has an office by now; it changes hands by a request";
    /// A field that does not belong to the kind of request.
    NotForKind = "not_for_kind" => Incomplete, "this does not belong to this kind of request";
    /// A parameter no call knows.
    UnknownParameter = "unknown_parameter" => BadRequest, "there is no such parameter here; there are";
    /// A parameter that is not of its form.
    BadParameter = "bad_parameter" => BadRequest, "this parameter must be";
    /// A field no body has.
    UnknownField = "unknown_field" => BadRequest, "there is no such field here";
    /// A field, part or parameter that came twice.
    SentTwice = "sent_twice" => BadRequest, "this was sent twice";
    /// A value of another type.
    Unreadable = "unreadable" => BadRequest, "this cannot be read";
    /// An account nobody has.
    UnknownOfficer = "unknown_officer" => Incomplete, "there is no such account";
    /// A wrong code for a mailbox.
    MailboxCodeWrong = "mailbox_code_wrong" => Incomplete, "the mailbox code is wrong";
    /// A code for a mailbox that is over.
    MailboxCodeOver = "mailbox_code_over" => Incomplete, "there is no valid code for this mailbox: ask for a new one";
    /// The mailbox is not proven.
    MailboxUnproven = "mailbox_unproven" => Incomplete, "the mailbox is not proven";
}
