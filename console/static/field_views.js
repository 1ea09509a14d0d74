// What the field's page shows. Text is set as text, never as markup; a form that is being filled in
// is left alone while things are sent in the background.
const el = (tag, properties = {}, ...children) => {
  const { data = {}, aria = {}, ...own } = properties;
  const made = Object.assign(document.createElement(tag), own);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
};
const at = (name) => document.getElementById(name);
const short = (family) => family.slice(0, 8);
const today = () => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
const locale = { id: "id-ID", en: "en-GB" };
const STATUSES = ["H", "I", "A"];
const CHANNEL = "FACE_TO_FACE";
const WORDS_MAX = 4_000;
let drawn = "";

const day = (text, language) => new Date(`${text}T00:00`).toLocaleDateString(
  locale[language], { day: "numeric", month: "long", year: "numeric" });
const moment = (text, language) => new Date(text).toLocaleString(
  locale[language], { dateStyle: "medium", timeStyle: "short" });

export function rendered(state, own, t, actions) {
  document.title = `${t("app")} · PKH`;
  at("skip").textContent = t("skip");
  at("notice").textContent = state.notice;
  drawTop(state, own, t, actions);
  drawTabs(state, own, t);
  const view = viewOf(state);
  // A form keeps what was typed; lists follow what they show.
  const depends = view.form ? "" : JSON.stringify(
    [state.work?.at, state.unread, state.waiting, Object.keys(state.refused), state.receipts.length]);
  const wanted = JSON.stringify([location.hash, state.language, state.session?.person ?? "",
    state.work !== null, view.form ? "" : navigator.onLine, depends]);
  if (wanted === drawn) return;
  const moved = drawn && JSON.parse(drawn)[0] !== location.hash;
  drawn = wanted;
  at("content").replaceChildren(...view.draw(state, own, t, actions).filter(Boolean));
  if (moved) at("content").focus();
}

function viewOf(state) {
  const [, page = "", name = "", entry = ""] = location.hash.split("/").map(decodeURIComponent);
  if (!state.session) return { draw: locked };
  switch (page) {
    case "groups": return { draw: (...all) => group(name, ...all) };
    case "sessions": return { form: true, draw: (...all) => attendance(name, entry, ...all) };
    case "families": return { draw: families };
    case "complaint": return { form: true, draw: (...all) => complaint(name, ...all) };
    case "outbox": return { draw: outbox };
    default: return { draw: groups };
  }
}

// -- The frame

function drawTop(state, own, t, actions) {
  const online = navigator.onLine;
  const status = state.sending ? "sending" : online ? "online" : "offline";
  at("top").replaceChildren(...[
    el("a", { className: "brand", href: state.session ? "#/" : "/console/" },
      el("span", { className: "brand-mark", aria: { hidden: "true" } }), t("app")),
    el("span", { className: `badge ${online ? "good" : "warn"}`, id: "network" }, t(status)),
    el("div", { className: "tools" },
      el("div", { className: "switch", role: "group", aria: { label: t("language") } },
        ["id", "en"].map((code) => el("button", {
          type: "button", lang: code, aria: { pressed: String(code === state.language) },
          onclick: () => actions.language(code) }, code.toUpperCase()))),
      state.session
        ? el("span", { className: "who" },
          el("strong", {}, state.session.person),
          el("button", { className: "button quiet-button", type: "button", id: "leave",
            onclick: () => leave(own, t, actions) }, t("sign_out")))
        : null)]);
}

function leave(own, t, actions) {
  if (!own.length || confirm(t("leave_with_waiting", { count: own.length }))) actions.leave();
}

function drawTabs(state, own, t) {
  const page = location.hash.split("/")[1] ?? "";
  const tabs = [["", "groups"], ["families", "families"], ["complaint", "complaint"], ["outbox", "outbox"]];
  at("tabs").hidden = !state.session;
  at("tabs").setAttribute("aria-label", t("menu"));
  at("tabs").replaceChildren(...tabs.map(([path, word]) => el("a",
    { href: `#/${path}`, ...(path === page ? { aria: { current: "page" } } : {}) },
    t(word),
    path === "outbox" && own.length
      ? el("span", { className: "count", id: "count" }, String(own.length)) : null)));
}

function locked(state, own, t) {
  const waiting = state.waiting.length;
  return [el("section", { className: "card message" },
    el("h1", {}, t(navigator.onLine ? "sign_in_first" : "locked")),
    el("p", {}, t(navigator.onLine ? "sign_in_why" : "locked_why")),
    waiting ? el("p", { id: "waiting" }, t("waiting_locked", { count: waiting })) : null,
    navigator.onLine
      ? el("p", {}, el("a", { className: "button", id: "sign-in",
        href: "/console/sign-in?next=/console/field" }, t("sign_in")))
      : null)];
}

const unread = (state, t) => (state.unread && !state.work
  ? el("p", { className: "card" }, t("unread")) : null);

// -- Groups and families

function groups(state, own, t) {
  const { work } = state;
  return [
    el("h1", {}, t("groups")),
    unread(state, t),
    work ? el("p", { className: "quiet" }, t("read_at", { at: moment(work.at, state.language) })) : null,
    work?.more ? el("p", { className: "card" }, t("more", { count: work.more })) : null,
    work && !work.groups.length ? el("p", { className: "card" }, t("no_groups")) : null,
    ...(work?.groups ?? []).map((each) => el("section", { className: "card" },
      el("h2", {}, el("a", { href: `#/groups/${each.group}` }, each.group)),
      el("p", {}, [each.place, each.venue, each.schedule].filter(Boolean).join(" · ")),
      el("p", { className: "quiet" }, t("families_say", { count: each.families.length })),
      sessions(state, each.group, t))),
  ];
}

function sessions(state, name, t) {
  const found = state.work.sessions.filter((each) => each.group === name);
  if (!found.length) return el("p", { className: "quiet" }, t("no_sessions"));
  return el("ul", { className: "rows" }, found.map((each) => el("li", {},
    el("a", { className: "row", href: `#/sessions/${each.number}` },
      el("span", {}, `${day(each.on, state.language)} · ${each.module} ${each.session}`),
      el("span", { className: `badge ${each.standing === "HELD" ? "good" : "warn"}` },
        each.standing === "HELD" && each.marks.length
          ? t("marked", { count: each.marks.filter((mark) => mark.status === "H").length })
          : t(`standing_${each.standing}`.toLowerCase()))))));
}

function group(name, state, own, t) {
  const found = state.work?.groups.find((each) => each.group === name);
  if (!found) return [el("h1", {}, t("unknown"))];
  return [
    el("h1", {}, found.group),
    el("p", {}, [found.place, found.venue, found.schedule].filter(Boolean).join(" · ")),
    el("section", { className: "card" }, el("h2", {}, t("sessions")), sessions(state, name, t)),
    el("section", { className: "card" }, el("h2", {}, t("families")),
      el("ul", { className: "rows" }, found.families.map((family) => familyRow(state, found, family, t)))),
  ];
}

function families(state, own, t) {
  const list = el("ul", { className: "rows" });
  const draw = (wanted) => list.replaceChildren(...(state.work?.groups ?? []).flatMap((each) =>
    each.families.filter((family) => family.startsWith(wanted.trim().toLowerCase()))
      .map((family) => familyRow(state, each, family, t))));
  draw("");
  return [
    el("h1", {}, t("families")),
    unread(state, t),
    el("label", { className: "input" }, t("find_family"), el("input", {
      type: "search", autocomplete: "off", oninput: (event) => draw(event.target.value) })),
    el("section", { className: "card" }, list),
  ];
}

function familyRow(state, of, family, t) {
  const marks = state.work.sessions.filter((each) => each.group === of.group).map((each) =>
    [each.on, each.marks.find((mark) => mark.family === family)?.status]).filter(([, status]) => status);
  return el("li", { className: "row" },
    el("span", {}, el("strong", { className: "code" }, short(family)),
      el("span", { className: "quiet" }, ` ${of.group} · ${of.place}`)),
    el("span", { className: "quiet" }, marks.map(([on, status]) =>
      `${on.slice(5)} ${t(`status_${status}`.toLowerCase())}`).join(", ")));
}

// -- Attendance

function attendance(number, entry, state, own, t, actions) {
  const found = state.work?.sessions.find((each) => each.number === number);
  const of = state.work?.groups.find((each) => each.group === found?.group);
  if (!found || !of) return [el("h1", {}, t(state.work ? "unknown" : "loading"))];
  const title = [
    el("h1", {}, `${found.module} ${found.session}`),
    el("p", {}, `${found.group} · ${day(found.on, state.language)}`, found.starts_at ? ` · ${found.starts_at}` : ""),
  ];
  const planned = found.standing === "PLANNED";
  if (planned && found.on > today()) return [...title, el("p", { className: "card" }, t("not_yet"))];
  const marks = entry ? actions.correct(entry)?.marks ?? [] : found.marks;
  const known = Object.fromEntries(marks.map((mark) => [mark.family, mark.status]));
  const form = el("form", { id: "attendance" },
    planned ? el("p", { className: "card" }, t("says_held")) : null,
    el("p", {}, el("button", { className: "button quiet-button", type: "button", onclick: () => {
      for (const radio of form.querySelectorAll("input[value=H]"))
        if (!form.querySelector(`input[name="${radio.name}"]:checked`)) radio.checked = true;
    } }, t("rest_present"))),
    of.families.map((family) => el("fieldset", { className: "mark" },
      el("legend", { className: "code" }, short(family)),
      STATUSES.map((status) => el("label", { className: `status-${status.toLowerCase()}` },
        el("input", { type: "radio", name: family, value: status, checked: known[family] === status }),
        el("span", {}, t(`status_${status}`.toLowerCase())))))),
    el("p", { className: "sticky" }, el("button", { className: "button", id: "save" }, t("save"))));
  form.onsubmit = async (event) => {
    event.preventDefault();
    const said = [...new FormData(form)].map(([family, status]) => ({ family, status }));
    if (!said.length) { state.notice = t("nothing_marked"); at("notice").textContent = state.notice; return; }
    const { group: name, facilitator, on, starts_at, venue, module, session } = found;
    const meeting = { group: name, facilitator, on, starts_at, venue, module, session };
    await entered("attendance", { session: number, marks: said, ...(planned ? { meeting } : {}) },
      entry, state, t, actions);
  };
  return [...title, form];
}

async function entered(kind, what, entry, state, t, actions) {
  await actions.enter(kind, what);
  if (entry) await actions.discard(entry);
  state.notice = t("kept");
  location.hash = "#/outbox";
}

// -- A complaint

function complaint(entry, state, own, t, actions) {
  const was = (entry && actions.correct(entry)?.case) || {};
  const work = state.work ?? { groups: [] };
  const places = new Map(work.groups.map((each) => [each.region, each.place]));
  const option = (value, label, chosen) => el("option", { value, selected: value === chosen }, label);
  const categories = t("categories").split(" ");
  const field = (word, input) => el("label", { className: "input" }, t(word), input);
  const named = [
    field("family", el("select", { name: "family" }, option("", t("no_family"), was.family ?? ""),
      work.groups.flatMap((each) => each.families.map(
        (family) => option(family, `${short(family)} · ${each.group}`, was.family))))),
    field("name", el("input", { name: "name", maxLength: 200, autocomplete: "off", value: was.name ?? "" })),
    field("contact", el("input", { name: "contact", maxLength: 200, autocomplete: "off", value: was.contact ?? "" })),
  ];
  const anonymous = el("input", { type: "checkbox", name: "anonymous", checked: was.anonymous ?? false });
  anonymous.onchange = () => named.forEach((each) => {
    each.hidden = anonymous.checked;
    each.querySelector("input, select").disabled = anonymous.checked;
  });
  anonymous.onchange();
  const form = el("form", { id: "complaint", className: "card" },
    field("category", el("select", { name: "category", required: true }, option("", t("choose"), was.category ?? ""),
      categories.map((code) => option(code, t(`category_${code}`.toLowerCase()), was.category)))),
    field("village", el("select", { name: "region", required: true }, option("", t("choose"), was.region ?? ""),
      [...places].map(([code, name]) => option(code, name, was.region)))),
    el("label", { className: "check" }, anonymous, t("anonymous")),
    named,
    el("label", { className: "check" },
      el("input", { type: "checkbox", name: "confidential", checked: was.confidential ?? false }), t("confidential")),
    field("words", el("textarea", { name: "text", required: true, rows: 6, maxLength: WORDS_MAX, value: was.text ?? "" })),
    el("p", {}, el("button", { className: "button", id: "save" }, t("save"))));
  form.onsubmit = async (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form));
    await entered("complaint", { case: {
      category: given.category, channel: CHANNEL, region: given.region,
      received_on: was.received_on ?? today(),
      anonymous: anonymous.checked, confidential: "confidential" in given,
      ...(given.family ? { family: given.family } : {}),
      name: given.name ?? "", contact: given.contact ?? "", text: given.text } },
    entry, state, t, actions);
  };
  return [el("h1", {}, t("complaint")), el("p", { className: "quiet" }, t("complaint_why")), form];
}

// -- What waits, what was refused, what is to be handed on

function outbox(state, own, t, actions) {
  const foreign = state.waiting.length - own.length;
  return [
    el("h1", {}, t("outbox")),
    state.receipts.length ? receipts(state, t, actions) : null,
    own.length ? null : el("p", { className: "card", id: "nothing" }, t("nothing_waits")),
    ...own.map((row) => waiting(row, state, t, actions)),
    foreign ? el("p", { className: "card", id: "foreign" }, t("foreign", { count: foreign })) : null,
    el("section", { className: "card" }, el("h2", {}, t("gaps")), el("p", {}, t("gaps_why"))),
  ];
}

function receipts(state, t, actions) {
  return el("section", { className: "card", id: "receipts" },
    el("h2", {}, t("receipts")), el("p", {}, t("receipts_why")),
    el("ul", { className: "rows" }, state.receipts.map((each) => el("li", {},
      `${moment(each.at, state.language)}: `, el("strong", { className: "code" }, each.receipt),
      `, PIN `, el("strong", { className: "code" }, each.pin)))),
    el("button", { className: "button quiet-button", type: "button", onclick: actions.written }, t("written")));
}

function waiting(row, state, t, actions) {
  const refused = state.refused[row.id];
  const correction = refused?.what && (row.kind === "attendance"
    ? `#/sessions/${refused.what.session}/${row.id}` : `#/complaint/${row.id}`);
  const button = (word, act) => el("button",
    { className: "button quiet-button", type: "button", data: { act: word }, onclick: act }, t(word));
  return el("section", { className: "card entry", data: { entry: row.id } },
    el("h2", {}, t(`kind_${row.kind}`), el("span", { className: `badge ${refused ? "warn" : "good"}` },
      t(refused ? "refused" : "waits"))),
    el("p", { className: "quiet" }, moment(row.at, state.language)),
    refused ? reason(refused.problem, t) : null,
    el("p", { className: "acts" },
      correction ? el("a", { className: "button", href: correction, data: { act: "correct" } }, t("correct")) : null,
      refused ? button("again", () => actions.again(row.id)) : null,
      button("discard", () => { if (confirm(t("discard_sure"))) actions.discard(row.id); })));
}

function reason(problem, t) {
  const name = `problem_${problem.code.replaceAll("-", "_")}`;
  const said = t(name) === name ? t("problem_other", { title: problem.title ?? "", detail: problem.detail ?? "" }) : t(name);
  const fields = (problem.errors ?? []).map((each) => el("li", {},
    [(each.loc ?? []).join(" "), each.message].filter(Boolean).join(": ")));
  return el("div", { className: "reason" }, el("p", {}, said), fields.length ? el("ul", {}, fields) : null);
}
