"use strict";
// The events of one run: filters, the sequence drawing as a list of which only what is seen is drawn, and details.
const ROW = 26, MOST_PRINTED = 60, WRONG = 1, EVIDENCE = 2;
const LIVES = ["bench", "device", "network", "server"];
const state = { run: null, range: null, text: "", device: "", phase: "", lanes: new Set(), wrong: false, active: -1, shown: [] };

function showEvidence(number, lane, seq) {
  showTimeline(number);
  const run = REPORT.runs[number], at = run.events.seq.findIndex((one, index) => one === seq && run.lanes[run.events.lane[index]] === lane);
  if (at < 0) {
    document.getElementById("details").textContent = `${lane}:${seq} is not among the events that are kept here.`;
    document.getElementById("details").focus();
    return;
  }
  if (!state.shown.includes(at)) Object.assign(state, { range: null, text: "", device: "", phase: "", wrong: false, lanes: new Set(run.lanes) });
  refresh();
  activate(state.shown.indexOf(at));
  document.getElementById("list").focus();
}

function showTimeline(number, moves = true) {
  const run = REPORT.runs[number];
  if (state.run !== number) Object.assign(state, { run: number, range: null, text: "", device: "", phase: "", wrong: false, active: -1, lanes: new Set(run.lanes) });
  const place = document.getElementById("timeline");
  place.hidden = false;
  const named = (name, field) => make("label", {}, name, field);
  const choices = (id, names, all) => make("select", { id, onchange: read }, make("option", { value: "" }, all), names.slice(1).map((one) => make("option", { value: one }, one)));
  const widest = run.device_names.reduce((most, one) => Math.max(most, one.length), 9);
  place.style.setProperty("--device", `${Math.min(28, widest) + 1}ch`);
  place.replaceChildren(...[
    make("h2", { id: "timeline-title", tabindex: "-1" }, `What happened in ${run.run}`),
    run.sampled ? make("p", { class: "warned" }, `⚠ ${run.sampled.of.toLocaleString("en")} events: ${run.sampled.shown.toLocaleString("en")} of them are shown, with all of the bench, all evidence and what went wrong first. Curves count all of them.`) : null,
    run.one_of ? make("p", { class: "warned" }, `⚠ The trace has one device in ${run.one_of}: what devices did, and the curves, are of those; verdicts are about all devices.`) : null,
    run.has_all_details ? null : make("p", { class: "warned" }, "⚠ Headers and bodies of later events are left out: fleetrig trace -v shows them."),
    make("div", { class: "filters" },
      withEvents().length > 1 ? named("Run", make("select", { id: "which", onchange: (event) => showTimeline(+event.target.value) },
        withEvents().map((one) => make("option", { value: one, selected: one === number }, REPORT.runs[one].run)))) : null,
      named("Search", make("input", { id: "search", type: "search", oninput: read, placeholder: "text, name or number" })),
      named("Device", choices("device", run.device_names, "all devices")),
      named("Phase", choices("phase", run.phase_names, "all phases")),
      named("From (s)", make("input", { id: "from", type: "number", step: "any", min: "0", onchange: read })),
      named("To (s)", make("input", { id: "to", type: "number", step: "any", min: "0", onchange: read })),
      make("fieldset", {}, make("legend", {}, "Lanes"), run.lanes.map((lane) => make("label", { class: "row" },
        make("input", { type: "checkbox", name: "lane", value: lane, checked: state.lanes.has(lane), onchange: read }), lane))),
      make("label", { class: "row" }, make("input", { id: "wrong", type: "checkbox", onchange: read }), "only what went wrong"),
      make("button", { type: "button", onclick: clear }, "Show all")),
    make("div", { id: "drawn" }),
    make("p", { id: "count", role: "status", "aria-live": "polite" }),
    make("div", {}, make("button", { type: "button", onclick: () => step(-1) }, "◂ previous evidence"), " ", make("button", { type: "button", onclick: () => step(1) }, "next evidence ▸")),
    make("p", { id: "printed" }),
    headOfRows(),
    make("div", { id: "list", tabindex: "0", role: "listbox", "aria-label": "Events; arrow keys move, details stand below", onscroll: drawRows, onkeydown: keys }, make("div", { class: "spacer", role: "presentation" })),
    make("h3", {}, "Details"),
    make("div", { id: "details", class: "mono", tabindex: "0", role: "region", "aria-label": "Details of the chosen event", "aria-live": "polite" }, "Choose an event."),
    make("div", { id: "reasons" })].filter(Boolean));
  refresh();
  if (moves) document.getElementById("timeline-title").focus();
}

function withEvents() {
  return REPORT.runs.map((run, number) => run.events ? number : -1).filter((one) => one >= 0);
}

function read() {
  const value = (id) => document.getElementById(id).value;
  const run = REPORT.runs[state.run], from = value("from"), to = value("to");
  state.text = value("search").toLowerCase();
  state.device = value("device");
  state.phase = value("phase");
  state.wrong = document.getElementById("wrong").checked;
  state.lanes = new Set([...document.querySelectorAll("input[name=lane]:checked")].map((one) => one.value));
  state.range = from === "" && to === "" ? null : [from === "" ? 0 : from * 1e6, to === "" ? run.span_us : to * 1e6];
  refresh();
}

function clear() {
  Object.assign(state, { range: null, text: "", device: "", phase: "", wrong: false, lanes: new Set(REPORT.runs[state.run].lanes) });
  refresh();
}

function fitting(run) {
  const { at, lane, seq, device, kind, text, detail, phase, flags } = run.events, found = [];
  const wanted = run.device_names.indexOf(state.device), phased = run.phase_names.indexOf(state.phase);
  const hits = state.text ? run.texts.map((one) => one.toLowerCase().includes(state.text)) : null;
  const named = state.text ? run.device_names.map((one) => one.toLowerCase().includes(state.text)) : null;
  for (let one = 0; one < at.length; one += 1) {
    if (state.range && (at[one] < state.range[0] || at[one] > state.range[1])) continue;
    if (state.device && device[one] !== wanted) continue;
    if (state.phase && phase[one] !== phased) continue;
    if (state.wrong && !(flags[one] & WRONG)) continue;
    if (!state.lanes.has(run.lanes[lane[one]])) continue;
    if (hits && !(hits[text[one]] || hits[detail[one]] || hits[kind[one]] || named[device[one]] || `${run.lanes[lane[one]]}:${seq[one]}` === state.text)) continue;
    found.push(one);
  }
  return found;
}

function refresh() {
  const run = REPORT.runs[state.run], active = state.shown[state.active];
  state.shown = fitting(run);
  state.active = state.shown.indexOf(active);
  if (active !== undefined && state.active < 0) document.getElementById("details").textContent = "Choose an event.";
  const set = (id, value) => { const field = document.getElementById(id); if (field !== document.activeElement) field.value = value; };
  set("search", state.text); set("device", state.device); set("phase", state.phase);
  set("from", state.range ? +(state.range[0] / 1e6).toFixed(3) : ""); set("to", state.range ? +(state.range[1] / 1e6).toFixed(3) : "");
  document.getElementById("wrong").checked = state.wrong;
  for (const box of document.querySelectorAll("input[name=lane]")) box.checked = state.lanes.has(box.value);
  const choose = (range) => { state.range = range; refresh(); };
  document.getElementById("drawn").replaceChildren(
    overviewOf(run, run.events.at, state.range, choose),
    axis([0, run.span_us]), faultList(run) ?? "",
    make("div", { class: "columns" }, run.curves.map((curve) => curveOf(run, curve, state.range, choose))));
  document.getElementById("count").textContent = `${state.shown.length.toLocaleString("en")} of ${counted(run.events.at.length, "event", "events")}`;
  document.querySelector("#list .spacer").style.height = `${state.shown.length * ROW}px`;
  showReasons(run);
  drawRows();
  keepInAddress();
}

function showReasons(run) {
  const counts = new Map();
  for (const one of state.shown) if (run.events.flags[one] & WRONG) counts.set(run.events.cause[one], (counts.get(run.events.cause[one]) ?? 0) + 1);
  const isAll = state.shown.length === run.events.at.length;
  const told = isAll ? run.wrong : [...counts].sort((a, b) => b[1] - a[1]).slice(0, 30).map(([cause, count]) => [count, run.texts[cause]]);
  const caption = isAll ? "What went wrong, in the whole run" : run.sampled ? "What went wrong, of the events that are shown: there are more" : "What went wrong, of the events that are chosen";
  const rows = told.map(([count, text]) => make("tr", {}, make("td", {}, count.toLocaleString("en")), make("td", { class: "mono" }, text)));
  document.getElementById("reasons").replaceChildren(...(rows.length ? [make("div", { class: "scroll" }, make("table", {},
    make("caption", {}, caption), make("thead", {}, make("tr", {}, ["times", "what"].map((one) => make("th", { scope: "col" }, one)))), make("tbody", {}, rows)))] : []));
}
