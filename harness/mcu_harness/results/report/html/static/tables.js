// Tables that sort by a click on a heading, a filter over rows, and a search over all symbols.

const MOST_FOUND = 100;

mcu.sortableTables = (place) => {
  for (const table of place.querySelectorAll("table.sortable")) {
    table.querySelectorAll("thead th").forEach((heading, column) => {
      const button = mcu.element("button", { type: "button" }, ...heading.childNodes);
      button.addEventListener("click", () => sortBy(table, heading, column));
      heading.append(button);
    });
  }
};

const sortBy = (table, heading, column) => {
  const descending = heading.getAttribute("aria-sort") !== "descending" && heading.classList.contains("n")
    ? true
    : heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [keyOf(row.cells[column]), row]);
  rows.sort(([a], [b]) => order(a, b) * (descending ? -1 : 1) || 0);
  // What is not known stays last, whichever way it is sorted.
  const known = rows.filter(([key]) => key !== null);
  const unknown = rows.filter(([key]) => key === null);
  body.append(...[...known, ...unknown].map(([, row]) => row));
};

const keyOf = (cell) => {
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (text === "" || text === "–") return null;
  const number = Number(text.replace(/,/g, "").replace(/ %$/, ""));
  return Number.isNaN(number) ? text.toLowerCase() : number;
};

const order = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
};

mcu.filters = (place) => {
  for (const input of place.querySelectorAll("input[data-filter]")) {
    const body = document.getElementById(input.dataset.filter).tBodies[0];
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
  }
};

mcu.symbolSearch = (section) => {
  const input = section.querySelector("input[data-symbols]");
  if (!input) return;
  const body = section.querySelector("[data-symbol-table]").tBodies[0];
  const largest = [...body.rows];
  const { symbols } = mcu.dataOf(section);
  const order = symbols.name.map((_, i) => i);
  order.sort((a, b) => Math.max(symbols.flash[b], symbols.ram[b]) - Math.max(symbols.flash[a], symbols.ram[a]));
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase();
    if (!wanted) {
      body.replaceChildren(...largest);
      return;
    }
    const found = order.filter((i) => symbols.name[i].toLowerCase().includes(wanted));
    const rows = found.slice(0, MOST_FOUND).map((i) => symbolRow(symbols, i));
    if (found.length > MOST_FOUND || !found.length) {
      const text = found.length ? `and ${found.length - MOST_FOUND} more` : "no symbol has that in its name";
      rows.push(mcu.element("tr", {}, mcu.element("td", { colspan: 5 }, text)));
    }
    body.replaceChildren(...rows);
  });
};

const symbolRow = (symbols, i) =>
  mcu.element(
    "tr",
    {},
    mcu.element("th", { scope: "row" }, mcu.element("code", {}, symbols.name[i])),
    mcu.element("td", {}, symbols.section[i]),
    mcu.element("td", {}, symbols.layer[i] < 0 ? "" : String(symbols.layer[i])),
    mcu.element("td", { class: "n" }, mcu.count(symbols.flash[i])),
    mcu.element("td", { class: "n" }, mcu.count(symbols.ram[i])),
  );
