// The clock panel: the simulated time ticks here, its speed is chosen here.

import { $, el, fill, icon, post, toast } from "./dom.js";
import { clockTime, day, lang, shortDay, t } from "./i18n.js";
import { now, onChange, page } from "./store.js";

const PAUSED = 0.0001;
const SPEEDS = [["pause", PAUSED], ["real", 1, "1×"], ["minute", 60], ["six", 3600]];

async function set(change) {
  try { await post("/api/clock", change); } catch (error) { toast(`${t("failed")}: ${error.message}`); }
}

function tick() {
  if (page.state) {
    const moment = now();
    $("clock-day").textContent = day(moment);
    $("clock-day-short").textContent = shortDay(moment);
    $("clock-time").textContent = clockTime(moment).replaceAll(".", ":");
    $("clock-time").dateTime = moment.toISOString();
  }
  requestAnimationFrame(() => setTimeout(tick, 100));
}

function buttons() {
  const { speed } = page.state.clock;
  const known = SPEEDS.some(([, one]) => one === speed);
  fill($("speeds"), SPEEDS.map(([name, one, short]) => el("button", {
    type: "button", "data-key": name, "data-speed": one, "aria-pressed": String(one === speed), title: t(name),
    "aria-label": t(name), onclick: () => set({ speed: one }),
  }, name === "pause" ? icon("pause") : short || t(name))), known ? null : el("button", { type: "button", "aria-pressed": "true", disabled: true },
    `${Math.round(speed).toLocaleString(lang() === "id" ? "id-ID" : "en-GB")}×`));
}

export function startClock() {
  $("jump").onclick = () => set({ jump_hours: 6 });
  onChange(buttons);
  tick();
}
