"use strict";
// Curves over the run's time, the faults behind them, and the range that is chosen on them.
const WIDTH = 1000;

function faultShapes(run, height) {
  return run.faults.map((fault) => {
    const from = WIDTH * fault.from_us / Math.max(1, run.span_us);
    const to = WIDTH * (fault.to_us ?? run.span_us) / Math.max(1, run.span_us);
    const shape = draw("rect", { class: "fault", x: from, y: 0, width: Math.max(2, to - from), height });
    shape.append(draw("title", {}, faultWords(fault)));
    return shape;
  });
}

function faultWords(fault) {
  const until = fault.to_us === null ? "to the end" : `to ${inTime(fault.to_us)}`;
  return `${fault.sentence}, from ${inTime(fault.from_us)} ${until}: ${fault.bites ? `did something ${counted(fault.bites, "time", "times")}` : "nothing of the server tells that it did something"}`;
}

function faultAt(run, us) {
  return run.faults.findLast((fault) => us >= fault.from_us && us <= (fault.to_us ?? run.span_us));
}

function faultList(run) {
  if (!run.faults.length) return null;
  const most = 5, items = run.faults.map((one) => make("li", {}, faultWords(one)));
  return make("div", { class: "soft" }, "Faults, shaded above and in the list:", make("ul", {}, items.slice(0, most)),
    items.length > most ? make("details", {}, make("summary", {}, `${items.length - most} more`), make("ul", {}, items.slice(most))) : null);
}

function axis([from, to]) {
  return make("div", { class: "axis", "aria-hidden": "true" }, make("span", {}, from ? inTime(from) : "0 s"), make("span", {}, from ? inTime(to) : span(to / 1e6)));
}

function chosenShape(range, run, height) {
  if (!range) return [];
  const from = WIDTH * range[0] / Math.max(1, run.span_us);
  return [draw("rect", { class: "chosen", x: from, y: 0, width: Math.max(2, WIDTH * range[1] / Math.max(1, run.span_us) - from), height })];
}

function curveOf(run, curve, range, choose) {
  const height = 150, view = range ?? [0, run.span_us], whole = Math.max(1, run.span_us);
  const first = Math.floor(view[0] / curve.step_us), last = Math.ceil(view[1] / curve.step_us);
  const top = Math.max(1e-9, ...curve.series.flatMap((one) => one.values.slice(first, last + 1).filter((value) => value !== null)));
  const box = `${WIDTH * view[0] / whole} 0 ${Math.max(1e-3, WIDTH * (view[1] - view[0]) / whole)} ${height}`;
  const lines = curve.series.flatMap((one, number) => linesOf(one.values, (at, value) => [
    WIDTH * (at + 0.5) * curve.step_us / Math.max(1, run.span_us, curve.step_us * one.values.length), height * (1 - 0.92 * value / top)], number));
  const samples = curve.series.map((one, number) => make("span", {},
    draw("svg", { class: "sample", viewBox: "0 0 40 10", "aria-hidden": "true" }, draw("polyline", { class: `s${number}`, points: "0,5 40,5" })), ` ${one.name} `));
  return make("figure", {},
    make("figcaption", {}, `${curve.name} (${curve.unit}), up to ${(+top.toFixed(2)).toLocaleString("en")} `, samples),
    draggable(draw("svg", { class: "curve", viewBox: box, preserveAspectRatio: "none", role: "img", "aria-label": `${curve.name}, ${curve.unit}: ${curve.series.map((one) => one.name).join(", ")}; up to ${+top.toFixed(2)}` },
      ...faultShapes(run, height), ...lines), view, choose), axis(view));
}

function linesOf(values, place, number) {
  const lines = [];
  let points = [];
  for (let at = 0; at <= values.length; at += 1) {
    const value = values[at];
    if (value !== null && value !== undefined) points.push(place(at, value));
    else if (points.length) {
      if (points.length === 1) points.push([points[0][0] + 4, points[0][1]]);
      lines.push(draw("polyline", { class: `s${number}`, points: points.map((one) => one.map((x) => x.toFixed(1)).join(",")).join(" ") }));
      points = [];
    }
  }
  return lines;
}

function overviewOf(run, times, range, choose) {
  const height = 60, columns = 200, counts = new Array(columns).fill(0);
  for (const at of times) counts[Math.min(columns - 1, Math.floor(columns * at / Math.max(1, run.span_us)))] += 1;
  const top = Math.max(1, ...counts);
  const bars = counts.map((count, at) => draw("rect", { class: "bar", x: at * WIDTH / columns, width: WIDTH / columns - 1, y: height * (1 - count / top), height: height * count / top }));
  const svg = draw("svg", { id: "overview", viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": "How many events there are over the time of the run; drag to choose a range, or use the fields From and To" },
    ...faultShapes(run, height), ...bars, ...chosenShape(range, run, height));
  return draggable(svg, [0, run.span_us], choose);
}

// A range is chosen by dragging over what shows the times of `view`; a click shows all again.
function draggable(svg, view, choose) {
  let began = null;
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return view[0] + Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * (view[1] - view[0]);
  };
  svg.addEventListener("pointerdown", (event) => { began = at(event); svg.setPointerCapture(event.pointerId); });
  svg.addEventListener("pointerup", (event) => {
    if (began === null) return;
    const ended = at(event), ends = [Math.min(began, ended), Math.max(began, ended)];
    began = null;
    choose(ends[1] - ends[0] < (view[1] - view[0]) / 200 ? null : ends);
  });
  return svg;
}
