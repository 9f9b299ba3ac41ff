// What is shown: one view at a time, chosen by the address ("#overview", "#<model>@<board>/<section>") or the choosers.

const views = [...document.querySelectorAll("main > .view")];
const runs = views.filter((view) => view.classList.contains("run"));
const byId = new Map(views.map((view) => [view.id, view]));
let current = null;
let chartsOfRun = [];

// A run's page lies in its <noscript> as text until it is shown: hundreds of runs cost next to nothing before.
const fill = (section) => {
  const stored = section.querySelector(":scope > noscript");
  if (!stored) return;
  const made = document.createElement("template");
  made.innerHTML = stored.textContent; // the page's own, escaped when it was made
  stored.replaceWith(made.content);
  mcu.sortableTables(section);
  mcu.symbolSearch(section);
};

const empty = () => {
  for (const chart of chartsOfRun) chart.gone();
  chartsOfRun = [];
};

const show = (view) => {
  if (view === current) return;
  empty();
  for (const other of views) other.hidden = other !== view;
  current = view;
  const isRun = view.classList.contains("run");
  if (isRun) {
    fill(view);
    chartsOfRun = [...mcu.layerBars(view), ...mcu.runTrees(view), ...mcu.arenaChart(view)];
  }
  for (const link of document.querySelectorAll(".top nav a")) {
    if (link.hash === `#${view.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  choose(isRun ? view : null);
  const name = isRun ? `${view.dataset.case} on ${view.dataset.board}` : view.id;
  document.title = `${name} - mcu-harness`;
};

const route = () => {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const [id] = wanted.split("/");
  const first = byId.get(document.getElementById("main").dataset.first);
  const view = byId.get(id) ?? (current && document.getElementById(wanted) ? current : first);
  const changed = view !== current;
  show(view);
  const target = wanted.includes("/") ? document.getElementById(wanted) : null;
  if (target) target.scrollIntoView();
  else if (changed) scrollTo(0, 0);
};

// The two choosers: a model, and the boards that it was run on.
const cases = document.getElementById("choose-case");
const boardsOf = document.getElementById("choose-board");
const NONE = "";
const options = (select, names, chosen, prompt) => {
  const made = names.map(([value, label]) => mcu.element("option", { value, selected: value === chosen }, label));
  if (chosen === NONE) made.unshift(mcu.element("option", { value: NONE, selected: true }, prompt));
  select.replaceChildren(...made);
};

const choose = (view) => {
  const names = [...new Set(runs.map((run) => run.dataset.case))];
  const chosen = view ? view.dataset.case : NONE;
  options(cases, names.map((name) => [name, name]), chosen, "choose");
  const own = runs.filter((run) => run.dataset.case === (chosen || names[0]));
  const marks = { pass: "", fail: " ✗ fail" };
  const labelled = own.map((run) => [run.id, run.dataset.board + (marks[run.dataset.verdict] ?? ` (${run.dataset.verdict})`)]);
  options(boardsOf, labelled, view ? view.id : NONE, "choose");
};

mcu.open = (name, board) => {
  const run = runs.find((other) => other.dataset.case === name && other.dataset.board === board);
  if (run) location.hash = `#${run.id}`;
};

cases.addEventListener("change", () => {
  const board = current.dataset.board;
  const own = runs.filter((run) => run.dataset.case === cases.value);
  const run = own.find((other) => other.dataset.board === board) ?? own[0];
  if (run) location.hash = `#${run.id}`;
});
boardsOf.addEventListener("change", () => {
  if (boardsOf.value) location.hash = `#${boardsOf.value}`;
});

// On paper: light, and every chart drawn, seen before or not. Tables that are folded in stay so.
let before = null;
addEventListener("beforeprint", () => {
  before = document.documentElement.dataset.theme;
  mcu.setTheme("light");
  mcu.drawAll();
});
addEventListener("afterprint", () => {
  if (before) mcu.setTheme(before);
});

mcu.startTheme();
mcu.sortableTables(document.getElementById("overview"));
mcu.sortableTables(document.getElementById("fit"));
mcu.filters(document);
addEventListener("hashchange", route);
route();
mcu.compareBoards(mcu.open);
mcu.heatMaps();
