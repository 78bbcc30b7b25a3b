// The desk's side: the tickets, one ticket's history, the folders of its inbox, and the mail in transit.

import { $, avatar, el, fill, get, icon, toast } from "./dom.js";
import { fullTime, lang, shortTime, size, span, t } from "./i18n.js";
import { allLetters, now, onChange, openLetter, page, person } from "./store.js";

const MOST_TRAFFIC = 30;
let open = null;    // number of the ticket whose history is shown
let shown = "";

const tidy = (text) => text.replace(/(\d)\.(\d\d)$/, "$1:$2");
const words = (ticket) => ticket.status_words[lang()].split("*").map((part) => part.trim());

function timer(ticket) {
  if (!ticket.next_timer) return null;
  const left = new Date(ticket.next_timer.at) - now();
  const name = t(ticket.next_timer.kind === "reminder" ? "timer_reminder" : "timer_close");
  return `${name} ${left > 0 ? `${t("in")} ${span(left)}` : t("due")}`;
}

function row(ticket) {
  const [status, detail] = words(ticket);
  const link = ticket.follow_up_of ? `${t("follow_up_of")} #${ticket.follow_up_of}`
    : ticket.follow_ups?.length ? `${t("followed_by")} #${ticket.follow_ups.join(", #")}` : null;
  const due = timer(ticket);
  return el("button", { type: "button", class: "ticket", "data-key": `n${ticket.number}`, "data-ticket": ticket.number,
    "data-status": ticket.status, onclick: () => showHistory(ticket.number) },
    el("span", { class: "line" }, el("b", { class: "number" }, `#${ticket.number}`), el("span", { class: "title" }, ticket.subject)),
    el("span", { class: "line" }, el("span", { class: `status ${ticket.status}` }, status), detail ? el("small", {}, detail) : null),
    el("span", { class: "facts" }, [ticket.requester_name || ticket.requester.email, ticket.agent_name || t("no_agent"), link].filter(Boolean).join(" · ")),
    due ? el("span", { class: "timer" }, icon("timer"), ` ${due}`) : null);
}

function list() {
  const { tickets, folders } = page.state;
  fill($("tickets"), tickets.length ? tickets.map(row) : el("p", { class: "empty" }, t("no_tickets")));
  const named = { INBOX: t("inbox"), "Mailbot/Processed": t("processed"), "Mailbot/Quarantine": t("quarantine") };
  $("folders").textContent = Object.entries(named).filter(([folder]) => folder in folders)
    .map(([folder, name]) => `${folders[folder]} ${name}`).join(" · ");
}

function traffic() {
  const letters = allLetters().slice(-MOST_TRAFFIC).reverse();
  fill($("traffic"), letters.map((letter) => {
    const who = person(letter.person);
    const kind = t("kinds")[letter.kind] || "";
    return el("li", {}, el("button", { type: "button", class: `way ${letter.sent ? "up" : "down"}`, "data-key": `w${letter.id}`,
      onclick: () => openLetter(letter.person, letter.id) },
      el("time", {}, shortTime(new Date(letter.at)).replace(".", ":")),
      avatar(who.name, letter.person),
      el("span", { class: "arrow", "aria-hidden": "true" }, letter.sent ? "→" : "←"),
      el("span", { class: "what" }, kind ? el("em", {}, kind) : null, ` ${letter.subject}`)));
  }));
}

// One ticket

async function showHistory(number) {
  open = number;
  shown = "";
  await refreshHistory();
  if (!$("history").open) $("history").showModal();
}

async function refreshHistory() {
  if (!open) return;
  let ticket;
  try { ticket = await get(`/api/tickets/${open}`); } catch (error) { toast(`${t("failed")}: ${error.message}`); return; }
  const now = JSON.stringify([lang(), ticket]);
  if (now === shown) return;
  shown = now;
  $("history-title").textContent = `#${ticket.number} · ${ticket.subject}`;
  fill($("history-body"), facts(ticket), el("h3", {}, t("history")), el("ol", { class: "timeline" }, moments(ticket)));
}

function facts(ticket) {
  const [status, detail] = words(ticket);
  const at = (time) => tidy(fullTime(new Date(time)));
  const rows = [
    [t("status"), [el("span", { class: `status ${ticket.status}` }, status), detail ? ` ${detail}` : null,
      ticket.close_reason ? ` · ${t("reasons")[ticket.close_reason] || ticket.close_reason}` : null]],
    [t("requester"), `${ticket.requester_name} · ${ticket.requester.email}`],
    [t("agent_label"), ticket.agent_name || t("no_agent")],
    [t("opened"), at(ticket.created_at)],
    ticket.closed_at ? [t("closed_at"), at(ticket.closed_at)] : null,
    ticket.participants.length ? [t("participants"), ticket.participants.join(", ")] : null,
    ticket.reminders_sent ? [t("reminders"), String(ticket.reminders_sent)] : null,
    ticket.next_timer ? [t(ticket.next_timer.kind === "reminder" ? "timer_reminder" : "timer_close"), at(ticket.next_timer.at)] : null,
    ticket.follow_up_of ? [t("follow_up_of"), jump(ticket.follow_up_of)] : null,
    ticket.follow_ups?.length ? [t("followed_by"), ticket.follow_ups.map(jump)] : null,
  ];
  return el("dl", { class: "facts" }, rows.filter(Boolean).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

const jump = (number) => el("button", { type: "button", class: "link", onclick: () => showHistory(number) }, `#${number}`);

function moments(ticket) {
  const name = (address) => page.state.people.find((one) => one.email === address)?.name || (!address || address === "system" || address === page.state.desk.address ? t("system") : address);
  const messages = ticket.messages.map((message) => ({ at: message.at, node: el("li", { class: `message ${message.author_role}${message.public ? "" : " internal"}` },
    avatar(name(message.author), page.state.people.find((one) => one.email === message.author)?.key || "desk"),
    el("div", {}, el("p", { class: "meta" }, el("strong", {}, name(message.author)), ` · ${t("kinds")[message.kind] || message.kind} · `, el("time", {}, tidy(fullTime(new Date(message.at))))),
      message.text ? el("p", { class: "said" }, message.text) : null,
      message.attachments.length ? el("p", { class: "said" }, message.attachments.map((file) => [icon("clip"), ` ${file.name} (${size(file.size)}) `])) : null)) }));
  const state = (code) => t("states")[code] || code;
  const events = ticket.events.filter((event) => event.kind === "status").map((event) => ({ at: event.at, node: el("li", { class: "event" },
    el("span", { class: `status ${event.to}` }, state(event.to)), " ", el("time", {}, tidy(fullTime(new Date(event.at))))) }));
  return [...messages, ...events].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).map((one) => one.node);
}

export function startTickets() {
  $("history-close").onclick = () => $("history").close();
  $("history").addEventListener("close", () => { open = null; });
  onChange(() => { list(); traffic(); refreshHistory(); });
  setInterval(() => page.state && list(), 1000);  // the time that is left runs
}
