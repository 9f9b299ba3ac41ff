// The overview's charts: the boards of one model side by side.

const ROW = 20;
const overview = JSON.parse(document.getElementById("overview-data").textContent);

mcu.compareBoards = (open) => {
  const place = document.getElementById("compare");
  if (!place) return;
  const { figures, cases: data } = overview;
  const cases = Object.keys(data);
  let shown = cases[0];
  const charts = figures.map(({ name, unit, better }) => {
    const box = place.querySelector(`[data-compare='${name}']`);
    const format = mcu.formats[unit] ?? mcu.count;
    return mcu.chart(box, (width) => boards(data[shown], name, format, better, width, (board) => open(shown, board)));
  });
  const chosen = (value) => {
    shown = value;
    for (const chart of charts) chart.draw(true);
  };
  const fieldset = document.getElementById("compare-case");
  mcu.choice(fieldset, "Model", cases.map((name) => [name, name]), shown, chosen);
  fieldset.hidden = cases.length < 2;
};

const boards = (rows, name, format, better, width, open) => {
  const breaks = (value, limit) => limit !== null && (better === "more" ? value < limit : value > limit);
  const known = rows.board.map((_, i) => i).filter((i) => rows[name][i] !== null);
  known.sort((a, b) => rows[name][a] - rows[name][b]);
  const values = known.map((i) => rows[name][i]);
  const most = Math.max(...values, 0);
  const least = Math.min(...values.filter((value) => value > 0), most);
  const limits = known.map((i) => rows[`${name}_limit`][i]);
  const far = Math.max(most, ...limits.filter((limit) => limit !== null && limit <= 2 * most)); // further ones are not drawn
  const logarithmic = least > 0 && most / least > 40; // else the fastest boards have no bar at all

  const names = known.map((i) => mcu.fitting(rows.board[i], width * 0.42, 11));
  const left = Math.max(0, ...names.map((text) => mcu.textWidth(text, 11))) + 8;
  const right = Math.max(0, ...values.map((value) => mcu.textWidth(format(value), 11))) + 10;
  const room = Math.max(20, width - left - right);
  const [low, high] = logarithmic ? [Math.log10(least) - 0.3, Math.log10(far)] : [0, far || 1];
  const along = (value) => {
    const at = logarithmic ? Math.log10(Math.max(value, least / 2)) : value;
    return (Math.max(0, at - low) / (high - low || 1)) * room;
  };

  const missing = rows.board.length - known.length;
  const note = [logarithmic ? "logarithmic" : "", missing ? `${missing} not measured` : ""].filter(Boolean).join("; ");
  const height = ROW * Math.max(1, known.length) + (note ? 22 : 6);
  const svg = mcu.plot(width, height);
  known.forEach((i, k) => {
    const [value, limit] = [values[k], limits[k]];
    const middle = ROW * (k + 0.5) + 2;
    const drawn = limit !== null && limit <= far ? left + along(limit) : null;
    const budget = limit === null ? "" : `, budget ${format(limit)}`;
    const hint = [`${rows.board[i]}: ${format(value)}`, `${rows.verdict[i]}${budget}`];
    const bar = mcu.svg("rect", {
      class: breaks(value, limit) ? "p-bar broken link" : "p-bar link",
      x: left, y: middle - 7, width: Math.max(1, along(value)), height: 14, hint,
    });
    const row = mcu.svg("rect", { class: "p-row link", x: 0, y: middle - ROW / 2, width, height: ROW, hint });
    for (const part of [row, bar]) part.addEventListener("click", () => open(rows.board[i]));
    svg.append(row, mcu.label(left - 6, middle, names[k], { class: "p-name", "text-anchor": "end" }), bar);
    if (drawn !== null) svg.append(mcu.svg("line", { class: "p-limit", x1: drawn, x2: drawn, y1: middle - 9, y2: middle + 9 }));
    const beside = Math.max(left + along(value), drawn ?? 0) + 5; // so that neither runs through the figure
    svg.append(mcu.label(beside, middle, format(value), { class: "p-value" }));
  });
  if (note) svg.append(mcu.label(width - 2, height - 8, note, { class: "p-value", "text-anchor": "end" }));
  const least_text = values.length ? format(values[0]) : "none";
  return { svg, label: `${known.length} boards, least ${least_text}, most ${format(most)}; the table below has all` };
};

// The table of models and boards, coloured by one of the figures instead of by what fits.
mcu.heatMaps = () => {
  const { figures, cases } = overview;
  for (const table of document.querySelectorAll("table.matrix")) {
    const view = table.closest(".view");
    const cells = [...table.querySelectorAll("td[data-case]")].filter((cell) => cell.firstElementChild);
    const first = new Map(cells.map((cell) => [cell, cell.textContent]));
    const choices = [["fits", "what fits"], ...figures.map(({ name, title }) => [name, title])];
    const hint = view.querySelector("[data-heat-hint]");
    mcu.choice(view.querySelector("[data-heat]"), "Show", choices, "fits", (chosen) => {
      hint.hidden = chosen === "fits";
      const figure = figures.find(({ name }) => name === chosen);
      for (const cell of cells) {
        const rows = cases[cell.dataset.case];
        const value = figure ? rows[chosen][rows.board.indexOf(cell.dataset.board)] : null;
        cell.classList.toggle("heat", Boolean(figure));
        cell.firstElementChild.textContent = figure
          ? value === null ? "–" : (mcu.formats[figure.unit] ?? mcu.count)(value)
          : first.get(cell);
        cell.style.setProperty("--heat", figure ? heat(value, rows[chosen]) : 0);
      }
    });
  }
};

// 0 for the least of `values`, 1 for the most.
const heat = (value, values) => {
  const known = values.filter((other) => other !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  if (value === null || least === most) return 0;
  const scale = least > 0 && most / least > 40 ? Math.log : (other) => other;
  return (scale(value) - scale(least)) / (scale(most) - scale(least));
};
