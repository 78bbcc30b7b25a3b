// The mail program: people, their conversations, and the mail that is read.

import { $, avatar, colour, el, fill, get, icon, post, toast } from "./dom.js";
import { lang, listTime, shortDay, shortTime, size, t } from "./i18n.js";
import { choosePerson, closeThread, now, onChange, openLetter, openThread, page, person, threads, unread } from "./store.js";
import { write } from "./writer.js";

const bodies = new Map();      // letter id → what /api/letters/ID says
const shownAs = new Map();     // letter id → "html" | "text" | "headers" | "raw"
const unfolded = new Set();    // letters that were opened by hand
const folded = new Set();      // the newest, closed by hand
const articles = new Map();    // letter id → its element, kept so that frames are not loaded again
let drawn = "";                // what the reader shows, so that it is not drawn anew for nothing
let drawnFor = "";             // the language and the person of `articles`

// People

function peopleTabs() {
  fill($("people"), page.state.people.map((one) => {
    const waiting = unread(one.key);
    const chosen = one.key === page.person;
    return el("button", {
      type: "button", role: "tab", id: `person-${one.key}`, "data-key": one.key, "aria-selected": String(chosen),
      tabindex: chosen ? "0" : "-1", "aria-controls": "threads", class: colour(one.key), onclick: () => choosePerson(one.key),
    }, avatar(one.name, one.key), el("span", { class: "name" }, one.name),
      waiting ? el("b", { class: "badge", "aria-label": `${waiting}` }, String(waiting)) : null);
  }));
  const me = person();
  fill($("who"), el("strong", {}, me.name), el("span", {}, `${t(me.agent ? "agent" : "school")} · ${me.email}`));
}

function moveTab(event) {
  const keys = page.state.people.map((one) => one.key);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  choosePerson(keys[(keys.indexOf(page.person) + step + keys.length) % keys.length]);
  $(`person-${page.person}`).focus();
}

// Conversations

const hour = (at) => shortTime(new Date(at)).replace(".", ":");

const others = (letters) => {
  const names = letters.map((letter) => (letter.sent ? t("me") : letter.from.name));
  return [...new Set(names)].join(", ");
};

function conversation(thread) {
  const last = thread.letters[thread.letters.length - 1];
  const fresh = thread.letters.some((letter) => !letter.read);
  const chosen = thread.letters.some((letter) => letter.id === page.thread);
  const subject = last.subject.replace(/^((re|bls|fwd):\s*)+/i, "");
  return el("button", {
    type: "button", class: `thread${fresh ? " fresh" : ""}`, "data-key": `t${thread.id}`, "data-thread": thread.id,
    "aria-current": chosen ? "true" : null, onclick: () => openLetter(page.person, last.id),
  },
    el("span", { class: "line" }, el("span", { class: "from" }, others(thread.letters)),
      thread.letters.length > 1 ? el("span", { class: "count" }, String(thread.letters.length)) : null,
      el("time", {}, listTime(new Date(last.at), now()).replace(".", ":"))),
    el("span", { class: "subject" }, subject),
    el("span", { class: "line" }, el("span", { class: "snippet" }, last.snippet),
      last.files ? el("span", { role: "img", "aria-label": t("attach") }, icon("clip")) : null,
      kindChip(last)));
}

const kindChip = (letter) => (letter.kind && t("kinds")[letter.kind] ? el("span", { class: `chip ${letter.kind}` }, t("kinds")[letter.kind]) : null);

function list() {
  const found = threads();
  const me = person();
  $("threads").setAttribute("aria-labelledby", `person-${page.person}`);
  fill($("threads"), found.length ? found.map(conversation) : el("div", { class: "empty" },
    el("p", {}, t("no_mail")), el("p", {}, t(me.agent ? "no_mail_hint_agent" : "no_mail_hint_school"))));
}

function moveThread(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...$("threads").querySelectorAll(".thread")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (next) { event.preventDefault(); next.focus(); }
}

// Reading

function reader() {
  const thread = openThread();
  document.body.dataset.reading = thread ? "yes" : "no";
  const key = JSON.stringify([lang(), page.person, thread?.letters.map((letter) => letter.id), page.thread]);
  if (key === drawn) return;
  drawn = key;
  if (!thread) {
    fill($("reader"), el("div", { class: "empty choose" }, el("span", { class: "big" }, icon("mail")),
      el("p", {}, t("choose")), el("p", {}, t("choose_hint"))));
    return;
  }
  const last = thread.letters[thread.letters.length - 1];
  if (drawnFor !== lang() + page.person) articles.clear();
  drawnFor = lang() + page.person;
  fill($("reader"),
    el("header", { class: "subject", "data-key": "subject" },
      el("button", { type: "button", class: "quiet icon go-back", "aria-label": t("back"), onclick: closeThread }, icon("back")),
      el("h2", {}, last.subject.replace(/^((re|bls):\s*)+/i, ""))),
    thread.letters.map((letter) => {
      const open = (letter === last && !folded.has(letter.id)) || letter.id === page.thread || unfolded.has(letter.id);
      if (!articles.has(letter.id)) articles.set(letter.id, article(letter));
      articles.get(letter.id).show(open);
      return articles.get(letter.id);
    }));
  const target = $("reader").querySelector(`[data-letter="${page.thread}"]`);
  if (target && thread.letters.length > 1) target.scrollIntoView({ block: "start" });
  else $("reader").scrollTop = 0;
}

function article(letter) {
  const author = page.state.people.find((one) => one.email === letter.from.email);
  const key = author && letter.sent ? author.key : "desk";
  const to = letter.to.map((one) => (one.email === person().email ? t("me") : one.name)).join(", ");
  const head = el("button", { type: "button", class: "head", "aria-expanded": "false" },
    avatar(letter.from.name, key),
    el("span", { class: "names" }, el("strong", {}, letter.from.name), el("span", { class: "address" }, letter.from.email),
      el("span", { class: "to" }, `${t("to_whom")} ${to}`)),
    kindChip(letter), el("time", {}, el("span", { class: "wide" }, `${shortDay(new Date(letter.at))} `), hour(letter.at)));
  const node = el("article", { class: `letter${letter.sent ? " own" : ""}`, "data-key": `l${letter.id}`, "data-letter": letter.id, "data-kind": letter.kind || null });
  const body = el("div", { class: "body" });
  const snippet = el("p", { class: "folded" }, letter.snippet);
  node.show = (visible) => {
    head.setAttribute("aria-expanded", String(visible));
    snippet.hidden = visible;
    body.hidden = !visible;
    if (visible && !body.childElementCount) fillBody(body, letter);
  };
  head.onclick = () => {
    const visible = body.hidden;
    (visible ? unfolded : folded).add(letter.id);
    (visible ? folded : unfolded).delete(letter.id);
    node.show(visible);
  };
  node.append(head, snippet, body);
  return node;
}

async function fillBody(body, line) {
  body.replaceChildren(el("p", { class: "loading" }, "…"));
  try {
    if (!bodies.has(line.id)) bodies.set(line.id, await get(`/api/letters/${line.id}`));
  } catch (error) {
    body.replaceChildren(el("p", { class: "error" }, error.message));
    return;
  }
  const letter = bodies.get(line.id);
  const content = el("div", { class: "content" });
  const ways = ["html", "text", "headers", "raw"].filter((way) => way !== "html" || letter.has_html);
  const choose = (way) => {
    shownAs.set(letter.id, way);
    for (const button of tabs.children) button.setAttribute("aria-pressed", String(button.dataset.way === way));
    fillContent(content, letter, way);
  };
  const names = { html: t("html"), text: t("plain"), headers: t("headers"), raw: t("raw") };
  const tabs = el("div", { class: "ways", role: "group", "aria-label": t("view_as") },
    ways.map((way) => el("button", { type: "button", "data-way": way, onclick: () => choose(way) }, names[way])));
  fill(body, tabs, content, attachments(letter), actions(letter));
  choose(ways.includes(shownAs.get(letter.id)) ? shownAs.get(letter.id) : ways[0]);
}

async function fillContent(content, letter, way) {
  if (way === "html") content.replaceChildren(htmlFrame(letter));
  if (way === "text") content.replaceChildren(el("pre", { class: "plain" }, letter.text));
  if (way === "headers") {
    content.replaceChildren(el("dl", { class: "headers" },
      letter.headers.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
  }
  if (way === "raw") {
    const raw = await (await fetch(`/api/letters/${letter.id}/raw`)).text();
    content.replaceChildren(el("pre", { class: "raw", tabindex: "0" }, raw));
  }
}

// The mail's HTML in a frame without scripts; its height follows its content.
function htmlFrame(letter) {
  const frame = el("iframe", { sandbox: "allow-same-origin allow-popups", src: `/api/letters/${letter.id}/html?theme=${document.documentElement.dataset.theme}`, title: letter.subject });
  frame.onload = () => {
    const root = frame.contentDocument?.documentElement;
    if (!root) return;
    const fit = () => { frame.style.height = `${Math.ceil(frame.contentDocument.body.getBoundingClientRect().height) + 2}px`; };
    new ResizeObserver(fit).observe(frame.contentDocument.body);
    fit();
  };
  return frame;
}

function attachments(letter) {
  if (!letter.attachments.length) return null;
  return el("ul", { class: "files" }, letter.attachments.map((file) => {
    const path = `/api/letters/${letter.id}/files/${file.number}`;
    const picture = /^image\/(png|jpeg|gif|webp)$/.test(file.type);
    return el("li", {}, el("a", { href: path, target: "_blank", rel: "noopener", download: picture ? null : file.name },
      picture ? el("img", { src: path, alt: "", loading: "lazy" }) : icon("file"),
      el("span", {}, file.name), el("small", {}, size(file.size))));
  }));
}

function actions(letter) {
  const all = letter.answers.reply_all.length > letter.answers.reply.length;
  const away = async () => {
    try { await post("/api/send", { from: page.person, mode: "away", letter: letter.id }); } catch (error) { toast(`${t("failed")}: ${error.message}`); }
  };
  return el("div", { class: "actions" },
    el("button", { type: "button", class: "reply", onclick: () => write({ mode: "reply", letter }) }, icon("reply"), ` ${t("reply")}`),
    all ? el("button", { type: "button", class: "reply-all", onclick: () => write({ mode: "reply_all", letter }) }, icon("all"), ` ${t("reply_all")}`) : null,
    letter.sent || person().agent ? null : el("button", { type: "button", class: "quiet away", title: t("away_title"), onclick: away }, t("away")));
}

function keys(event) {
  if (event.target.closest("input, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && page.thread) closeThread();
  if (event.key === "r") $("reader").querySelector(".letter:last-of-type .reply")?.click();
  if (event.key === "c") { event.preventDefault(); write({ mode: "new" }); }
}

export function redraw() {
  drawn = "";
  articles.clear();
  reader();
}

export function startMail() {
  $("people").addEventListener("keydown", moveTab);
  $("threads").addEventListener("keydown", moveThread);
  document.addEventListener("keydown", keys);
  $("compose").onclick = () => write({ mode: "new" });
  onChange(() => { peopleTabs(); list(); reader(); });
}
