// The start: gets the state, keeps it fresh by server-sent events, and hands it to the parts of the page.

import { $, get, icon, post, toast } from "./dom.js";
import { lang, remember, remembered, setLanguage, t, translatePage } from "./i18n.js";
import { allLetters, changed, go, load, onChange, openLetter, openThread, page, person, unread } from "./store.js";
import { startClock } from "./clock.js";
import { redraw, startMail } from "./mail.js";
import { startTickets } from "./tickets.js";
import { startTour } from "./tour.js";
import { startWriter } from "./writer.js";

let known = 0;  // the newest letter that was seen

const isOpen = (letter) => letter.person === page.person && openThread()?.letters.some((one) => one.id === letter.id);

function announce() {
  const letters = allLetters();
  const newest = letters.length ? letters[letters.length - 1].id : 0;
  if (newest < known) known = 0;  // another world began
  else if (known) {
    const fresh = letters.filter((one) => one.id > known && !one.sent && !isOpen(one));
    if (fresh.length && !page.state.tour.running) {  // the tour opens its mail itself
      const names = [...new Set(fresh.map((one) => person(one.person).name))];
      const last = fresh[fresh.length - 1];
      toast(t("new_for")(names.join(", ")), () => openLetter(last.person, last.id));
    }
  }
  known = Math.max(newest, 1);
}

function listen() {
  const source = new EventSource("/api/events");
  let lost = false;
  source.onmessage = () => { lost = false; load().catch(() => {}); };
  source.onerror = () => {
    if (!lost) toast(t("lost"));
    lost = true;
  };
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  remember("mailbot-theme", theme);
}

function startTools() {
  $("language").onclick = () => { setLanguage(lang() === "id" ? "en" : "id"); changed(); };
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  setTheme(remembered("mailbot-theme", system));
  $("theme").onclick = () => { setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); redraw(); };
  $("restart").onclick = async () => {
    if (!confirm(t("restart_sure"))) return;
    page.thread = null;
    document.body.dataset.reading = "no";
    try { await post("/api/restart"); await load(); } catch (error) { toast(`${t("failed")}: ${error.message}`); }
  };
  for (const button of document.querySelectorAll("[data-go]")) button.onclick = () => go(button.dataset.go);
  onChange(() => {
    document.body.dataset.view = page.view;
    for (const button of document.querySelectorAll("[data-go]")) {
      button.setAttribute("aria-current", button.dataset.go === page.view ? "page" : "false");
    }
    const waiting = page.state.people.reduce((sum, one) => sum + unread(one.key), 0);
    $("mail-badge").textContent = waiting;
    $("mail-badge").hidden = !waiting;
    document.title = `${waiting ? `(${waiting}) ` : ""}mailbot · demo`;
    announce();
  });
}

for (const node of document.querySelectorAll("[data-icon]")) node.prepend(icon(node.dataset.icon));
translatePage();
startTools();
startClock();
startMail();
startTickets();
startTour();
startWriter();
page.story = await get("/api/story");
await load();
listen();
