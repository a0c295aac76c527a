"use strict";
// Making elements: everything that comes from the document goes in as text.
const SYMBOLS = { passed: "✓", failed: "✗", broken: "!", warned: "⚠", skipped: "–", "known deviation": "≈", interrupted: "!" };

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== ""));
  return element;
}

function draw(name, properties = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(properties)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function verdictOf(verdict) {
  const kind = verdict.split(" ")[0];
  return make("span", { class: `verdict ${kind}` }, `${SYMBOLS[verdict] ?? "·"} ${verdict}`);
}

function inTime(us) {
  const s = Math.abs(us) / 1e6;
  const minutes = Math.floor(s / 60);
  return `${us < 0 ? "-" : ""}${minutes}:${(s - minutes * 60).toFixed(3).padStart(6, "0")}`;
}

function span(s) {
  return s < 1 ? `${Math.round(s * 1000)} ms` : s < 120 ? `${+s.toFixed(1)} s` : `${Math.round(s / 60)} min`;
}

function counted(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

function command(label, text) {
  const said = make("span", { class: "soft", role: "status" });
  const copied = () => { said.textContent = "copied"; };
  const byHand = () => { getSelection().selectAllChildren(code); said.textContent = "selected: press Ctrl+C"; };
  const copy = () => {
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(copied, byHand);
    else byHand();
  };
  const code = make("code", {}, text);
  return make("div", { class: "command" }, make("span", { class: "soft" }, label), code,
    make("button", { type: "button", onclick: copy, "aria-label": `Copy the command: ${label}` }, "copy"), said);
}
