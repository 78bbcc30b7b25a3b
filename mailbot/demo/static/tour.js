// The guided tour: each step really happens on the server; here it is started, explained, and read again.

import { $, el, fill, icon, post, toast } from "./dom.js";
import { lang, t } from "./i18n.js";
import { onChange, openLetter, page } from "./store.js";

let at = null;        // the step that is shown, counted from 1; 0: the introduction; null: the newest
let followed = null;  // the step whose mail was opened by itself
const focusOf = {};   // step → where its mail is

async function next() {
  at = null;
  try { await post("/api/tour/next"); } catch (error) { toast(`${t("failed")}: ${error.message}`); }
}

function forward(done) {
  const shown = at ?? done;
  if (shown < done) { at = shown + 1 === done ? null : shown + 1; draw(); } else next();
}

const dots = (done, shown, total) => el("div", { class: "dots", "aria-hidden": "true" },
  Array.from({ length: total }, (_, n) => el("i", { class: n + 1 === shown ? "here" : n < done ? "done" : "" })));

function draw() {
  const { done, running, failure, focus } = page.state.tour;
  const total = page.story.length;
  followed ??= done;  // what happened before this tab was opened is not shown by itself
  if (done < followed) { followed = 0; at = null; }  // another world began
  const shown = running ? done + 1 : at ?? done;
  const words = (n) => page.story[n - 1][lang()];
  if (done && focus && !running) focusOf[done] = focus;
  const finished = done === total && !running;
  const upcoming = !running && at === null && done < total ? words(done + 1).title : null;
  fill($("tour"),
    el("header", {}, el("h2", {}, t("tour")), shown ? el("small", {}, t("step_of")(shown, total)) : null),
    dots(done, shown, total),
    shown ? el("h3", {}, words(shown).title) : el("h3", {}, t("tour_title")),
    running ? el("p", { class: "doing" }, el("span", { class: "spinner", "aria-hidden": "true" }), t("doing"))
      : el("p", {}, shown ? words(shown).text : t("tour_intro")),
    failure ? el("p", { class: "error" }, `${t("tour_failed")} ${failure}`) : null,
    finished && at === null ? el("p", { class: "fine" }, t("tour_done")) : null,
    upcoming && done ? el("p", { class: "upcoming" }, `${t("upcoming")} ${upcoming}`) : null,
    el("div", { class: "buttons" },
      shown > 0 ? el("button", { type: "button", "data-key": "previous", class: "quiet icon", "aria-label": t("previous"), title: t("previous"), disabled: running || shown <= 1,
        onclick: () => { at = shown - 1; draw(); show(at); } }, icon("back")) : null,
      shown > 0 && focusOf[shown] && !running ? el("button", { type: "button", "data-key": "show", class: "quiet", onclick: () => show(shown, false) }, t("show_mail")) : null,
      finished && at === null ? null : el("button", { type: "button", id: "tour-next", "data-key": "next", class: "primary", disabled: running,
        onclick: () => { forward(done); if (at !== null) show(at); } }, failure ? t("try_again") : done || at ? `${t("next")} →` : t("start"))));
  if (done > followed && !running && at === null) {
    followed = done;
    if (focus) show(done);
  }
}

// Open the mail that the step was about; on a phone the tour stays in sight unless the mail was asked for.
function show(step, stay = true) {
  const focus = focusOf[step];
  if (focus) setTimeout(() => openLetter(focus.person, focus.letter, stay));
}

export function startTour() {
  onChange(draw);
}
