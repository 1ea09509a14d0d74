// Work in the field: what is read is in memory and sealed at rest, what is entered is sealed to the
// platform at once and sent when there is a network. One page: the key never leaves its memory.
import * as seals from "./field_seal.js";
import * as store from "./field_store.js";
import { rendered } from "./field_views.js";

const SESSION = "/console/field/session";
const WORK = "/console/field/work";
const ENTRIES = "/console/field/entries";
const LANGUAGE = "pkh-field-language";
const RETRY_MS = 30_000;
const LONGEST_MS = 2 ** 31 - 1;
const WORDS = JSON.parse(document.body.dataset.words);
const others = new BroadcastChannel("pkh-field");

const state = {
  language: localStorage.getItem(LANGUAGE) ?? document.documentElement.lang,
  session: null, // person, labels, pledge, sealing_key, csrf, ends_at: in memory alone
  work: null,
  refused: {}, // by entry: the problem and what was entered
  receipts: [],
  waiting: [],
  unread: false, // the platform could not be asked for the work
  sending: false,
  notice: "",
};
let key = null;
let ending = 0;

const t = (name, values = {}) => {
  const words = WORDS[state.language] ?? WORDS.id;
  return Object.entries(values).reduce(
    (said, [place, value]) => said.replaceAll(`{${place}}`, value), words[name] ?? name);
};
const own = () => state.waiting.filter((row) => state.session?.labels.includes(row.label));
const show = () => rendered(state, own(), t, actions);

class SignedOut extends Error {}

async function asked(address, options = {}) {
  const answer = await fetch(address, { redirect: "manual", cache: "no-store", ...options });
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOut();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

// -- The session

async function begin() {
  try {
    const { reading_key: hex, ...session } = await asked(SESSION);
    const mine = state.session;
    const changed = !mine || mine.person !== session.person || mine.ends_at !== session.ends_at;
    if (changed) {
      forget();
      key = await seals.readingKey(hex);
      await recall();
    }
    state.session = session;
    clearTimeout(ending);
    ending = setTimeout(end, Math.min(Math.max(0, Date.parse(session.ends_at) - Date.now()), LONGEST_MS));
  } catch (error) {
    if (error instanceof SignedOut) await end();
  }
  show();
}

function forget() {
  key = null;
  Object.assign(state, { session: null, work: null, refused: {}, receipts: [], notice: "" });
}

async function end() {
  clearTimeout(ending);
  forget();
  show();
  await store.clear("read");
}

async function recall() {
  // What this key does not open was read in a session that is over: nobody can open it any more.
  for (const row of await store.all("read")) {
    try {
      const value = await seals.opened(key, row);
      if (row.id === "work") state.work = value;
      else if (row.id === "receipts") state.receipts = value;
      else state.refused[row.id] = value;
    } catch {
      await store.remove("read", row.id);
    }
  }
}

async function keep(id, value) {
  if (key) await store.put("read", await seals.seal(key, id, value));
}

async function renew() {
  if (!state.session) return;
  try {
    state.work = await asked(WORK);
    state.unread = false;
    await keep("work", state.work);
  } catch (error) {
    if (error instanceof SignedOut) await end();
    else state.unread = true;
  }
  show();
}

// -- What waits

async function enter(kind, what) {
  const id = crypto.randomUUID();
  const { pledge, sealing_key: publicKey, labels } = state.session;
  const entry = await seals.entry(publicKey, { by: pledge, key: id, what: { type: kind, ...what } });
  await store.put("waiting", { id, label: labels[0], kind, at: new Date().toISOString(), entry });
  state.waiting = await store.all("waiting");
  others.postMessage("waiting");
  show();
  send();
  return id;
}

async function discard(id) {
  await store.remove("waiting", id);
  await store.remove("read", id);
  delete state.refused[id];
  state.waiting = await store.all("waiting");
  others.postMessage("waiting");
  show();
}

async function send() {
  await navigator.locks.request("pkh-field-send", { ifAvailable: true }, async (lock) => {
    if (!lock || !state.session) return;
    state.sending = true;
    show();
    try {
      state.waiting = await store.all("waiting");
      for (const row of own()) if (!(await sent(row))) break;
    } catch (error) {
      if (error instanceof SignedOut) await end();
    }
    state.sending = false;
    state.waiting = await store.all("waiting");
    show();
  });
}

async function sent(row) {
  if (row.refused && state.refused[row.id]) return true; // its person decides
  const body = new URLSearchParams({ csrf: state.session.csrf, entry: row.entry });
  const { outcome, ...said } = await asked(ENTRIES, { method: "POST", body });
  if (outcome === "RETRY") return false;
  if (outcome === "ACCEPTED") {
    if (said.receipt) {
      state.receipts.push({ ...said, at: row.at });
      await keep("receipts", state.receipts);
    }
    await store.remove("waiting", row.id);
    return true;
  }
  state.refused[row.id] = said;
  await keep(row.id, said);
  await store.put("waiting", { ...row, refused: true });
  return true;
}

// -- What a person does

const actions = {
  enter,
  discard,
  correct(id) { return state.refused[id]?.what; },
  again(id) {
    delete state.refused[id];
    return send();
  },
  language(chosen) {
    localStorage.setItem(LANGUAGE, chosen);
    state.language = chosen;
    document.documentElement.lang = chosen;
    show();
  },
  async leave() {
    const { csrf } = state.session ?? {};
    await end();
    others.postMessage("ended");
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: "/console/sign-out" });
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "csrf", value: csrf }));
    document.body.append(form);
    form.submit();
  },
  async written() {
    state.receipts = [];
    await store.remove("read", "receipts");
    show();
  },
};

async function everything() {
  await begin();
  await send();
  await renew();
}

others.onmessage = async ({ data }) => {
  if (data === "ended") await end();
  state.waiting = await store.all("waiting");
  show();
};
addEventListener("online", everything);
addEventListener("offline", show);
addEventListener("hashchange", show);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && navigator.onLine) everything();
});
setInterval(() => { if (navigator.onLine && own().some((row) => !row.refused)) send(); }, RETRY_MS);

document.documentElement.lang = state.language;
navigator.serviceWorker?.register("/console/field-worker.js", { scope: "/console/field", updateViaCache: "none" });
state.waiting = await store.all("waiting");
show();
await everything();
