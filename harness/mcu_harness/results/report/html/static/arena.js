// The arena over the layers: what lies where and when, and how much of it is in use.

const SHADES = ["#7fb0e8", "#8dce9b", "#bda7e6", "#74d0d6", "#eda5cf", "#9fb4d8"];
const SCRATCH = "#d3b08b";

mcu.arenaChart = (section) => {
  const box = section.querySelector("[data-chart='arena']");
  if (!box) return [];
  const { arena, layers } = mcu.dataOf(section);
  const count = layers.name.length;
  const size = arena.size[0];
  const peak = Math.max(0, ...layers.arena.map((value) => value ?? 0));
  const label = `The arena of ${mcu.count(size ?? 0)} bytes over ${count} layers: rectangles are tensors, the line is what is live, at most ${mcu.bytes(peak)}; the table below lists them`;
  box.after(arenaLegend(arena));
  return [mcu.chart(box, (width) => ({ svg: arenaPlot(arena, layers, size, width), label }))];
};

const arenaLegend = (arena) => {
  const square = (fill) => mcu.svg("rect", { width: 10, height: 10, fill });
  const line = (name) => mcu.svg("path", { class: name, d: "M0,5H10" });
  const entries = [["a tensor; colours only tell neighbours apart", ...SHADES.slice(0, 3).map(square)]];
  if (arena.kind.includes("scratch")) entries.push(["scratch memory of one layer", square(SCRATCH)]);
  entries.push(["bytes live in each layer", line("p-line")], ["size of the arena", line("p-most")]);
  return mcu.element("ul", { class: "legend" }, ...entries.map(([text, ...shapes]) => {
    const keys = shapes.map((shape) => mcu.svg("svg", { class: "key", viewBox: "0 0 10 10" }, shape));
    return mcu.element("li", {}, ...keys, ` ${text}`);
  }));
};

const arenaPlot = (arena, layers, size, width) => {
  const count = layers.name.length;
  const [height, top, bottom] = [340, 26, 36];
  const most = Math.max(1, size ?? 0, ...arena.offset.map((offset, i) => offset + arena.nbytes[i]));
  const ticks = mcu.ticks(most, 5);
  const left = Math.max(...ticks.map((tick) => mcu.textWidth(mcu.count(tick), 11))) + 26;
  const each = (width - left - 10) / (count + 2); // a column for the input, one a layer, one for the output
  const x = (layer) => left + (layer + 1) * each;
  const y = (offset) => height - bottom - (offset / most) * (height - top - bottom);
  const svg = mcu.plot(width, height);
  for (const tick of ticks) {
    svg.append(
      mcu.svg("line", { class: "p-grid", x1: left, x2: width - 10, y1: y(tick), y2: y(tick) }),
      mcu.label(left - 6, y(tick), mcu.count(tick), { class: "p-value", "text-anchor": "end" }),
    );
  }
  arena.name.forEach((name, i) => {
    const [first, last] = [arena.first[i], arena.last[i]];
    svg.append(mcu.svg("rect", {
      class: each > 8 ? "slice apart" : "slice",
      x: x(first) + each * 0.03, width: each * (last - first + 0.94),
      y: y(arena.offset[i] + arena.nbytes[i]), height: Math.max(0.5, y(arena.offset[i]) - y(arena.offset[i] + arena.nbytes[i])),
      fill: arena.kind[i] === "scratch" ? SCRATCH : SHADES[i % SHADES.length],
      "fill-opacity": 0.85,
      hint: [name, `${mcu.bytes(arena.nbytes[i])} at ${mcu.count(arena.offset[i])}`, `layers ${first} to ${last}`],
    }));
  });
  const steps = layers.arena.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)},${y(value ?? 0).toFixed(1)}H${x(i + 1).toFixed(1)}`);
  if (count) svg.append(mcu.svg("path", { class: "p-line", d: steps.join("") }));
  if (size) {
    svg.append(
      mcu.svg("line", { class: "p-most", x1: left, x2: width - 10, y1: y(size), y2: y(size) }),
      mcu.label(width - 12, y(size) - 10, `arena ${mcu.count(size)} B`, { class: "p-most-name", "text-anchor": "end" }),
    );
  }
  const every = Math.max(1, Math.ceil(28 / each)); // so that their numbers do not touch
  ["in", ...layers.name.map((_, i) => String(i)), "out"].forEach((text, i) => {
    if (i % every) return;
    svg.append(mcu.label(x(i - 0.5), height - bottom + 12, text, { class: "p-value", "text-anchor": "middle" }));
  });
  const middle = (height - bottom + top) / 2;
  svg.append(
    mcu.label((left + width) / 2, height - 8, "layer", { class: "p-value", "text-anchor": "middle" }),
    mcu.label(10, middle, "bytes in the arena", { class: "p-value", "text-anchor": "middle", transform: `rotate(-90 10 ${middle})` }),
  );
  return svg;
};
