// Bars per layer: cycles, MACs, cycles per MAC, side by side where there is room, else one of them at a time.

const MANY_LAYERS = 45; // beyond this, layers are counted along and no longer named
const WIDE = 820;
const SVG = "http://www.w3.org/2000/svg";
const METRICS = [
  ["cycles", "cycles", (d, i) => d.cycles[i], mcu.count],
  ["macs", "MACs", (d, i) => d.macs[i], mcu.count],
  ["per_mac", "cycles per MAC", (d, i) => (d.macs[i] && d.cycles[i] !== null ? d.cycles[i] / d.macs[i] : null), (v) => v.toFixed(2)],
  ["instructions", "instructions", (d, i) => d.instructions[i], mcu.count],
  ["flash", "flash", (d, i) => d.flash[i], mcu.bytes],
];

mcu.layerBars = (section) => {
  const box = section.querySelector("[data-chart='layers']");
  if (!box) return [];
  const layers = mcu.dataOf(section).layers;
  const hasCycles = layers.cycles.some((value) => value !== null);
  const three = hasCycles ? ["cycles", "macs", "per_mac"] : ["instructions", "macs", "flash"];
  const roomy = () => box.clientWidth >= WIDE || layers.name.length > MANY_LAYERS;
  let shown = roomy() ? "three" : three[0];
  const describe = (width) => {
    const names = shown === "three" ? (roomy() ? three : three.slice(0, 1)) : [shown];
    const metrics = names.map((name) => METRICS.find((metric) => metric[0] === name));
    return layers.name.length > MANY_LAYERS ? columns(layers, metrics) : rows(layers, metrics, width);
  };
  const chart = mcu.chart(box, describe);
  const available = METRICS.filter(([name]) => hasCycles || !["cycles", "per_mac"].includes(name));
  const choices = available.map(([name, title]) => [name, title]);
  if (shown === "three") choices.unshift(["three", "side by side"]);
  mcu.choice(section.querySelector("[data-metrics]"), "Show", choices, shown, (value) => {
    shown = value;
    chart.draw(true);
  });
  box.after(legend(new Set(layers.operator)));
  return [chart];
};

const legend = (operators) => {
  const entries = [...operators].sort().map((operator) => {
    const key = document.createElementNS(SVG, "svg");
    key.setAttribute("class", "key");
    key.setAttribute("viewBox", "0 0 10 10");
    const square = document.createElementNS(SVG, "rect");
    for (const [name, value] of [["width", 10], ["height", 10], ["fill", mcu.operatorColour(operator)]]) {
      square.setAttribute(name, value);
    }
    key.append(square);
    return mcu.element("li", {}, key, ` ${operator}`);
  });
  return mcu.element("ul", { class: "legend" }, ...entries);
};

const bar = (layers, [, title, value, format], more) => ({
  type: "bar",
  marker: { color: layers.operator.map(mcu.operatorColour) },
  hovertext: layers.name.map((name, i) => {
    const found = value(layers, i);
    return `${mcu.inert(name)}<br>${found === null ? "not measured" : format(found)} ${title}`;
  }),
  hoverinfo: "text",
  ...more,
});

const LETTER = 6.6; // pixels, about
const longest = (texts) => Math.max(...texts.map((text) => text.length));

// A row a layer: few enough to be named.
const rows = (layers, metrics, width) => {
  const labels = layers.name.map((name) => mcu.shorter(name, width < WIDE ? 18 : 28));
  const gap = 0.04;
  const share = (1 - gap * (metrics.length - 1)) / metrics.length;
  const layout = {
    height: 46 + 22 * labels.length,
    margin: { l: 8, r: 8, t: 26, b: 8 },
    bargap: 0.25,
    yaxis: mcu.axis({
      range: [labels.length - 0.5, -0.5],
      tickvals: labels.map((_, i) => i),
      ticktext: labels.map(mcu.inert),
      showgrid: false,
    }),
    annotations: [],
  };
  const data = metrics.map((metric, k) => {
    const suffix = k ? String(k + 1) : "";
    const left = k * (share + gap);
    const values = layers.name.map((_, i) => metric[2](layers, i));
    const top = Math.max(0, ...values.filter((value) => value !== null));
    const text = values.map((value) => (value === null ? "" : metric[3](value)));
    const room = (width - longest(labels) * LETTER - 24) * share; // of bars and the figures beside them
    const beside = Math.max(0.3, 1 - (longest(text) * LETTER + 8) / room);
    layout[`xaxis${suffix}`] = mcu.axis({
      domain: [left, left + share],
      anchor: "y",
      showticklabels: false,
      showgrid: false,
      range: [0, (top || 1) / beside],
    });
    layout.annotations.push({
      text: metric[1], font: { weight: 600 }, x: left, y: 1, xref: "paper", yref: "paper",
      xanchor: "left", yanchor: "bottom", showarrow: false,
    });
    return bar(layers, metric, {
      orientation: "h",
      y: values.map((_, i) => i),
      x: values,
      xaxis: `x${suffix}`,
      text,
      textposition: "outside",
      cliponaxis: false,
      textfont: { color: mcu.colour("muted"), size: 11 },
    });
  });
  return { data, layout, label: barsLabel(layers, metrics) };
};

// Many layers: a narrow column each, in execution order, one panel above the other.
const columns = (layers, metrics) => {
  const gap = 0.09;
  const share = (1 - gap * (metrics.length - 1)) / metrics.length;
  const layout = {
    height: 40 + 170 * metrics.length,
    margin: { l: 8, r: 8, t: 20, b: 8 },
    bargap: 0,
    dragmode: matchMedia("(pointer: fine)").matches ? "zoom" : false,
    xaxis: mcu.axis({ title: { text: "layer" }, anchor: metrics.length > 1 ? `y${metrics.length}` : "y", fixedrange: false, showgrid: false }),
    annotations: [],
  };
  const data = metrics.map((metric, k) => {
    const suffix = k ? String(k + 1) : "";
    const top = 1 - k * (share + gap);
    layout[`yaxis${suffix}`] = mcu.axis({ domain: [Math.max(0, top - share), top], nticks: 4, exponentformat: "SI" });
    layout.annotations.push({
      text: metric[1], font: { weight: 600 }, x: 0, y: top, xref: "paper", yref: "paper",
      xanchor: "left", yanchor: "bottom", showarrow: false,
    });
    const values = layers.name.map((_, i) => metric[2](layers, i));
    return bar(layers, metric, { x: values.map((_, i) => i), y: values, yaxis: `y${suffix}` });
  });
  return { data, layout, label: barsLabel(layers, metrics) };
};

const barsLabel = (layers, metrics) => {
  const [, title, value, format] = metrics[0];
  const known = layers.name.map((name, i) => [value(layers, i) ?? 0, name]).sort((a, b) => b[0] - a[0]);
  const first = known.slice(0, 3).map(([amount, name]) => `${name} ${format(amount)}`);
  return `${title} of ${layers.name.length} layers, most in ${first.join(", ")}; all of them are in the table below`;
};
