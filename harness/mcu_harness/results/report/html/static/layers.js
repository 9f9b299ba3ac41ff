// Bars per layer: cycles, MACs, cycles per MAC, side by side where there is room, else one of them at a time.

const MANY_LAYERS = 45; // beyond this, layers are counted along and no longer named
const WIDE = 820;
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
  const many = layers.name.length > MANY_LAYERS;
  const roomy = () => box.clientWidth >= WIDE || many;
  let shown = roomy() ? "three" : three[0];
  let stretch = [0, layers.name.length]; // what of many layers is shown
  const zoom = (first, end) => {
    stretch = [first, end];
    chart.draw(true);
  };
  const chart = mcu.chart(box, (width) => {
    const names = shown === "three" ? (roomy() ? three : three.slice(0, 1)) : [shown];
    const metrics = names.map((name) => METRICS.find((metric) => metric[0] === name));
    const svg = many ? columns(layers, metrics, width, stretch, zoom) : rows(layers, metrics, width);
    return { svg, label: barsLabel(layers, metrics) };
  });
  const available = METRICS.filter(([name]) => hasCycles || !["cycles", "per_mac"].includes(name));
  const choices = available.map(([name, title]) => [name, title]);
  if (shown === "three") choices.unshift(["three", "side by side"]);
  mcu.choice(section.querySelector("[data-metrics]"), "Show", choices, shown, (value) => {
    shown = value;
    chart.draw(true);
  });
  box.after(legend(new Set(layers.operator)));
  if (many) box.after(mcu.element("p", { class: "hint" }, "Drag over layers to enlarge them; a double click shows all."));
  return [chart];
};

const legend = (operators) => {
  const entries = [...operators].sort().map((operator) => {
    const square = mcu.svg("rect", { width: 10, height: 10, fill: mcu.operatorColour(operator) });
    return mcu.element("li", {}, mcu.svg("svg", { class: "key", viewBox: "0 0 10 10" }, square), ` ${operator}`);
  });
  return mcu.element("ul", { class: "legend" }, ...entries);
};

const hintOf = (layers, i, [, title, value, format]) => {
  const found = value(layers, i);
  return [layers.name[i], `${found === null ? "not measured" : format(found)} ${title}`];
};

// A row a layer: few enough to be named.
const rows = (layers, metrics, width) => {
  const [top, row, gap] = [26, 22, 18];
  const names = layers.name.map((name) => mcu.fitting(name, width < WIDE ? 130 : 220, 11));
  const left = Math.max(...names.map((text) => mcu.textWidth(text, 11))) + 16;
  const panel = (width - left - 8 - gap * (metrics.length - 1)) / metrics.length;
  const svg = mcu.plot(width, top + row * names.length + 8);
  names.forEach((name, i) => svg.append(mcu.label(left - 8, top + row * (i + 0.5), name, { class: "p-name", "text-anchor": "end" })));
  metrics.forEach((metric, k) => {
    const x = left + k * (panel + gap);
    const values = layers.name.map((_, i) => metric[2](layers, i));
    const most = Math.max(0, ...values.filter((value) => value !== null)) || 1;
    const texts = values.map((value) => (value === null ? "" : metric[3](value)));
    const room = Math.max(panel * 0.3, panel - Math.max(...texts.map((text) => mcu.textWidth(text, 11))) - 6);
    svg.append(
      mcu.label(x, 14, metric[1], { class: "p-title" }),
      mcu.svg("line", { class: "p-axis", x1: x, x2: x, y1: top, y2: top + row * names.length }),
    );
    values.forEach((value, i) => {
      const long = ((value ?? 0) / most) * room;
      const middle = top + row * (i + 0.5);
      svg.append(
        mcu.svg("rect", {
          class: "slice", x, y: middle - 8, width: long, height: 16, fill: mcu.operatorColour(layers.operator[i]),
          hint: hintOf(layers, i, metric),
        }),
        mcu.label(x + long + 5, middle, texts[i], { class: "p-value" }),
      );
    });
  });
  return svg;
};

// Many layers: a narrow column each, in execution order, one panel above the other.
const columns = (layers, metrics, width, [first, end], zoom) => {
  const [tall, top, left, bottom] = [150, 26, 52, 34];
  const height = metrics.length * (tall + top) + bottom;
  const each = (width - left - 8) / (end - first);
  const svg = mcu.plot(width, height);
  metrics.forEach((metric, k) => {
    const base = k * (tall + top) + top + tall;
    const values = layers.name.map((_, i) => metric[2](layers, i));
    const most = Math.max(0, ...values.slice(first, end).filter((value) => value !== null)) || 1;
    svg.append(mcu.label(left, base - tall - 12, metric[1], { class: "p-title" }));
    for (const tick of mcu.ticks(most, 4)) {
      const y = base - (tick / most) * tall;
      svg.append(
        mcu.svg("line", { class: "p-grid", x1: left, x2: width - 8, y1: y, y2: y }),
        mcu.label(left - 6, y, mcu.brief(tick), { class: "p-value", "text-anchor": "end" }),
      );
    }
    for (let i = first; i < end; i += 1) {
      const long = ((values[i] ?? 0) / most) * tall;
      svg.append(mcu.svg("rect", {
        class: "slice", x: left + (i - first) * each, y: base - long, width: Math.max(0.5, each * 0.94), height: long,
        fill: mcu.operatorColour(layers.operator[i]), hint: hintOf(layers, i, metric),
      }));
    }
  });
  const base = height - bottom + 12;
  for (const tick of mcu.ticks(end - 1 - first, width / 90)) {
    if (!Number.isInteger(tick)) continue;
    svg.append(mcu.label(left + (tick + 0.5) * each, base, String(first + tick), { class: "p-value", "text-anchor": "middle" }));
  }
  svg.append(mcu.label(left + (width - left) / 2, base + 14, "layer", { class: "p-value", "text-anchor": "middle" }));
  if (matchMedia("(pointer: fine)").matches) draggable(svg, height - bottom, (from, to) => {
    const layer = (x) => Math.max(first, Math.min(end - 1, first + Math.floor((x - left) / each)));
    const [a, b] = [layer(Math.min(from, to)), layer(Math.max(from, to))];
    if (b - a > 1) zoom(a, b + 1);
  });
  svg.addEventListener("dblclick", () => zoom(0, layers.name.length));
  return svg;
};

// Tells `chosen` between which two places a pointer was dragged, in pixels of the drawing.
const draggable = (svg, height, chosen) => {
  let from = null;
  const mark = mcu.svg("rect", { class: "p-drag", y: 0, height });
  const at = (event) => event.clientX - svg.getBoundingClientRect().left;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    from = at(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = at(event);
    mark.setAttribute("x", Math.min(from, to));
    mark.setAttribute("width", Math.abs(to - from));
    if (!mark.isConnected) svg.append(mark);
  });
  svg.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const [start, to] = [from, at(event)];
    from = null;
    mark.remove();
    if (Math.abs(to - start) > 4) chosen(start, to);
  });
};

const barsLabel = (layers, metrics) => {
  const [, title, value, format] = metrics[0];
  const known = layers.name.map((name, i) => [value(layers, i) ?? 0, name]).sort((a, b) => b[0] - a[0]);
  const first = known.slice(0, 3).map(([amount, name]) => `${name} ${format(amount)}`);
  return `${title} of ${layers.name.length} layers, most in ${first.join(", ")}; all of them are in the table below`;
};
