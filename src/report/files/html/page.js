// The page: draws the charts from the embedded data, and sorts tables.

const data = JSON.parse(document.getElementById("data").textContent);
const height = () => (isPrinting || window.innerWidth < 600 ? 170 : 200);

/** The counts of intervals, per second. */
const rate = (course, key) => course[key].map((count, i) => count === null ? null : count / Math.max(course.to[i] - course.from[i], 0.001));
const sum = (course, one, two) => course[one].map((count, i) => count + course[two][i]);
const percent = (value) => `${number(value)} %`;
const perSecond = (value) => `${bytes(value)}/s`;

/** The lines of the charts over time, for all requests or for the selected endpoint. */
const TIME_CHARTS = {
  rate: {
    format: number, ofEndpoint: true,
    lines: (course) => [
      { name: "requests/s", style: "two", values: rate({ ...course, all: sum(course, "ok", "failed") }, "all") },
      ...(course.arrivals ? [{ name: "due/s", style: "soft dashed", values: rate(course, "arrivals") }] : []),
      { name: "failures/s", style: "fail", values: rate(course, "failed") },
    ],
  },
  latency: {
    format: time, ofEndpoint: true, log: true,
    lines: (course) => [["p50", "one"], ["p95", "two"], ["p99", "three"]].flatMap(([name, style]) => [
      { name: course.service ? `${name} response` : name, short: name, style, values: course.response[name] },
      ...(course.service ? [{ name: `${name} service`, short: "", style: `${style} dashed`, values: course.service[name] }] : []),
    ]),
  },
  users: {
    format: number,
    lines: (course) => [
      { name: "users wanted", style: "soft dashed", values: course.wanted },
      { name: "users", style: "two", values: course.users },
      { name: "requests in flight", style: "one", values: course.in_flight },
    ],
  },
  bytes: {
    format: perSecond, ofEndpoint: true,
    lines: (course) => [
      { name: "received", style: "two", values: rate(course, "received") },
      { name: "sent", style: "amber", values: rate(course, "sent") },
    ],
  },
  cpu: { format: percent, lines: (course) => [{ name: "CPU", style: "amber", values: course.cpu }] },
  lateness: {
    format: time, log: true, empty: "Every request was sent when it was due.",
    lines: (course) => [["p50", "one"], ["p99", "three"], ["max", "fail"]].map(([name, style]) =>
      ({ name, style, values: course.lateness[name].map((us) => us || null) })),
  },
};

function legend(plot, lines) {
  const caption = plot.parentElement.querySelector(".legend");
  caption.replaceChildren();
  for (const { name, short, style } of lines) {
    if (short === "") continue;
    const entry = put(caption, "span");
    const sample = draw(entry, "svg", { viewBox: "0 0 20 10", "aria-hidden": "true" });
    draw(sample, "line", { x1: 1, x2: 19, y1: 5, y2: 5, class: `line ${style}` });
    entry.append(short ?? name);
  }
}

/** The cursors of all charts, which show the same moment. */
const cursors = new Map();

function pointAt(course, place, from) {
  for (const [plot, cursor] of cursors) cursor.move(place === null ? null : (course.from[place] + course.to[place]) / 2, plot === from);
  if (place === null) hideTip();
}

function drawOverTime(name, { format, lines, log, empty }, course) {
  const plot = document.querySelector(`#chart-${name} .plot`);
  const shown = lines(course);
  const box = frame(plot, plot.parentElement.querySelector("h3").textContent, { height: height() });
  const span = Math.max(data.course.to.at(-1) ?? 1, 0.001);
  const x = (seconds) => box.left + (seconds / span) * (box.right - box.left);
  const lasting = shown.map((line) => ({ ...line, values: drawn(course, line.values) }));
  const values = lasting.flatMap((line) => line.values).filter((value) => value !== null);
  const scale = scaleOf(values, { log });
  const y = (value) => box.bottom - scale.at(value) * (box.bottom - box.top);
  phaseBands(box, data.course, x);
  if (values.length) {
    valueAxis(box, scale, format);
  } else {
    const middle = { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, "text-anchor": "middle", class: "none" };
    draw(box.svg, "text", middle, empty ?? "No request ended in this period.");
  }
  timeAxis(box, span, x);
  const together = Math.ceil(course.to.length / ((box.right - box.left) / 2));
  for (const { values, style } of lasting) {
    if (together > 1) {
      const groups = groupsOf(course, values, together);
      draw(box.svg, "path", { d: band(groups, x, y), class: `band ${style}` });
      draw(box.svg, "path", { d: path(groups, groups.middle, x, y), class: `line ${style}` });
    } else {
      draw(box.svg, "path", { d: path(course, values, x, y), class: `line ${style}` });
    }
  }
  const note = document.getElementById("dense");
  if (together > 1) note.hidden = false;
  legend(plot, shown);

  const middles = course.from.map((from, i) => (from + course.to[i]) / 2);
  const cursor = draw(box.svg, "line", { y1: box.top, y2: box.bottom, class: "cursor", visibility: "hidden" });
  const move = (moment, isHere) => {
    cursor.setAttribute("visibility", moment === null ? "hidden" : "visible");
    if (moment === null) return;
    cursor.setAttribute("x1", x(moment));
    cursor.setAttribute("x2", x(moment));
    if (!isHere) return;
    const place = nearest(middles, moment);
    const words = { w: "warmup", r: "ramp", s: "steady", d: "down", e: "drain" };
    const heading = `${clock(course.from[place], 0.1)} to ${clock(course.to[place], 0.1)}, ${words[course.phase[place]]}`;
    showTip(plot, box, x(moment), heading, shown.map((line) => [line.name, line.values[place] === null ? "none" : format(line.values[place])]));
  };
  cursors.set(plot, { move });
  const placeOf = (at) => nearest(middles, ((at - box.left) / (box.right - box.left)) * span);
  follow(box, middles.length, placeOf, (place) => pointAt(course, place, plot));
}

function drawHeat() {
  const { heat, course } = data;
  const plot = document.querySelector("#chart-heat .plot");
  const box = frame(plot, "How many responses took how long, over time", { height: height() + 40 });
  const span = Math.max(course.to.at(-1) ?? 1, 0.001);
  const x = (seconds) => box.left + (seconds / span) * (box.right - box.left);
  const [low, high] = [Math.log10(heat.edges[0]), Math.log10(heat.edges.at(-1))];
  const y = (us) => box.bottom - ((Math.log10(us) - low) / (high - low)) * (box.bottom - box.top);
  const marks = heat.edges.filter((edge) => Math.abs(Math.log10(edge) - Math.round(Math.log10(edge))) < 1e-6);
  const most = Math.max(...heat.cells.map((cell) => cell[2]), 1);
  // One path per shade: thousands of rectangles would be thousands of elements.
  const shades = ["", "", "", "", "", "", ""];
  for (const [column, row, count] of heat.cells) {
    const shade = Math.min(6, Math.floor((7 * Math.log(1 + count)) / Math.log(1 + most)));
    const [left, right] = [x(heat.from[column]), x(heat.to[column])];
    const [top, bottom] = [y(heat.edges[row + 1]), y(heat.edges[row])];
    shades[shade] += `M${left.toFixed(1)} ${top.toFixed(1)}H${(right + 0.3).toFixed(1)}V${(bottom + 0.3).toFixed(1)}H${left.toFixed(1)}z`;
  }
  for (const mark of marks) {
    draw(box.svg, "line", { x1: box.left, x2: box.right, y1: y(mark), y2: y(mark), class: "axis" });
    draw(box.svg, "text", { x: box.left - 6, y: y(mark) + 4, "text-anchor": "end" }, time(mark));
  }
  shades.forEach((steps, i) => draw(box.svg, "path", { d: steps, class: `heat-${i + 1}` }));
  phaseBands(box, course, x, false);
  timeAxis(box, span, x);
  const caption = plot.parentElement.querySelector(".legend");
  caption.replaceChildren();
  const entry = put(caption, "span", "", "1");
  const sample = draw(entry, "svg", { viewBox: "0 0 84 12", class: "shades", "aria-hidden": "true" });
  shades.forEach((_, i) => draw(sample, "rect", { x: i * 12, width: 12, height: 12, class: `heat-${i + 1}` }));
  entry.append(`${number(most)} requests`);
  const counts = new Map(heat.cells.map(([column, row, count]) => [`${column} ${row}`, count]));
  const middles = heat.from.map((from, i) => (from + heat.to[i]) / 2);
  let level = 0;
  const cursor = draw(box.svg, "line", { y1: box.top, y2: box.bottom, class: "cursor", visibility: "hidden" });
  const placeOf = (atX, atY) => {
    level = atY;
    return nearest(middles, ((atX - box.left) / (box.right - box.left)) * span);
  };
  follow(box, middles.length, placeOf, (column) => {
    cursor.setAttribute("visibility", column === null ? "hidden" : "visible");
    if (column === null) return hideTip();
    cursor.setAttribute("x1", x(middles[column]));
    cursor.setAttribute("x2", x(middles[column]));
    const us = 10 ** (low + ((box.bottom - level) / (box.bottom - box.top)) * (high - low));
    const row = Math.max(0, Math.min(heat.edges.length - 2, heat.edges.findLastIndex((edge) => edge <= us)));
    const heading = `${clock(heat.from[column], 0.1)} to ${clock(heat.to[column], 0.1)}`;
    const range = `${time(heat.edges[row])} to ${time(heat.edges[row + 1])}`;
    showTip(plot, box, x(middles[column]), heading, [[range, `${number(counts.get(`${column} ${row}`) ?? 0)} requests`]]);
  });
}

function drawSpectrum() {
  const plot = document.querySelector("#chart-spectrum .plot");
  const lines = [
    { name: data.spectrum.service ? "response time" : "response time (equals service time)", style: "three", values: data.spectrum.response },
    ...(data.spectrum.service ? [{ name: "service time", style: "one dashed", values: data.spectrum.service }] : []),
  ];
  const box = frame(plot, "Percentiles of all response times", { height: height() + 40 });
  const last = Math.max(...lines.flatMap((line) => line.values.map(([rarity]) => rarity)), 10);
  const x = (rarity) => box.left + (Math.log10(rarity) / Math.log10(last)) * (box.right - box.left);
  const scale = scaleOf(lines.flatMap((line) => line.values.map(([, us]) => us)), { log: true });
  const y = (us) => box.bottom - scale.at(us) * (box.bottom - box.top);
  const share = (rarity) => `${Number((100 * (1 - 1 / rarity)).toPrecision(12))} %`;
  valueAxis(box, scale, time);
  const marks = [1, 2, 4];
  for (let rarity = 10; rarity <= last * 1.001; rarity *= 10) marks.push(rarity);
  let free = box.left;
  for (const mark of marks) {
    draw(box.svg, "line", { x1: x(mark), x2: x(mark), y1: box.top, y2: box.bottom, class: "axis" });
    // Only if there is room after the previous one.
    if (x(mark) < free) continue;
    free = x(mark) + 52;
    const anchor = mark === 1 ? "start" : x(mark) > box.right - 24 ? "end" : "middle";
    draw(box.svg, "text", { x: x(mark), y: box.height - 6, "text-anchor": anchor }, share(mark));
  }
  for (const { values, style } of lines) {
    const steps = values.map(([rarity, us], i) => `${i ? "L" : "M"}${x(rarity).toFixed(1)} ${y(us).toFixed(1)}`);
    draw(box.svg, "path", { d: steps.join(""), class: `line ${style}` });
  }
  legend(plot, lines);
  const rarities = lines[0].values.map(([rarity]) => Math.log10(rarity));
  const cursor = draw(box.svg, "line", { y1: box.top, y2: box.bottom, class: "cursor", visibility: "hidden" });
  const placeOf = (at) => nearest(rarities, ((at - box.left) / (box.right - box.left)) * Math.log10(last));
  follow(box, rarities.length, placeOf, (place) => {
    cursor.setAttribute("visibility", place === null ? "hidden" : "visible");
    if (place === null) return hideTip();
    const at = x(10 ** rarities[place]);
    cursor.setAttribute("x1", at);
    cursor.setAttribute("x2", at);
    const heading = `${Number((100 * (1 - 1 / lines[0].values[place][0])).toPrecision(6))} % took at most`;
    showTip(plot, box, at, heading, lines.map((line) => [line.name, time(line.values[place]?.[1] ?? 0)]));
  });
}

/** The list of endpoints; null if there is only one. */
const choice = () => document.getElementById("endpoint");

function drawAll() {
  cursors.clear();
  hideTip();
  if (!data.course.to.length) return;
  const place = choice()?.selectedIndex ?? 0;
  const chosen = place > 0 ? data.endpoints[place - 1] : data.course;
  // A live page gets the data of an endpoint when it is chosen.
  if (!chosen) return;
  for (const [name, chart] of Object.entries(TIME_CHARTS)) drawOverTime(name, chart, chart.ofEndpoint ? chosen : data.course);
  drawHeat();
  drawSpectrum();
}

/** Sorts a table by a column: numbers in descending order first, texts in ascending order. */
function sort(table, head) {
  const sorted = head.getAttribute("aria-sort");
  const falls = sorted ? sorted !== "descending" : isNumeric(table, head);
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", falls ? "descending" : "ascending");
  order(table, head, falls);
}

const columnOf = (head) => [...head.parentElement.children].indexOf(head);

function isNumeric(table, head) {
  return [...table.tBodies[0].rows].every((row) => row.children[columnOf(head)].dataset.value !== undefined);
}

/** Puts the rows of a table in the order of a column. */
function order(table, head, falls) {
  const column = columnOf(head);
  const value = (row) => row.children[column].dataset.value ?? row.children[column].textContent;
  const compare = isNumeric(table, head) ? (a, b) => value(a) - value(b) : (a, b) => value(a).localeCompare(value(b));
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => (falls ? -compare(a, b) : compare(a, b)));
  table.tBodies[0].append(...rows);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("th button");
  if (button) sort(button.closest("table"), button.closest("th"));
});
document.addEventListener("change", (event) => {
  if (event.target === choice()) drawAll();
});
let width = window.innerWidth;
// A phone's address bar changes only the height when it hides, which does not affect the charts.
window.addEventListener("resize", () => {
  if (window.innerWidth !== width) drawAll();
  width = window.innerWidth;
});
drawAll();
