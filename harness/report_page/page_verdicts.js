"use strict";
// The head, what failed, and the runs with their phases and checks.
// Marks that turn the direction of writing would let a name hide what stands behind it: they are shown as what they are.
const TURNING = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
const shown = (_, value) => typeof value !== "string" ? value : value.replace(TURNING, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
const REPORT = JSON.parse(document.getElementById("report").textContent, shown);
const WORST = ["broken", "failed", "warned", "known deviation", "passed", "skipped"];

function showHead() {
  const verdicts = Object.keys(REPORT.totals);
  const worst = WORST.find((one) => verdicts.includes(one)) ?? "passed";
  const totals = verdicts.map((one) => `${REPORT.totals[one].toLocaleString("en")} ${one}`).join(", ");
  document.getElementById("head").append(
    make("h1", {}, REPORT.title),
    make("p", { class: `big ${worst.split(" ")[0]}` }, `${SYMBOLS[worst]} ${worst.toUpperCase()}`),
    make("p", {}, `${totals || "nothing was run"}. `,
      make("span", { class: "soft" }, `fleetrig ${REPORT.fleetrig}, ${REPORT.made_at.replace("T", " ")}`)));
}

function showFailed() {
  const place = document.getElementById("failed");
  place.append(make("h2", { id: "failed-title" }, "What did not pass"));
  if (!REPORT.causes.length) {
    place.append(make("p", {}, Object.keys(REPORT.totals).every((one) => one === "skipped") ? "Nothing was judged." : "Everything that was judged passed."));
    return;
  }
  const rows = REPORT.causes.map((cause) => make("tr", {},
    make("td", {}, verdictOf(cause.verdict)),
    make("td", {}, cause.sentence, cause.got ? make("div", { class: "soft" }, `got: ${cause.got}`) : null),
    make("td", {}, make("ul", { style: "margin:0;padding-left:1.1rem" }, cause.runs.slice(0, 20).map((number) =>
      make("li", {}, make("a", { href: `#run-${number}`, onclick: () => openRun(number) }, REPORT.runs[number].run))),
      cause.runs.length > 20 ? make("li", {}, `and ${cause.runs.length - 20} more`) : null))));
  place.append(make("div", { class: "scroll" }, make("table", {},
    make("caption", {}, "Causes, the most frequent first"),
    make("thead", {}, make("tr", {}, ["verdict", "cause", "runs"].map((one) => make("th", { scope: "col" }, one)))),
    make("tbody", {}, rows))));
}

function openRun(number) {
  const found = document.getElementById(`run-${number}`);
  found.open = true;
  found.querySelector("summary").focus();
}

function showRuns() {
  const place = document.getElementById("runs");
  place.append(make("h2", { id: "runs-title" }, counted(REPORT.runs.length, "run", "runs")));
  const order = REPORT.runs.map((run, number) => [WORST.indexOf(run.verdict), number]);
  order.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  place.append(...order.map(([, number]) => runOf(REPORT.runs[number], number)));
}

function runOf(run, number) {
  const isOpen = REPORT.runs.length === 1 || !["passed", "skipped"].includes(run.verdict);
  const facts = [["time", run.time && `${run.time}${run.simulated_s ? `, ${span(run.simulated_s)}` : ""}`], ["took", span(run.took_s)],
    ["devices", run.devices || ""], ["seed", run.seed || ""], ["server", [run.target, run.profile].filter(Boolean).join(" ")],
    ["engine", run.engine], ...run.about, ...run.told].filter(([, value]) => value);
  return make("details", { id: `run-${number}`, open: isOpen },
    make("summary", {}, verdictOf(run.verdict), ` ${run.run} `, make("span", { class: "soft" }, run.title)),
    run.reason ? make("p", { class: "failed" }, run.reason) : null,
    run.phases.map((phase) => phaseOf(phase, number)),
    make("dl", {}, facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))])),
    run.commands.map(([label, text]) => command(label, text)),
    run.events ? make("p", {}, make("button", { type: "button", onclick: () => showTimeline(number) }, "Show its events"))
      : make("p", { class: "soft" }, run.no_trace ?? "Its trace was not kept: --trace F of run keeps it."));
}

function phaseOf(phase, number) {
  const rows = phase.checks.map((check) => make("tr", {},
    make("td", {}, verdictOf(check.verdict)),
    make("td", {}, make("code", {}, check.title), check.line ? make("span", { class: "soft" }, ` line ${check.line}`) : null),
    make("td", {}, check.expected === undefined ? check.measured : findingOf(check, number))));
  return make("div", {},
    make("h3", {}, verdictOf(phase.verdict), ` ${phase.name} `, make("span", { class: "soft" }, span(phase.took_s))),
    phase.broken ? make("p", { class: "failed" }, phase.broken) : null,
    rows.length ? make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ["verdict", "check", "what was seen"].map((one) => make("th", { scope: "col" }, one)))),
      make("tbody", {}, rows))) : null);
}

function findingOf(check, number) {
  const seen = check.evidence.map(([lane, seq, line]) => make("li", {},
    REPORT.runs[number].events ? make("button", { type: "button", onclick: () => showEvidence(number, lane, seq) }, `${lane}:${seq}`) : make("span", { class: "mono" }, `${lane}:${seq}`), " ", make("span", { class: "mono" }, line)));
  const parts = [["expected", check.expected], ["got", check.got], ["clause", check.clause.join(", ")], ["known", check.known]];
  return [
    make("dl", {}, parts.filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
    seen.length ? make("ul", { style: "margin:0;padding-left:1.1rem" }, seen) : null,
    check.open ? command("open", check.open) : null];
}
