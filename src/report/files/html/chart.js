// Drawing: axes, lines over time, and the tooltip under the pointer. Colours are defined in the style sheet.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** An SVG element with attributes, appended to a parent. */
function draw(parent, tag, attributes = {}, text = "") {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== "") element.textContent = text;
  parent.append(element);
  return element;
}

/** An HTML element with a class and a text, appended to a parent. */
function put(parent, tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== "") element.textContent = text;
  parent.append(element);
  return element;
}

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A number with three significant digits. */
function number(value) {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return grouped.format(value);
  return String(Number(value.toPrecision(3)));
}

/** Microseconds in human-readable form. */
function time(us) {
  if (us < 1000) return `${number(us)} µs`;
  return us < 1e6 ? `${number(us / 1000)} ms` : `${number(us / 1e6)} s`;
}

/** Bytes in human-readable form. */
function bytes(amount) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; amount >= 999.5 && unit < units.length - 1; unit++) amount /= 1000;
  return `${number(amount)} ${units[unit]}`;
}

/** Seconds since the start: 4.2 s below a minute, 1:05, 2:01:05 above. */
function clock(seconds, step = 1) {
  if (seconds < 60 && step < 60) return `${Number(seconds.toFixed(step < 1 ? 1 : 0))} s`;
  const whole = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `value`. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((factor) => factor * power >= value * 0.9999) * power;
}

/** A step between marks on a time axis, in common units of time. */
function timeStep(span, most) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];
  return steps.find((step) => span / step <= most) ?? 86400 * round(span / most / 86400);
}

/** A scale of values: the position of each (0 to 1), and the marks. Logarithmic if values differ by a factor of more than 30. */
function scaleOf(values, { log = false } = {}) {
  const positive = values.filter((value) => value > 0);
  const high = Math.max(...values, 0) || 1;
  const low = Math.min(...positive, high);
  if (log && high / low > 30) {
    const [from, to] = [Math.floor(Math.log10(low) + 1e-9), Math.ceil(Math.log10(high) - 1e-9)];
    const marks = [];
    for (let power = from; power <= to; power++) marks.push(10 ** power);
    return { at: (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from || 1), marks };
  }
  const step = round(high / 4);
  const top = Math.ceil(high / step - 1e-9) * step;
  const marks = [];
  for (let mark = 0; mark <= top + step / 2; mark += step) marks.push(mark);
  return { at: (value) => value / top, marks };
}

/** Width of a plot on A4 paper in CSS pixels, of the style sheet's margins: in the whole width, and in half of it. */
const PAPER = { wide: 679, half: 323 };
let isPrinting = false;

/** Draws for paper, where a chart that was drawn for the screen would be scaled down with its texts; and for the screen again. */
function print(begins) {
  isPrinting = begins;
  const plan = document.querySelector("table.plan")?.closest("details");
  if (plan) plan.open = begins;
  drawAll();
}
window.addEventListener("beforeprint", () => print(true));
window.addEventListener("afterprint", () => print(false));

/** The frame of a chart: its SVG and the box for values. */
function frame(plot, label, { height = 190, left = 54 } = {}) {
  plot.querySelector("svg")?.remove();
  const paper = plot.closest(".wide") ? PAPER.wide : PAPER.half;
  const width = isPrinting ? paper : Math.max(plot.clientWidth, 240);
  const svg = draw(plot, "svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, tabindex: 0 });
  return { svg, left, top: 16, right: width - 10, bottom: height - 22, width, height };
}

/** Marks of the value axis, with lines across the chart. */
function valueAxis(box, scale, format) {
  for (const mark of scale.marks) {
    const y = box.bottom - scale.at(mark) * (box.bottom - box.top);
    draw(box.svg, "line", { x1: box.left, x2: box.right, y1: y, y2: y, class: mark === scale.marks[0] ? "base" : "axis" });
    draw(box.svg, "text", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, format(mark));
  }
}

/** Marks of the time axis. */
function timeAxis(box, span, x) {
  const step = timeStep(span, (box.right - box.left) / 70);
  for (let mark = 0; mark <= span; mark += step) {
    const anchor = mark === 0 ? "start" : x(mark) > box.right - 20 ? "end" : "middle";
    draw(box.svg, "text", { x: x(mark), y: box.height - 6, "text-anchor": anchor }, clock(mark, step));
  }
}

/** Bands for warm-up, ramp, down and drain; the rest is steady. */
function phaseBands(box, course, x, shade = true) {
  const words = { w: "warmup", r: "ramp", s: "steady", d: "down", e: "drain" };
  for (let i = 0; i < course.phase.length; ) {
    const [first, letter] = [i, course.phase[i]];
    while (course.phase[i] === letter) i++;
    const [from, to] = [x(course.from[first]), x(course.to[i - 1])];
    if (letter !== "s" && shade) {
      const band = { x: from, width: Math.max(to - from, 1.5), y: box.top - 14, height: box.bottom - box.top + 14 };
      draw(box.svg, "rect", { ...band, class: words[letter] });
    }
    if (to - from > 44) draw(box.svg, "text", { x: from + 4, y: box.top - 4, class: "mark" }, words[letter]);
  }
}

/** The path of a line through the middles of the intervals, interrupted where a value or an interval is missing. */
function path(course, values, x, y) {
  let steps = "";
  let pen = false;
  values.forEach((value, i) => {
    const follows = i > 0 && course.from[i] - course.to[i - 1] < 0.5 * (course.to[i] - course.from[i]);
    if (value === null) {
      pen = false;
      return;
    }
    const last = i + 1 === values.length || values[i + 1] === null;
    steps += `${pen && follows ? "L" : "M"}${x((course.from[i] + course.to[i]) / 2).toFixed(1)} ${y(value).toFixed(1)}`;
    // A value without neighbours is a point, which becomes visible through a round line end.
    if (last && !(pen && follows)) steps += "h0.1";
    pen = true;
  });
  return steps;
}

/**
 * The values to draw: without a first or last interval that is shorter than half of the one beside it. A rate or a percentile
 * of so short a time is of a few requests, and would look like an incident; the pointer still shows it.
 */
function drawn(course, values) {
  const { from, to } = data.course;
  const last = to.length - 1;
  const isShort = (i, beside) => last > 0 && to[i] - from[i] < (to[beside] - from[beside]) / 2;
  const begin = isShort(0, 1) ? to[0] : -Infinity;
  const end = isShort(last, last - 1) ? from[last] : Infinity;
  return values.map((value, i) => (course.to[i] <= begin || course.from[i] >= end ? null : value));
}

/** Groups of neighbouring values that a screen is too narrow to show one by one: time, lowest, median and highest value. */
function groupsOf(course, values, together) {
  const groups = { from: [], to: [], low: [], middle: [], high: [] };
  for (let first = 0; first < values.length; first += together) {
    const last = Math.min(first + together, values.length) - 1;
    const some = values.slice(first, last + 1).filter((value) => value !== null).sort((a, b) => a - b);
    groups.from.push(course.from[first]);
    groups.to.push(course.to[last]);
    groups.low.push(some[0] ?? null);
    groups.middle.push(some[some.length >> 1] ?? null);
    groups.high.push(some.at(-1) ?? null);
  }
  return groups;
}

/** The area between the lowest and the highest values of groups. */
function band(groups, x, y) {
  let steps = "";
  groups.low.forEach((low, i) => {
    if (low === null) return;
    const [left, right] = [x(groups.from[i]).toFixed(1), (x(groups.to[i]) + 0.2).toFixed(1)];
    steps += `M${left} ${y(groups.high[i]).toFixed(1)}H${right}V${y(low).toFixed(1)}H${left}z`;
  });
  return steps;
}

const tip = document.getElementById("tip");

/** Shows the tooltip: a heading, then one line per name and value. */
function showTip(plot, box, x, heading, entries) {
  tip.replaceChildren();
  put(tip, "b", "", heading);
  for (const [name, value] of entries) {
    const entry = put(tip, "span");
    put(entry, "span", "", name);
    put(entry, "span", "", value);
  }
  plot.append(tip);
  tip.hidden = false;
  const at = (x / box.width) * plot.clientWidth;
  const room = plot.clientWidth - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(at + 14 < room ? at + 14 : at - tip.offsetWidth - 14, room))}px`;
  tip.style.top = "18px";
}

function hideTip() {
  tip.hidden = true;
}

/** The index in an ascending list whose value is nearest. */
function nearest(list, value) {
  let [low, high] = [0, list.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] < value) low = middle;
    else high = middle;
  }
  return Math.abs(list[low] - value) <= Math.abs(list[high] - value) ? low : high;
}

/** Calls `show` with an index (0 to `count`) as the pointer or the arrow keys move over a chart, and with null on leaving. */
function follow(box, count, placeOf, show) {
  let place = null;
  const go = (next) => {
    place = next;
    show(place);
  };
  box.svg.addEventListener("pointermove", (event) => {
    const area = box.svg.getBoundingClientRect();
    const [x, y] = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
    go(placeOf(x * box.width, y * box.height));
  });
  box.svg.addEventListener("pointerleave", () => go(null));
  box.svg.addEventListener("blur", () => go(null));
  box.svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Escape: 0 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    go(step === 0 ? null : Math.max(0, Math.min(count - 1, (place ?? (step > 0 ? -1 : count)) + step)));
  });
}
