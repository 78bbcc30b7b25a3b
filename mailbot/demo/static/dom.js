// Small tools for the page's tree. Text goes in as text, never as HTML: mails can't inject anything.

export const $ = (id) => document.getElementById(id);

// el("button", {class: "x", onclick: f, "aria-label": "…"}, "text", child, …); null and false children are left out.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node[name] = value;
    else if (name === "hidden" || name === "disabled" || name === "selected") node[name] = Boolean(value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const HANDLERS = ["onclick", "onchange", "onkeydown"];
const keyOf = (node) => node.dataset?.key;

// Make the children of a node those given, changing only what differs: a button that is being pressed, a field with the
// focus and a frame with a mail in it stay what they are.
export function fill(node, ...children) {
  const fresh = children.flat(Infinity).filter((child) => child || child === 0)
    .map((child) => (child instanceof Node ? child : document.createTextNode(child)));
  const keyed = new Map([...node.childNodes].filter(keyOf).map((child) => [keyOf(child), child]));
  let here = node.firstChild;
  for (const wanted of fresh) {
    const key = keyOf(wanted);
    let present = key ? keyed.get(key) : here;
    if (key && present && present !== here) node.insertBefore(present, here);
    else if (!key && present && keyOf(present)) present = null;  // a keyed one is not made into another
    if (present === wanted) here = wanted.nextSibling;
    else if (present && present.nodeName === wanted.nodeName) { adopt(present, wanted); here = present.nextSibling; }
    else node.insertBefore(wanted, here);
  }
  while (here) { const next = here.nextSibling; here.remove(); here = next; }
}

function adopt(node, wanted) {
  if (node.nodeType === Node.TEXT_NODE) { if (node.data !== wanted.data) node.data = wanted.data; return; }
  for (const { name } of [...node.attributes]) if (!wanted.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of wanted.attributes) if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  for (const name of HANDLERS) node[name] = wanted[name];
  fill(node, [...wanted.childNodes]);
}

export async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || answer.statusText);
  return answer.json();
}

export async function post(path, body = {}) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.error || answer.statusText);
  return said;
}

export function toast(text, onclick = null) {
  const node = el("button", { type: "button", class: "toast", onclick: () => { node.remove(); onclick?.(); } }, text);
  document.getElementById("toasts").replaceChildren(node);  // one at a time: they lie over the mail
  setTimeout(() => node.remove(), 4200);
}

const COLOURS = { sdn1: "green", smpn3: "amber", sally: "violet", budi: "cyan" };
export const colour = (key) => COLOURS[key] || "helpdesk";
export const initials = (name) => name.split(/\s+/).map((word) => word[0]).filter((c) => /[\p{L}\d]/u.test(c)).slice(0, 2).join("").toUpperCase();
export const avatar = (name, key) => el("span", { class: `avatar ${colour(key)}`, "aria-hidden": "true" }, key === "desk" ? icon("mail") : initials(name));

// Drawn here: not every machine has a font with such signs.
const PATHS = {
  mail: "M3 6.500A1.500 1.500 0 0 1 4.500 5h15A1.500 1.500 0 0 1 21 6.500v11a1.500 1.500 0 0 1-1.500 1.500h-15A1.500 1.500 0 0 1 3 17.500zM3.500 7l8.500 6.500L20.500 7",
  reply: "M10 6 4 12l6 6M4.500 12H14a6 6 0 0 1 6 6v1",
  all: "M8 6 2 12l6 6M14 6l-6 6 6 6M8.500 12H16a6 6 0 0 1 6 6v1",
  clip: "m20 11-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.500 17a1.700 1.700 0 0 1-2.400-2.400L15 7",
  file: "M6 3h8l5 5v13H6zM14 3v5h5",
  pause: "M8 5v14M16 5v14",
  timer: "M12 8v5l3 2M12 21a8 8 0 1 0 0-16 8 8 0 0 0 0 16M9.500 2h5",
  list: "M4 6h16M4 12h16M4 18h10",
  close: "m6 6 12 12M18 6 6 18",
  back: "M15 5l-7 7 7 7",
  again: "M4 12a8 8 0 1 1 2.500 5.800M4 20v-5h5",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
};
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `glyph g-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
