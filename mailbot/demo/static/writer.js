// Writing: a new mail, a reply, a reply to all; attachments; what people usually write is one click away.

import { $, el, fill, icon, post, toast } from "./dom.js";
import { size, t } from "./i18n.js";
import { load, openLetter, page, person } from "./store.js";

const MOST = 25 * 1024 * 1024;
let draft = null;   // {mode, letter, files: [File]}

export function write({ mode, letter = null }) {
  const me = person();
  draft = { mode, letter, files: [], from: me.key };
  const to = letter ? letter.answers[mode].map((one) => one.email) : me.agent ? [] : [page.state.desk.address];
  $("writer-title").textContent = `${t(mode === "new" ? "new_mail" : mode)} · ${me.name}`;
  $("writer-to").value = to.join(", ");
  $("writer-to").readOnly = Boolean(letter);
  $("writer-subject").value = letter ? letter.answer_subject : "";
  $("writer-text").value = "";
  $("writer-hint").textContent = letter ? t("quoted") : "";
  $("writer-error").hidden = true;
  fill($("addresses"), [page.state.desk.address, ...page.state.people.map((one) => one.email)].map((email) => el("option", { value: email })));
  suggestions(me, letter);
  files();
  $("writer").showModal();
  (letter ? $("writer-text") : me.agent ? $("writer-to") : $("writer-subject")).focus();
}

function suggestions(me, letter) {
  const offered = me.agent ? (letter ? t("suggest_agent_reply") : []) : t(letter ? "suggest_school_reply" : "suggest_school");
  fill($("suggestions"), offered.map(([name, text]) => el("button", { type: "button", class: "chip", onclick: () => {
    const area = $("writer-text");
    // a command belongs on top, words below what is there
    area.value = text.startsWith("#") ? [text, area.value].filter(Boolean).join("\n") : [area.value, text].filter(Boolean).join("\n");
    if (!$("writer-subject").value) $("writer-subject").value = t("report_subject");
    area.focus();
  } }, name)), me.agent && letter ? el("small", {}, t("command_hint")) : null);
}

function files() {
  fill($("writer-files"), draft.files.map((file, at) => el("li", {}, icon("clip"), el("span", {}, file.name), el("small", {}, size(file.size)),
    el("button", { type: "button", class: "quiet icon", "aria-label": `${t("remove")}: ${file.name}`, onclick: () => { draft.files.splice(at, 1); files(); } }, icon("close")))));
}

function attach() {
  draft.files.push(...$("writer-file").files);
  $("writer-file").value = "";
  const total = draft.files.reduce((sum, file) => sum + file.size, 0);
  if (total > MOST) {
    draft.files.pop();
    complain(t("too_large"));
  }
  files();
}

function complain(text) {
  $("writer-error").textContent = text;
  $("writer-error").hidden = false;
}

const base64 = (file) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => failed(reader.error);
  reader.readAsDataURL(file);
});

async function send(event) {
  event.preventDefault();
  const button = $("writer-send");
  if (button.disabled) return;
  button.disabled = true;
  button.textContent = t("sending");
  try {
    const { id } = await post("/api/send", {
      from: draft.from, mode: draft.mode, letter: draft.letter?.id ?? null,
      to: $("writer-to").value.split(/[,;\s]+/).filter(Boolean), subject: $("writer-subject").value, text: $("writer-text").value,
      files: await Promise.all(draft.files.map(async (file) => ({ name: file.name, content: await base64(file) }))),
    });
    await load();
    openLetter(draft.from, id);
    $("writer").close();
    toast(t("sent"));
  } catch (error) {
    complain(`${t("failed")}: ${error.message}`);
  } finally {
    button.disabled = false;
    button.textContent = t("send");
  }
}

export function startWriter() {
  $("writer-form").addEventListener("submit", send);
  $("writer-close").onclick = () => $("writer").close();
  $("writer-file").onchange = attach;
  $("writer-attach").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); $("writer-file").click(); }
  });
  $("writer-text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("writer-form").requestSubmit();
  });
}
