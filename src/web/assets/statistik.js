// Renews the figures of this page without a reload: the page is fetched again, and its figures take the place of
// these. Without scripts the page is the same, only older. It rests while nobody looks, and after ten
// minutes without a touch: looking on is no work that keeps a session alive.
const EVERY_MS = 20_000;
const TURNS_MAX = 30;
const place = document.getElementById("angka");
let turns = 0;
for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => (turns = 0));

async function renew() {
  if (document.hidden || turns >= TURNS_MAX || place.contains(document.activeElement)) return;
  turns += 1;
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("angka");
  if (!fresh) return;
  const open = [...place.querySelectorAll("details")].map((part) => part.open);
  fresh.querySelectorAll("details").forEach((part, at) => (part.open = open[at] ?? false));
  place.replaceChildren(...fresh.childNodes);
}

// Whoever comes back to the page sees it as it is now.
if (place) {
  setInterval(() => renew().catch(() => {}), EVERY_MS);
  document.addEventListener("visibilitychange", () => renew().catch(() => {}));
}
