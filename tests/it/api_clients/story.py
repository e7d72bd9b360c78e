"""The whole procedure by nothing but the client that openapi-python-client made of the document.

Arguments: the folder of the client, the address of the site, and the tokens of kabid, kasi and auditor.
"""

import datetime
import io
import sys
import uuid

sys.path.insert(0, sys.argv[1])
url, kabid_token, kasi_token, auditor_token = sys.argv[2:6]

from gapura_client import AuthenticatedClient, Client
from gapura_client.api.account import get_me
from gapura_client.api.acts import (
    approve_request,
    check_request,
    dispose_request,
    notified_request,
    reject_request,
    resubmit_request,
    return_request,
    withdraw_request,
)
from gapura_client.api.chain import export_events, list_changes
from gapura_client.api.lists import list_classes, list_officers, list_offices, list_regions, list_zones
from gapura_client.api.records import confirm_record, get_record, list_records, suspend_record
from gapura_client.api.requests import (
    check_application,
    get_history,
    get_letter,
    get_request,
    list_requests,
    submit_request,
)
from gapura_client import models as m
from gapura_client.types import File

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    b"trailer<</Size 4/Root 1 0 R>>\n%%EOF\n"
)

anybody = Client(base_url=url)
kabid, kasi, auditor = (
    AuthenticatedClient(base_url=url, token=token) for token in (kabid_token, kasi_token, auditor_token)
)


def done(answer, what):
    """What a call made; a problem ends the story."""
    assert answer is not None and not isinstance(answer, m.Problem), answer
    assert isinstance(answer, what), answer
    return answer


def refused(answer, status, code):
    """A problem that was expected."""
    assert isinstance(answer, m.Problem), answer
    assert (answer.status, answer.code.value) == (status, code), answer
    assert answer.request_id and answer.type_.endswith("#" + code), answer
    return answer


def letter():
    return File(payload=io.BytesIO(PDF), file_name="surat.pdf", mime_type="application/pdf")


# What may stand in a request.
zone = next(zone for zone in done(list_zones.sync(client=anybody), m.Zones).items if zone.is_default)
village = next(
    unit
    for unit in done(list_regions.sync(client=anybody, kind=m.ListRegionsKind.DESA), m.RegionList).items
    if unit.name == "Sindangjawa"
)
classes = done(list_classes.sync(client=anybody), m.Classes).items
assert {item.class_ for item in classes} == set(m.NamingClass)
assert done(list_offices.sync(client=anybody), m.Offices).items
officers = done(list_officers.sync(client=kabid, role=m.ListOfficersRole.KASI), m.Officers).items
assert [officer.name for officer in officers] == ["siti"], officers
me = done(get_me.sync(client=kasi), m.Me)
assert (me.name, me.role) == ("siti", m.Role.KASI) and me.ends > datetime.datetime.now(datetime.UTC)


def application(name, address, **more):
    return m.Application(
        kind=m.Kind.NEW,
        class_=more.get("class_", m.NamingClass.LAYANAN),
        name=name,
        zone=zone.zone,
        records=[m.RequestedRecord(type_=m.RequestedRecordType.A, data=address, ttl=3600)],
        office="Desa Sindangjawa",
        region=more.get("region"),
        purpose="Situs resmi pemerintah desa",
        contact=m.Contact(
            name="Kuwu Sindangjawa", position="Kuwu", email="desa@sindangjawa.example", phone="0231-000000"
        ),
        letter=m.Letter(number="140/12/Ds", date=datetime.date(2026, 11, 23)),
    )


def submit(asked, key=None):
    body = m.Parts(request=asked, letter=letter())
    sent = submit_request.sync(client=anybody, body=body, idempotency_key=key or str(uuid.uuid4()))
    return done(sent, m.Submitted)


# Tried first: everything that would be refused, at once.
bad = application("a_b", "10.0.0.1")
tried = done(check_application.sync(client=anybody, body=bad), m.Rehearsed)
assert not tried.accepted and {"name", "records.0.data"} <= {fault.field for fault in tried.errors}, tried
asked = application(village.subdomain, "192.0.2.200", class_=m.NamingClass.DESA, region=village.code)
tried = done(check_application.sync(client=anybody, body=asked), m.Rehearsed)
assert tried.accepted, tried

# Sent twice with one key: one request, and the same secret.
key = str(uuid.uuid4())
sent = submit(asked, key)
again = submit(asked, key)
assert (again.number, again.secret) == (sent.number, sent.secret), (sent, again)
other = m.Parts(request=application("lain-lagi", "192.0.2.9"), letter=letter())
refused(submit_request.sync(client=anybody, body=other, idempotency_key=key), 422, "key_reused")
refused(submit_request.sync(client=anybody, body=m.Parts(request=asked, letter=letter())), 422, "name_taken")
applicant = Client(base_url=url, headers={"Gapura-Secret": sent.secret})
number = sent.number


def see(client=kasi):
    return done(get_request.sync(number, client=client), m.RequestView)


def tag():
    return get_request.sync_detailed(number, client=kasi).headers["ETag"]


# Routed, on what was read; a repeated call does nothing again.
waiting = done(list_requests.sync(client=kabid, state=[m.ListRequestsStateItem.SUBMITTED]), m.Page)
assert [row.number for row in waiting.items] == [number]
read = tag()
slip = m.DisposeBody(to="siti", instruction="Periksa nama dan data.")
refused(
    dispose_request.sync(number, client=kabid, body=slip, if_match='"old.tag"'), 412, "changed"
)
refused(
    dispose_request.sync(number, client=kabid, body=m.DisposeBody(to="nobody", instruction="x")),
    422,
    "incomplete",
)
key = str(uuid.uuid4())
routed = dispose_request.sync(number, client=kabid, body=slip, if_match=read, idempotency_key=key)
assert done(routed, m.RequestView).state == m.State.ASSIGNED
again = dispose_request.sync(number, client=kabid, body=slip, if_match=read, idempotency_key=key)
assert done(again, m.RequestView).state == m.State.ASSIGNED
refused(dispose_request.sync(number, client=kabid, body=slip), 409, "wrong_state")

# Read with its letter, and returned with a fault.
file = get_letter.sync_detailed(number, client=kasi)
assert file.status_code == 200 and file.content.startswith(b"%PDF"), file
ok = m.LineInput(code=m.LineCode.M1, verdict=m.LineVerdict.OK)
done(check_request.sync(number, client=kasi, body=m.CheckBody(lines=[ok])), m.RequestView)
fix = m.LineInput(code=m.LineCode.M5, verdict=m.LineVerdict.FIX, note="Alamat IP berbeda dari surat.")
bare = m.LineInput(code=m.LineCode.M5, verdict=m.LineVerdict.FIX)
refused(return_request.sync(number, client=kasi, body=m.ReturnBody(lines=[bare])), 422, "incomplete")
returned = return_request.sync(number, client=kasi, body=m.ReturnBody(lines=[fix]), if_match=tag())
assert done(returned, m.RequestView).state == m.State.NEEDS_CORRECTION

# Corrected by the applicant, with the secret.
assert m.ActKind.RESUBMIT in see(applicant).acts
asked.records[0].data = "192.0.2.201"
correction = m.Correction(request=asked, letter=letter())
corrected = resubmit_request.sync(number, client=applicant, body=correction)
assert done(corrected, m.RequestView).revision == 2

# Approved exactly as read: live, with its proof.
view = see()
lines = [
    m.LineInput(code=line.code, verdict=m.LineVerdict.OK, note="diperiksa lewat telepon")
    for line in view.lines
    if not line.automatic or line.verdict != m.LineVerdict.OK
]
old = m.ApproveBody(revision=1, candidate=view.candidate.hash_, lines=lines)
refused(approve_request.sync(number, client=kasi, body=old), 409, "stale")
body = m.ApproveBody(revision=view.revision, candidate=view.candidate.hash_, lines=lines)
live = done(approve_request.sync(number, client=kasi, body=body), m.RequestView)
assert live.state == m.State.LIVE, live
assert live.proof.after.answer and live.proof.serial > 0 and "dig " in live.proof.dig, live.proof

# The applicant reads it, which delivers the notice.
assert any(notice.to_applicant for notice in live.notices)
assert see(applicant).state == m.State.NOTIFIED

# Taken down by one officer, agreed with by the other.
name = f"{village.subdomain}.{zone.zone}"
assert done(get_record.sync(name, client=auditor), m.RecordView).request == number
down = suspend_record.sync(name, client=kasi, body=m.Reason(reason="laman diubah orang lain"))
assert done(down, m.RecordView).suspension.emergency
refused(confirm_record.sync(name, client=kasi), 403, "same_person")
assert done(confirm_record.sync(name, client=kabid), m.RecordView).suspension.confirmed == "budi"
assert done(list_records.sync(client=auditor, name=name), m.Records).items[0].state == m.LiveState.SUSPENDED

# One is rejected, one taken back.
turned_down = submit(application("bukan-dinas", "192.0.2.7"))
done(dispose_request.sync(turned_down.number, client=kabid, body=slip), m.RequestView)
bad = m.LineInput(code=m.LineCode.M6, verdict=m.LineVerdict.BAD, note="Bukan keperluan dinas.")
why = m.RejectBody(reason=m.RejectReason.BUKAN_KEPENTINGAN_DINAS, note="Bukan keperluan dinas.", lines=[bad])
rejected = reject_request.sync(turned_down.number, client=kasi, body=why)
assert done(rejected, m.RequestView).reason.code == "bukan_kepentingan_dinas"
told = m.NotifiedBody(how="Surat diserahkan kepada Kuwu.")
told = done(notified_request.sync(turned_down.number, client=kasi, body=told), m.RequestView)
assert told.phase == m.Phase.REJECTED_NOTIFIED, told
taken_back = submit(application("ditarik-lagi", "192.0.2.8"))
theirs = Client(base_url=url, headers={"Gapura-Secret": taken_back.secret})
gone = withdraw_request.sync(taken_back.number, client=theirs, body=m.WithdrawBody())
assert done(gone, m.RequestView).state == m.State.WITHDRAWN

# Followed from the beginning, and nothing left unread.
feed, since = [], 0
while True:
    page = done(list_changes.sync(client=kasi, since=since, limit=5), m.Changes)
    feed += page.items
    since = page.next_
    if not page.more:
        break
of = [change.act for change in feed if change.request == number]
wanted = ["submit", "dispose", "check", "return", "resubmit", "approve", "promote", "promoted"]
assert [act for act in of if act in wanted] == wanted, of


def is_quiet():
    global since
    quiet = list_changes.sync_detailed(client=kasi, since=since)
    still = list_changes.sync_detailed(client=kasi, since=since, if_none_match=quiet.headers["ETag"])
    since = quiet.parsed.next_
    return quiet.parsed.items == [] and still.status_code == 304


# A job of the daemon's own may add an event at any time.
assert any(is_quiet() for _ in range(20))
unread = get_request.sync_detailed(number, client=kasi, if_none_match=tag())
assert unread.status_code == 304, unread

# Refused attempts do not swell the request; the history has them, page by page.
assert all("turned_back" not in event.facts.additional_properties for event in see().history)
past, after = [], 0
while True:
    page = done(get_history.sync(number, client=auditor, after=after, limit=4), m.HistoryPage)
    past += page.items
    if page.next_ is None:
        break
    after = page.next_
assert any("turned_back" in event.facts.additional_properties for event in past)
chain = done(export_events.sync(client=auditor), m.Chain)
assert len(chain.items) > len(past)
print("live, proven, followed")
