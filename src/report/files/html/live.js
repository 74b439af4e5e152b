// The live page: asks for updates and changes what differs, so that scroll position, focus, opened details, sorted tables and
// selected text stay.

/** Milliseconds after which a response is not waited for any longer: the server waits for a tick at most 3.7 s. */
const PATIENCE = 10_000;

/** Longest milliseconds between two attempts to reach the server. */
const LONGEST_PAUSE = 15_000;

const connection = document.getElementById("connection");
const stopButton = document.getElementById("stop");

/** Tells the server which page asks, so that it waits for it at the end of the run. */
const reader = crypto.getRandomValues(new Uint32Array(1))[0];

let version = document.body.dataset.version;
let isOver = "over" in document.body.dataset;
/** The number of the endpoint whose charts are drawn; undefined for all. */
let shownEndpoint;
let failures = 0;

/** The elements of a part of the page. */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Attributes that the reader of the page decides. */
const isReaders = (element, name) => (name === "open" && element.tagName === "DETAILS") || name === "aria-sort" || element.id === "dense";

/** What tells an element from its siblings: its id, or its heading or that of the part that it belongs to. */
function keyOf(element) {
  if (element.id) return element.id;
  const heading = element.matches("h2, .notice") ? element : element.previousElementSibling;
  const title = heading?.matches("h2, .notice") ? heading.querySelector("strong")?.textContent ?? heading.firstChild?.textContent : "";
  return `${element.nodeName} ${element.className} ${title}`;
}

/** The node from `next` on that is to look like `wanted`; null if there is none. */
function counterpart(next, wanted) {
  // A text belongs where it is: one that is further on is behind an element that stays.
  if (wanted.nodeType !== Node.ELEMENT_NODE) return next?.nodeType === wanted.nodeType ? next : null;
  const key = keyOf(wanted);
  while (next && !(next.nodeType === Node.ELEMENT_NODE && keyOf(next) === key)) next = next.nextSibling;
  return next;
}

/** Whether a part of the page is selected: its text must not change under the reader's hand. */
function isSelected(node) {
  const selection = document.getSelection();
  return selection.rangeCount > 0 && !selection.isCollapsed && selection.containsNode(node, true);
}

/** Makes an element look like another one, with as few changes as possible. */
function change(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data && !isSelected(old)) old.data = wanted.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name, value } of [...wanted.attributes]) {
    if (!isReaders(old, name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!isReaders(old, name) && !wanted.hasAttribute(name)) old.removeAttribute(name);
  }
  // The script itself fills these.
  if (old.matches(".plot, .legend")) return;
  if (old.tagName === "TABLE") keepOrder(old, wanted);
  changeChildren(old, wanted);
}

function changeChildren(old, wanted) {
  let next = old.firstChild;
  for (const child of [...wanted.childNodes]) {
    const found = counterpart(next, child);
    if (!found) {
      old.insertBefore(child, next);
      continue;
    }
    while (next !== found) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
    change(found, child);
    next = found.nextSibling;
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** Sorts the rows of a table that came as those of the page are sorted. */
function keepOrder(old, wanted) {
  const sorted = old.querySelector("th[aria-sort]");
  const head = sorted && [...wanted.querySelectorAll("thead th")].find((head) => head.textContent === sorted.textContent);
  if (head) order(wanted, head, sorted.getAttribute("aria-sort") === "descending");
}

/** Columns, of which the first `keep` values stay and the others are new. */
function extended(old, piece, keep) {
  if (!keep || old === undefined || old === null) return piece;
  if (Array.isArray(piece) || typeof piece === "string") return old.slice(0, keep).concat(piece);
  return Object.fromEntries(Object.entries(piece).map(([key, value]) => [key, extended(old[key], value, keep)]));
}

function takeData({ keep, course, keep_heat: keepHeat, heat, spectrum, endpoint, endpoints }, place) {
  data.course = extended(data.course, course, keep);
  const cells = data.heat.cells.filter(([column]) => column < keepHeat).concat(heat.cells);
  data.heat = { edges: heat.edges, from: extended(data.heat.from, heat.from, keepHeat), to: extended(data.heat.to, heat.to, keepHeat), cells };
  data.spectrum = spectrum;
  data.endpoints = endpoints ?? [];
  if (endpoint) data.endpoints[place] = endpoint;
}

/** Draws the charts anew, unless they are not seen, or a value is being read from one of them and there will be more to draw. */
function redraw() {
  if ((!tip.hidden && !isOver) || document.hidden) return;
  const plot = document.activeElement.closest?.(".plot");
  drawAll();
  if (plot) plot.querySelector("svg")?.focus({ preventScroll: true });
}

function show(update, place) {
  change(document.querySelector("header"), parse(update.header).firstElementChild);
  change(document.getElementById("progress"), parse(update.progress).firstElementChild);
  change(document.querySelector("main"), parse(update.main).firstElementChild);
  change(document.querySelector("footer"), parse(update.footer).firstElementChild);
  if (document.title !== update.title) document.title = update.title;
  const icon = document.querySelector("link[rel=icon]");
  if (icon.getAttribute("href") !== update.icon) icon.href = update.icon;
  takeData(update.data, place);
  shownEndpoint = place;
  version = update.version;
  isOver = update.is_over;
  redraw();
  if (isOver) stopButton?.remove();
}

/** The number of the endpoint whose charts are wanted; undefined for all. */
function chosen() {
  const place = choice()?.selectedIndex ?? 0;
  return place > 0 ? place - 1 : undefined;
}

async function ask(isUrgent) {
  const place = chosen();
  const query = new URLSearchParams({ base: version, reader, ...(place === undefined ? {} : { endpoint: place }), ...(isUrgent ? { now: 1 } : {}) });
  const response = await fetch(`data?${query}`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  if (response.status === 204) return;
  if (!response.ok) throw new Error(`status ${response.status}`);
  const update = await response.json();
  // Another run has taken the port: its page may be of another version.
  if (update.version.split("-")[0] !== version.split("-")[0]) return location.reload();
  // Meanwhile another endpoint may have been chosen, whose data is on its way.
  if (place === chosen()) show(update, place);
}

function sayConnection(text) {
  connection.textContent = text;
  connection.hidden = text === "";
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Asks again and again as long as the run goes on; it is the server that waits, so that it can send the end at once. A page that is not seen does so, too: its title and icon are. */
async function followRun() {
  while (!isOver) {
    try {
      await ask(false);
      failures = 0;
      sayConnection("");
    } catch {
      failures++;
      const wait = Math.min(LONGEST_PAUSE, 500 * 2 ** Math.min(failures, 8));
      sayConnection(`No answer from the run: it may be over. What is shown is what was last received. Trying again in ${Math.ceil(wait / 1000)} s.`);
      await pause(wait);
    }
  }
}

document.addEventListener("change", (event) => {
  if (event.target !== choice() || isOver) return;
  const before = shownEndpoint;
  ask(true).catch(() => {
    choice().selectedIndex = before === undefined ? 0 : before + 1;
  });
});

/** Milliseconds within which a second press stops the run. */
const SURE = 4000;

stopButton?.addEventListener("click", async () => {
  if (!stopButton.dataset.sure) {
    stopButton.dataset.sure = "1";
    stopButton.textContent = "Press again to stop the run";
    await pause(SURE);
    if (stopButton.disabled) return;
    delete stopButton.dataset.sure;
    stopButton.textContent = "Stop the run";
    return;
  }
  stopButton.disabled = true;
  stopButton.textContent = "Stopping";
  try {
    const response = await fetch("stop", { method: "POST", headers: { "X-Swarmline-Token": stopButton.dataset.token } });
    if (!response.ok) throw new Error(`status ${response.status}`);
  } catch {
    stopButton.disabled = false;
    stopButton.textContent = "The run was not stopped; try again";
  }
});

document.addEventListener("visibilitychange", redraw);
followRun();
