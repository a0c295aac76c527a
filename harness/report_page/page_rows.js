"use strict";
// Rows of the event list, the keys that move in it, and the state in the page's address.
function drawRows() {
  const list = document.getElementById("list"), run = REPORT.runs[state.run], spacer = list.firstElementChild;
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5), last = Math.min(state.shown.length, first + Math.ceil(list.clientHeight / ROW) + 10);
  const rows = [];
  for (let place = first; place < last; place += 1) rows.push(rowOf(run, place));
  spacer.replaceChildren(...rows);
  document.getElementById("list-head").scrollLeft = list.scrollLeft;
  if (state.active >= first && state.active < last) list.setAttribute("aria-activedescendant", `event-${state.active}`);
  else list.removeAttribute("aria-activedescendant");
}

function drawPrinted() {
  // Paper has no place for all: what stands around the chosen event, or around the first evidence.
  const spacer = document.querySelector("#list .spacer"), flags = state.run === null ? null : REPORT.runs[state.run].events.flags;
  if (!spacer || !flags) return;
  const wanted = state.active >= 0 ? state.active : state.shown.findIndex((one) => flags[one] & EVIDENCE);
  const first = Math.max(0, Math.min(wanted - MOST_PRINTED / 2, state.shown.length - MOST_PRINTED)), last = Math.min(state.shown.length, first + MOST_PRINTED);
  spacer.replaceChildren(...state.shown.slice(first, last).map((_, at) => rowOf(REPORT.runs[state.run], first + at)));
  document.getElementById("printed").textContent = `Printed: events ${(first + 1).toLocaleString("en")} to ${last.toLocaleString("en")} of ${state.shown.length.toLocaleString("en")}.${last - first < state.shown.length ? " The page itself has the others." : ""}`;
}

function rowOf(run, place) {
  const one = state.shown[place], { at, lane, seq, device, text, flags } = run.events, name = run.lanes[lane[one]];
  const fault = faultAt(run, at[one]);
  const isEvidence = Boolean(flags[one] & EVIDENCE), words = run.texts[text[one]];
  const classes = ["event", flags[one] & WRONG ? "is-wrong" : "", fault ? "in-fault" : "", isEvidence ? "is-evidence" : "", words.startsWith("─") ? "is-rule" : "", place === state.active ? "is-active" : ""];
  const inFault = fault ? `▒ ${fault.kind}  ` : "";
  return make("div", { id: `event-${place}`, class: classes.filter(Boolean).join(" "), role: "option", "aria-selected": place === state.active ? "true" : "false", "aria-setsize": state.shown.length, "aria-posinset": place + 1, style: `top:${place * ROW}px`, onclick: () => activate(place) },
    make("span", {}, inTime(at[one])), sequenceOf(name, words), make("span", {}, `${name}:${seq[one]}`), make("span", {}, run.device_names[device[one]]),
    make("span", { class: "words" }, inFault, isEvidence ? "◆ evidence " : "", flags[one] & WRONG && !words.startsWith("!") ? "! " : "", words));
}

function headOfRows() {
  const x = (at) => 22 + 44 * at;
  const names = LIVES.map((name, at) => draw("text", { x: x(at), y: 17, "text-anchor": "middle" }, name));
  return make("div", { id: "list-head", "aria-hidden": "true" }, make("div", { class: "event head" }, make("span", {}, "time"),
    draw("svg", { viewBox: "0 0 176 26" }, ...names), make("span", {}, "lane:number"), make("span", {}, "device"), make("span", {}, "what happened")));
}

function sequenceOf(lane, words) {
  const x = (name) => 22 + 44 * Math.max(0, LIVES.indexOf(name === "board" ? "device" : name));
  const svg = draw("svg", { viewBox: "0 0 176 26", "aria-hidden": "true" }, ...LIVES.map((name) => draw("line", { class: "life", x1: x(name), x2: x(name), y1: 0, y2: 26 })));
  const mark = words[0];
  const ends = lane === "device" && mark === "→" ? ["device", "network"] : lane === "device" && mark === "←" ? ["network", "device"]
    : lane === "server" && mark === "→" ? ["network", "server"] : lane === "server" && mark === "←" ? ["server", "network"] : null;
  if (!ends) svg.append(draw("circle", { class: "arrow", cx: x(lane), cy: 13, r: mark === "!" ? 5 : 3 }));
  else {
    const [from, to] = ends.map(x), back = to > from ? -6 : 6;
    svg.append(draw("line", { class: "arrow", x1: from, x2: to, y1: 13, y2: 13 }), draw("polygon", { class: "arrow", points: `${to},13 ${to + back},9 ${to + back},17` }));
  }
  return svg;
}

function activate(place) {
  if (place < 0 || place >= state.shown.length) return;
  state.active = place;
  const list = document.getElementById("list"), top = place * ROW;
  if (top < list.scrollTop || top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = Math.max(0, top - list.clientHeight / 2);
  drawRows();
  const run = REPORT.runs[state.run], one = state.shown[place], { lane, seq, text, detail, kind, to, device } = run.events;
  const fault = faultAt(run, run.events.at[one]);
  document.getElementById("details").textContent = [
    `${run.lanes[lane[one]]}:${seq[one]}  ${run.texts[kind[one]]}  ${run.device_names[device[one]]}  at ${inTime(run.events.at[one])}`,
    run.texts[text[one]], to[one] ? `belongs to ${run.lanes[lane[one]]}:${to[one]}` : "", fault ? `during ${fault.sentence}` : "", run.texts[detail[one]]].filter(Boolean).join("\n");
}

function keys(event) {
  const page = Math.floor(event.currentTarget.clientHeight / ROW) - 1, last = state.shown.length - 1;
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -last - 1, End: last + 1 };
  if (!(event.key in moves)) return;
  event.preventDefault();
  activate(Math.max(0, Math.min(last, state.active + moves[event.key])));
}

function step(by) {
  const run = REPORT.runs[state.run];
  for (let place = state.active + by; place >= 0 && place < state.shown.length; place += by) {
    if (run.events.flags[state.shown[place]] & EVIDENCE) {
      activate(place);
      document.getElementById("list").focus();
      return;
    }
  }
  document.getElementById("details").textContent = "There is no further evidence in what is shown.";
}

function keepInAddress() {
  const parts = new URLSearchParams({ run: state.run });
  if (state.range) parts.set("range", state.range.map((one) => Math.round(one)).join("-"));
  for (const name of ["text", "device", "phase"]) if (state[name]) parts.set(name, state[name]);
  if (state.wrong) parts.set("wrong", "1");
  const lanes = REPORT.runs[state.run].lanes;
  if (state.lanes.size !== lanes.length) parts.set("lanes", [...state.lanes].join(","));
  history.replaceState(null, "", `#${parts}`);
}

function fromAddress() {
  const parts = new URLSearchParams(location.hash.slice(1)), number = Number(parts.get("run"));
  const linked = /^#run-(\d+)$/.exec(location.hash);
  if (linked && REPORT.runs[+linked[1]]) openRun(+linked[1]);
  if (!parts.has("run") || !REPORT.runs[number]?.events) return false;
  showTimeline(number);
  const range = (parts.get("range") ?? "").split("-").map(Number);
  if (range.length === 2 && range.every(Number.isFinite)) state.range = range;
  for (const name of ["text", "device", "phase"]) state[name] = parts.get(name) ?? "";
  state.wrong = parts.has("wrong");
  if (parts.has("lanes")) state.lanes = new Set(parts.get("lanes").split(","));
  refresh();
  return true;
}

addEventListener("beforeprint", drawPrinted);
addEventListener("afterprint", () => { if (state.run !== null) drawRows(); });
addEventListener("hashchange", fromAddress);
showHead();
showFailed();
showRuns();
if (!fromAddress() && withEvents().length) showTimeline(withEvents()[0], false);
