// The overview's charts: the boards of one model side by side.

const ROW = 20;

mcu.compareBoards = (open) => {
  const place = document.getElementById("compare");
  if (!place) return;
  const { figures, cases: data } = JSON.parse(document.getElementById("overview-data").textContent);
  const cases = Object.keys(data);
  let shown = cases[0];
  const charts = figures.map(({ name, unit, better }) => {
    const box = place.querySelector(`[data-compare='${name}']`);
    const format = mcu.formats[unit] ?? mcu.count;
    return mcu.chart(box, (width) => boards(data[shown], name, format, better, width), (_, first) => {
      if (first) box.on("plotly_click", (event) => open(shown, event.points[0].customdata));
    });
  });
  const chosen = (value) => {
    shown = value;
    for (const chart of charts) chart.draw(true);
  };
  const fieldset = document.getElementById("compare-case");
  mcu.choice(fieldset, "Model", cases.map((name) => [name, name]), shown, chosen);
  fieldset.hidden = cases.length < 2;
};

const boards = (rows, name, format, better, width) => {
  const breaks = (value, limit) => limit !== null && (better === "more" ? value < limit : value > limit);
  const known = rows.board.map((_, i) => i).filter((i) => rows[name][i] !== null);
  known.sort((a, b) => rows[name][a] - rows[name][b]);
  const values = known.map((i) => rows[name][i]);
  const most = Math.max(...values, 0);
  const least = Math.min(...values.filter((value) => value > 0), most);
  const limits = known.map((i) => rows[`${name}_limit`][i]);
  const far = Math.max(most, ...limits.filter((limit) => limit !== null && limit <= 2 * most)); // further ones are not drawn
  const logarithmic = least > 0 && most / least > 40; // else the fastest boards have no bar at all
  const labels = known.map((i) => mcu.inert(mcu.shorter(rows.board[i], width < 420 ? 18 : 24)));
  const range = logarithmic
    ? [Math.log10(least) - 0.4, Math.log10(far) + 0.9]
    : [0, (far || 1) * 1.4];
  const drawn = limits.map((limit) => (limit !== null && limit <= far ? limit : null));
  const bars = {
    type: "bar",
    orientation: "h",
    y: known.map((_, k) => k),
    x: values,
    customdata: known.map((i) => rows.board[i]),
    hovertext: known.map((i, k) => {
      const limit = limits[k];
      return `${mcu.inert(rows.board[i])}: ${format(rows[name][i])}<br>${rows.verdict[i]}${limit === null ? "" : `, budget ${format(limit)}`}`;
    }),
    hoverinfo: "text",
    marker: { color: known.map((i, k) => mcu.colour(breaks(rows[name][i], limits[k]) ? "fail" : "bar")) },
  };
  // Beside the bar and its budget, so that neither runs through the figure.
  const figures = {
    type: "scatter",
    mode: "text",
    x: values.map((value, k) => Math.max(value, drawn[k] ?? 0)),
    y: known.map((_, k) => k),
    text: values.map((value) => ` ${format(value)}`),
    textposition: "middle right",
    textfont: { color: mcu.colour("muted"), size: 11 },
    cliponaxis: false,
    hoverinfo: "skip",
  };
  const shapes = drawn.flatMap((limit, k) =>
    limit === null
      ? []
      : [{ type: "line", x0: limit, x1: limit, y0: k - 0.42, y1: k + 0.42, line: { color: mcu.colour("text"), width: 2 } }],
  );
  const missing = rows.board.length - known.length;
  return {
    data: [bars, figures],
    layout: {
      height: 30 + ROW * Math.max(1, known.length) + (missing ? 16 : 0),
      margin: { l: 8, r: 8, t: 6, b: missing ? 24 : 8 },
      bargap: 0.3,
      xaxis: mcu.axis({ type: logarithmic ? "log" : "linear", range, showticklabels: false, showgrid: false }),
      yaxis: mcu.axis({ range: [known.length - 0.5, -0.5], tickvals: known.map((_, k) => k), ticktext: labels, showgrid: false, tickfont: { size: 11 } }),
      shapes,
      annotations: missing || logarithmic
        ? [{
            text: [logarithmic ? "logarithmic" : "", missing ? `${missing} not measured` : ""].filter(Boolean).join("; "),
            x: 1, y: 0, xref: "paper", yref: "paper", xanchor: "right", yanchor: "top", showarrow: false,
            font: { size: 10, color: mcu.colour("muted") },
          }]
        : [],
    },
    label: `${known.length} boards, least ${values.length ? format(values[0]) : "none"}, most ${format(most)}; the table below has all`,
  };
};
