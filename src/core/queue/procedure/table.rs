//! The table, and what is made from it: acts, deeds and steps.
//!
//! A row begins with its help text and its word. Then come the phases it is possible in and under which
//! condition, who may do it, what it takes, where it leads, who gets a notice with which lines of the
//! check sheet, which papers are made, its flags, and in brackets what else must hold.

use serde::{Deserialize, Serialize};

use super::inputs::{ActInput, Clean, Input, typed};
use super::{Condition, Flag, Notices, Offered, Phase, Recipient, Row, Who};
use crate::queue::line::LineVerdict;
use crate::queue::named::named;
use crate::queue::papers::PaperKind;
use crate::queue::request::State;

/// Whom an act is offered to: everybody who may do it, unless the table says otherwise.
macro_rules! offered {
    () => {
        Offered::Everybody
    };
    ($offered:ident) => {
        Offered::$offered
    };
}

/// The last part of the path of an act's page, if it has one.
macro_rules! page {
    () => {
        None
    };
    ($page:literal) => {
        Some($page)
    };
}

/// What else must hold of the request, if anything.
macro_rules! condition {
    () => {
        None
    };
    ($condition:ident) => {
        Some(Condition::$condition)
    };
}

/// Notices to these recipients, with the lines of these verdicts, wanted in these states.
macro_rules! notices {
    ([$($recipient:ident)*] [$($verdict:ident)*] [$($state:ident)*]) => {
        Notices {
            recipients: &[$(Recipient::$recipient),*],
            points: &[$(LineVerdict::$verdict),*],
            wanted_in: &[$(State::$state),*],
        }
    };
}

/// Makes [`TABLE`], [`ActKind`], [`Act`], [`Deed`] and [`Turn`] from the rows.
macro_rules! table {
    (
        acts { $(#[doc = $about:literal] $act:ident = $word:literal $(, page $page:literal)?:
            $($from:ident)+ $((too early in $($early:ident)+))? $((if $condition:ident))?, $who:ident
            $(offered($offered:ident))?,
            { $($field:ident: $input:ident),* } $(upload($upload:ident))?
            => $($to:ident)+, notifies($($recipient:ident)*) $(with($($verdict:ident)+))?
            $(, makes($($paper:ident)+))? $(, flags($($flag:ident)+))? [$holds:literal];)* }
        steps { $(#[doc = $sabout:literal] $step:ident = $sword:literal:
            $($sfrom:ident)+, $swho:ident $(, upload($supload:ident))?
            => $($sto:ident)+, notifies($($srecipient:ident)*) $(, makes($($spaper:ident)+))?
            $(, flags($($sflag:ident)+))? [$sholds:literal];)* }
        by_itself { $($deed:ident: $($dfrom:ident)+
            => $($dto:ident)+, notifies($($drecipient:ident)*) [$dholds:literal];)* }
        events { $(#[doc = $eabout:literal] $event:ident = $eword:literal
            $(, notifies($($erecipient:ident)*) $(with($($everdict:ident)+) while($($estate:ident)+))?)?
            $(as $announced:ident)? $(, flags($($eflag:ident)+))?;)* }
    ) => {
        named! {
            /// The acts without their contents, in the order of the procedure.
            pub enum ActKind { $(#[doc = $about] $act = $word,)* }
        }

        named! {
            /// Everything that leaves an event: steps of requests and live records, notices, accounts.
            pub enum Deed {
                $(#[doc = $about] $act = $word,)*
                $(#[doc = $sabout] $step = $sword,)*
                $(#[doc = $eabout] $event = $eword,)*
            }
        }

        /// An act with what it takes. Whatever is left out is empty, so that the rules and not the
        /// reader say what is missing, after state and person. An upload is no field: it comes with
        /// the facts.
        #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
        #[serde(tag = "act")]
        pub enum Act {
            $(
                #[doc = $about]
                #[serde(rename = $word)]
                $act {
                    $(
                        #[doc = concat!("Its [`ActInput::", stringify!($input), "`].")]
                        #[serde(default)]
                        $field: typed::$input,
                    )*
                },
            )*
        }

        impl Act {
            /// Which act it is.
            pub fn kind(&self) -> ActKind {
                match self { $(Self::$act { .. } => ActKind::$act,)* }
            }

            /// The act with its free texts as they are kept: no number that may be a NIK, and no
            /// control characters.
            pub fn cleaned(mut self) -> Self {
                match &mut self {
                    $(Self::$act { $($field),* } => { $($field.clean(ActInput::$input);)* })*
                }
                self
            }
        }

        /// Every step of a request, acts first.
        pub const TABLE: &[Row] = &[
            $(Row {
                deed: Deed::$act,
                act: Some(ActKind::$act),
                page: page!($($page)?),
                from: &[$(Phase::$from),+],
                early: &[$($(Phase::$early),+)?],
                condition: condition!($($condition)?),
                who: Who::$who,
                offered: offered!($($offered)?),
                inputs: &[
                    $(Input { name: stringify!($field), what: ActInput::$input },)*
                    $(Input { name: "request", what: ActInput::$upload },)?
                ],
                holds: $holds,
                to: &[$(State::$to),+],
                notices: notices!([$($recipient)*] [$($($verdict)+)?] [$($to)+]),
                papers: &[$($(PaperKind::$paper),+)?],
            },)*
            $(Row {
                inputs: &[$(Input { name: "request", what: ActInput::$supload })?],
                papers: &[$($(PaperKind::$spaper),+)?],
                ..Row::without_act(
                    Deed::$step,
                    Who::$swho,
                    (&[$(Phase::$sfrom),+], &[$(State::$sto),+]),
                    notices!([$($srecipient)*] [] [$($sto)+]),
                    $sholds,
                )
            },)*
            $(Row::without_act(
                Deed::$deed,
                Who::System,
                (&[$(Phase::$dfrom),+], &[$(State::$dto),+]),
                notices!([$($drecipient)*] [] [$($dto)+]),
                $dholds,
            ),)*
        ];

        /// Events that are no step of a request and that people get a notice of all the same.
        pub(super) const ANNOUNCEMENTS: &[(Deed, Notices)] = &[$($((
            Deed::$event,
            notices!([$($erecipient)*] [$($($everdict)+)?] [$($($estate)+)?]),
        ),)?)*];

        impl Deed {
            /// Its flags.
            pub(super) fn flags(self) -> &'static [Flag] {
                match self {
                    $(Self::$act => &[$($(Flag::$flag),+)?],)*
                    $(Self::$step => &[$($(Flag::$sflag),+)?],)*
                    $(Self::$event => &[$($(Flag::$eflag),+)?],)*
                }
            }

            /// The deed whose notice makes it known to officers, for events of accounts.
            pub fn announced_as(self) -> Option<Deed> {
                match self {
                    $($(Self::$event => Some(Self::$announced),)?)*
                    _ => None,
                }
            }
        }

        /// A step that is no act on a request: it makes one, or gapura does it by itself.
        #[derive(Clone, Copy, Debug)]
        pub(in crate::queue) enum Turn { $(#[doc = $sholds] $step,)* $(#[doc = $dholds] $deed,)* }

        impl ActKind {
            /// Its row in the procedure.
            pub fn row(self) -> &'static Row {
                &TABLE[self as usize]
            }

            /// What it does, in a few words.
            pub fn about(self) -> &'static str {
                match self { $(Self::$act => $about.trim_ascii(),)* }
            }
        }

        impl Turn {
            /// Every one of them, in the order of the table.
            #[cfg(test)]
            pub(in crate::queue) const ALL: &[Self] = &[$(Self::$step,)* $(Self::$deed,)*];

            /// Its row in the procedure.
            pub(in crate::queue) fn row(self) -> &'static Row {
                &TABLE[ActKind::ALL.len() + self as usize]
            }
        }
    };
}

table! {
    acts {
        /// Route a request to a kasi (disposisi)
        Dispose = "dispose", page "disposisi":
            Submitted, Head, { to: Assignee, instruction: Instruction }
                => Assigned, notifies(Holder), makes(Disposition), flags(FreshProof Milestone)
                ["the verifier is active and none of the other persons"];
        /// Reassign a request to another kasi
        Reassign = "reassign", page "alihkan":
            Assigned Consulting, Head, { to: Assignee, reason: Reason }
                => Assigned, notifies(Holder), makes(Disposition), flags(FreshProof)
                ["the verifier is active and none of the other persons; the clock runs on"];
        /// Return a request to the kabid
        Release = "release", page "lepaskan":
            Assigned Consulting, Holder, { reason: Reason }
                => Submitted, notifies(Heads)
                ["the time used stays used"];
        /// Ask a parent office, the camat or another owner for agreement
        Consult = "ask", page "minta-konfirmasi":
            Assigned, Holder, { party: Party, email: Email }
                => Assigned, notifies(Party), flags(FreshProof Milestone)
                ["the clock pauses"];
        /// Record that the party agrees
        Confirm = "confirm", page "konfirmasi":
            Consulting, Party, { party: Answerer, letter: PartyLetter }
                => Assigned, notifies(Holder), flags(FreshProof)
                [""];
        /// Record that the party does not agree
        Deny = "deny", page "tolak-konfirmasi":
            Consulting, Party, { party: Answerer, letter: PartyLetter }
                => Assigned, notifies(Holder), flags(FreshProof)
                [""];
        /// Return a request to the applicant, with all faults at once
        Return = "return", page "kembalikan":
            Assigned Consulting (if HasSender), Holder, { lines: LinesToFix }
                // All faults in one go: what would turn it down is told while it can still be mended.
                => NeedsCorrection, notifies(Applicant) with(Fix Bad), makes(Verification Notification),
                   flags(FreshProof Milestone)
                ["a note on each line that is not ok; the clock pauses"];
        /// Send a corrected request, as applicant or with their letter
        Resubmit = "resubmit":
            NeedsCorrection, Corrector offered(Deciders), {} upload(Correction)
                => Assigned, notifies(Applicant Holder), flags(Milestone)
                ["the rules of a new request; an officer brings a new letter; lines on changed fields are open again"];
        /// Save lines of the check sheet; decides nothing
        Check = "check":
            Assigned Consulting, Holder, { lines: Lines }
                => Assigned, notifies(), flags(NoWebhook)
                ["a note on each line that is not ok; decides nothing"];
        /// Reject a request
        Reject = "reject", page "tolak":
            Assigned Consulting, Holder, { reason: RejectReason, note: Note, lines: LinesBad }
                => Rejected, notifies(Applicant) with(Bad), makes(Verification Notification),
                   flags(FreshProof Milestone)
                ["a note on each line that is not ok"];
        /// Approve exactly what `show` printed: its revision and candidate
        Approve = "approve", page "setujui":
            Assigned (too early in Consulting), Holder,
            { revision: Revision, candidate: Candidate, serial: Serial, lines: Lines }
                => Verified, notifies(SecondSigner), makes(Verification), flags(FreshProof Milestone)
                ["revision and candidate are the current ones; every line is ok; no question is open"];
        /// Give the second signature, on the same candidate
        Countersign = "countersign", page "tanda-tangan":
            AwaitsSecond, Head, { candidate: Candidate }
                => Verified, notifies(), makes(Verification), flags(FreshProof)
                ["the candidate is the approved one and still current"];
        /// Reopen a request for checking
        Reopen = "reopen", page "periksa-ulang":
            Verified AwaitsSecond Scheduled PromotionFailed, HolderOrHead, { reason: Reason }
                => Assigned, notifies(ApplicantOfMissedStart Holder), flags(FreshProof)
                ["at least an hour of step 3 is left"];
        /// Promote an approved request: make it live
        Promote = "promote", page "tayangkan":
            Verified (too early in AwaitsSecond Scheduled), HolderOrSystem, {}
                => Verified, notifies(), flags(FreshProof NoWebhook)
                ["the approval is fresh, the second signature given, the start time reached"];
        /// Allow another attempt after a failed promotion
        Retry = "retry", page "coba-lagi":
            PromotionFailed, HolderOrOperator, {}
                => Verified, notifies(), flags(FreshProof)
                ["the approval is fresh"];
        /// Change the start time of an approved request, as applicant or with their letter
        Reschedule = "reschedule", page "ubah-jadwal":
            Scheduled, Applicant, { starts: Starts, letter: Letter }
                => Assigned, notifies(Applicant Holder), flags(FreshProof Milestone NoWebhook)
                ["a new revision with another start time, checked again; an officer names the applicant's letter"];
        /// Withdraw a request, as applicant or with their letter
        Withdraw = "withdraw", page "tarik":
            Submitted Assigned Consulting NeedsCorrection Verified AwaitsSecond Scheduled,
            Applicant, { letter: Letter }
                => Withdrawn, notifies(Applicant), makes(Notification), flags(FreshProof Milestone)
                ["an officer names the applicant's letter"];
        /// Record that the notice was handed over
        Notified = "notified", page "beri-tahu":
            Live Rejected, Officer offered(Deciders), { how: How }
                => Notified Rejected, notifies(), flags(FreshProof Milestone)
                ["the notice was handed over on paper or by telephone"];
    }
    steps {
        /// A request came in.
        Submit = "submit":
            Draft, Submitter, upload(Application) => Submitted, notifies(Applicant Heads), makes(Receipt),
               flags(Milestone)
            ["the application breaks no rule"];
        /// gapura asks for it: nobody answered, or the end has come.
        Raise = "raise":
            Draft, System => Submitted, notifies(Applicant Heads), flags(Milestone)
            ["a name's year or its end date requires it, and there is no other request on the name"];
        /// What gapura asked for is settled: the owner answered, or another request went live.
        Settle = "settled":
            Submitted Assigned Consulting Verified AwaitsSecond Scheduled, System
            => Withdrawn, notifies(Holder), flags(Milestone)
            ["the reason for it is gone"];
        /// The applicant did not answer in time.
        Expire = "expire":
            NeedsCorrection, System => Expired, notifies(Applicant), makes(Notification),
               flags(Milestone)
            ["the time for the correction is over"];
        /// The party did not answer in time.
        ConsultLapsed = "ask_lapsed":
            Consulting, System => Assigned, notifies(Holder)
            ["the party did not answer in time; the clock runs again"];
        /// The read-back was right: it is live.
        Promoted = "promoted":
            Promoting, System => Live, notifies(Applicant), makes(Report Notification), flags(Milestone)
            ["every listening socket answered as it should"];
        /// The promotion did not succeed.
        PromotionFailed = "promotion_failed":
            Verified AwaitsSecond Scheduled Promoting, System
            => PromotionFailed, notifies(Operators Holder), flags(Milestone)
            ["the promotion could not begin, or a socket did not answer as it should"];
        /// It is in a monthly report.
        Close = "close":
            Notified, System => Closed, notifies()
            ["the kabid closes the month whose report includes it"];
    }
    by_itself {
        Reopen: Verified AwaitsSecond Scheduled PromotionFailed => Assigned, notifies(ApplicantOfMissedStart Holder)
            ["the approval is stale"];
        Notified: Live Rejected => Notified Rejected, notifies()
            ["a notice of the outcome was delivered"];
    }
    events {
        /// A reminder: the running step is due soon.
        DueSoon = "due_soon", notifies(Heads SecondSigner Holder);
        /// A reminder: the time for a correction is about to end.
        CorrectionDue = "correction_due", notifies(Applicant) with(Fix Bad) while(NeedsCorrection);
        /// An officer took another request for the same name, which this one waits for.
        Overtaken = "overtaken", notifies(Applicant);
        /// A notice to every officer: there is a new one.
        OfficerAdded = "officer_added", notifies(Officers);
        /// An administrator added an account.
        AccountAdded = "account_added" as OfficerAdded, flags(News);
        /// Somebody made their account by a link.
        AccountMade = "account_made" as OfficerAdded, flags(News);
        /// A notice to every officer: somebody has another role.
        RoleChanged = "role_changed", notifies(Officers) as RoleChanged, flags(News);
        /// A notice to every officer: somebody's password was reset.
        PasswordReset = "password_reset", notifies(Officers) as PasswordReset, flags(News);
        /// A notice to every officer: somebody set up or replaced a second factor.
        SecondFactorSet = "second_factor_set", notifies(Officers) as SecondFactorSet, flags(News);
        /// Name, jabatan or rank of an account were changed.
        AccountChanged = "account_changed", flags(News);
        /// A notice to every officer: mailbox or NIP of an account were changed.
        IdentityChanged = "identity_changed", notifies(Officers) as IdentityChanged, flags(News);
        /// An account was switched off.
        AccountDisabled = "account_disabled", flags(News);
        /// A notice to every officer: an account was switched on again.
        AccountEnabled = "account_enabled", notifies(Officers) as AccountEnabled, flags(News);
        /// Somebody signed in.
        SignedIn = "signed_in";
        /// A link for the first administrator was made.
        LinkFirstAdmin = "link_first_admin";
        /// Somebody was invited.
        LinkInvitation = "link_invitation";
        /// A link for a new password was made.
        LinkReset = "link_reset", flags(News);
        /// A link was ended.
        LinkRevoked = "link_revoked";
        /// A token was made.
        TokenMade = "token_made";
        /// A token was ended.
        TokenRevoked = "token_revoked";
        /// A notice to every officer: somebody was appointed to act for another.
        ActingRecorded = "acting_recorded", notifies(Officers) as ActingRecorded, flags(News);
        /// The appointment ended.
        ActingEnded = "acting_ended";
        /// The settings file is another one.
        SettingsChanged = "settings_changed";
        /// The table of working time is another one.
        WorkingTimeChanged = "working_time_changed";
        /// An administrator changed a list of the settings.
        ListChanged = "list_changed";
        /// The applicant, who has the mailbox, was given another status secret.
        SecretReplaced = "secret_replaced";
        /// A text of pages and papers is another one.
        TextChanged = "text_changed";
        /// An administrator confirmed the clock of the machine.
        ClockConfirmed = "clock_confirmed";
        /// A zone is signed, and its parent does not have the DS of its key yet.
        DsWanted = "ds_wanted", notifies(Operators);
        /// The parent has a DS that is to go, so that keys or signatures can.
        DsUnwanted = "ds_unwanted", notifies(Operators);
        /// A step of a rollover waits for an administrator's word.
        KeyStepWaits = "key_step_waits", notifies(Operators);
        /// A zone is not signed any more, and its signatures will end.
        SigningStopped = "signing_stopped", notifies(Operators);
        /// The signatures of a zone end soon, or have ended.
        SignaturesEnd = "signatures_end", notifies(Operators);
        /// The DS at the parent fits no key of the zone.
        DsMismatch = "ds_mismatch", notifies(Operators);
        /// An administrator gave a command on the keys of a zone.
        KeysCommanded = "keys_commanded";
        /// The chain was exported.
        Exported = "exported";
        /// The chain has a new key.
        AuditKeyRotated = "audit_key_rotated";
        /// The state was put back from a backup.
        Restored = "restored";
        /// Rows from before the row log were bound to the chain.
        RowsBound = "rows_bound";
        /// The kabid closed the report of a month.
        MonthClosed = "month_closed";
        /// An officer downloaded a letter.
        LetterDownloaded = "letter_downloaded";
        /// Rows that older versions kept of names nobody asked for were let go.
        ImportsReleased = "imports_released";
        /// A letter past its time was deleted.
        LetterExpired = "letter_expired";
        /// A paper was made, with number and code.
        PaperIssued = "paper_issued";
        /// Its file was rendered, once and for all.
        PaperRendered = "paper_rendered";
        /// Its file could not be rendered for a while; it is tried again.
        PaperFailed = "paper_failed", notifies(Operators);
        /// An officer downloaded a paper.
        PaperDownloaded = "paper_downloaded";
        /// An officer noted the number the office gave a paper.
        PaperNumbered = "paper_numbered";
        /// A paper past its time was deleted.
        PaperExpired = "paper_expired";
        /// A table of requests was filed.
        BulkFiled = "bulk_filed", notifies(Heads);
        /// A webhook failed for too long, or wanted no more calls: nothing is told to it any more.
        WebhookStopped = "webhook_stopped", notifies(Operators);
        /// An administrator lets a webhook be told again.
        WebhookResumed = "webhook_resumed";
        /// Personal data were erased.
        Erase = "erase";
        /// A person asked about their own data.
        SubjectAsked = "subject_asked";
        /// A request of a person about their own data was answered.
        SubjectAnswered = "subject_answered";
        /// An officer looked at what is kept of somebody.
        PersonalShown = "personal_shown";
        /// What is kept of everybody was exported, for the notice of a breach.
        BreachExported = "breach_exported";
        /// A name was held for a request.
        Hold = "hold";
        /// A held name became free again.
        LetGo = "let_go";
        /// A name went live or got a new version.
        GoLive = "go_live";
        /// A name of the operator's file was taken into the records, with the first act on it.
        Import = "import";
        /// The records of a name changed.
        RecordsChanged = "records_changed", notifies(Owner);
        /// The target of a name does not answer: strike 1.
        TargetDown = "target_down";
        /// The target still does not answer a day later: strike 2.
        TargetStillDown = "target_still_down", notifies(Owner);
        /// The target has not answered for another week: strike 3.
        TargetLost = "target_lost", notifies(Operators);
        /// A stranger could claim the target of a name.
        TargetClaimable = "target_claimable";
        /// A stranger could still claim it a day later: somebody must act at once.
        TargetUrgent = "target_urgent", notifies(Officers Owner);
        /// The target answers again.
        TargetMended = "target_mended", notifies(Owner);
        /// A name was taken out of the zone.
        Suspend = "suspend", flags(Webhook);
        /// One officer took it out in an emergency.
        EmergencySuspend = "emergency_suspend", notifies(OtherDeciders), flags(Webhook);
        /// What the operator's file says took the place of what was promised.
        Adopt = "adopt", notifies(OtherDeciders), flags(Webhook);
        /// A name of the operator's file was given an office.
        OwnerAssigned = "owner_assigned", flags(Webhook);
        /// The public list does not show it any more.
        Unlisted = "unlisted";
        /// The public list shows it again.
        Listed = "listed";
        /// The other officer agreed with an emergency suspension.
        ConfirmSuspension = "confirm_suspension", flags(Webhook);
        /// It was put back.
        Lift = "lift", flags(Webhook);
        /// It was removed and put into quarantine.
        Remove = "remove", flags(Webhook);
        /// The yearly question to the owner: is the name still needed?
        ReconfirmAsked = "reconfirm_asked", notifies(Owner);
        /// A reminder of the yearly question.
        ReconfirmReminded = "reconfirm_reminded", notifies(Owner);
        /// The anniversary came without an answer.
        Reconfirm = "reconfirm", notifies(Owner), flags(Webhook);
        /// The owner confirmed it.
        Renew = "renew", flags(Webhook);
        /// gapura asked for a suspension or the removal of it.
        Raised = "raised";
        /// The approved end date is near.
        EndsSoon = "ends_soon", notifies(Owner);
        /// The approved end date has come.
        Ended = "ended", notifies(Owner);
        /// Another office owns it.
        HandOver = "hand_over", notifies(Owner), flags(Webhook);
        /// The quarantine is over.
        Free = "free", flags(Webhook);
        /// A notice was written.
        NoticeQueued = "notice_queued";
        /// The relay took it.
        NoticeSent = "notice_sent";
        /// It was read, or no bounce came.
        NoticeDelivered = "notice_delivered";
        /// It bounced, or the tries are used up.
        NoticeFailed = "notice_failed";
        /// An officer handed it over.
        NoticeHandled = "notice_handled";
    }
}
