// The trees of a run: its calls, and the symbols in flash and RAM.

const LAYER_FUNCTION = /^mcu_layer_(\d+)_/;
// As in the memory map.
const SECTION_COLOURS = { ".bss": "#bda7e6", ".data": "#f3b16a", ".rodata": "#a9dab3" };

mcu.runTrees = (section) => {
  const charts = [];
  const flame = section.querySelector("[data-chart='flame']");
  if (flame) charts.push(flameGraph(flame, section));
  for (const [key, column] of [["flash", "flash"], ["ram", "ram"]]) {
    const box = section.querySelector(`[data-chart='${key}']`);
    const root = sizes(mcu.dataOf(section), column);
    if (box && root.total) {
      charts.push(mcu.tree(box, {
        layout: mcu.treemap, root, format: mcu.bytes, depth: 3, height: 380, title: `Treemap of ${root.name}`,
      }));
    } else if (box) {
      box.textContent = "Nothing.";
    }
  }
  return charts;
};

const flameGraph = (container, section) => {
  const data = mcu.dataOf(section);
  const hasCycles = data.calls.cycles.some((value) => value !== null);
  const choice = mcu.element("fieldset", { class: "choice" });
  const box = mcu.element("div", {});
  container.replaceChildren(choice, box);
  const first = hasCycles ? "cycles" : "instructions";
  let unit = first;
  const chart = mcu.tree(box, {
    layout: mcu.flame,
    root: calls(data, unit),
    format: (value) => `${mcu.count(value)} ${unit}`,
    depth: 40,
    height: (view) => Math.max(120, 30 * Math.min(14, depthOf(view))),
    title: "Flame graph of the calls, callers above",
  });
  const choices = [...(hasCycles ? [["cycles", "cycles"]] : []), ["instructions", "instructions"]];
  mcu.choice(choice, "Widths are", choices, first, (value) => {
    unit = value;
    chart.replace(calls(data, unit));
  });
  return chart;
};

const depthOf = (root) => {
  let depth = 0;
  for (let level = [root]; level.length; depth += 1) level = level.flatMap((node) => node.children);
  return depth;
};

const calls = ({ calls: data, layers }, unit) => {
  const nodes = data.name.map((name) => mcu.node(name, mcu.NEUTRAL));
  const roots = [];
  nodes.forEach((node, i) => {
    node.own = data[unit][i] ?? 0;
    const parent = data.parent[i];
    if (parent >= 0) mcu.adopt(nodes[parent], node);
    else roots.push(node);
    const layer = LAYER_FUNCTION.exec(node.name);
    const operator = layer ? layers.operator[Number(layer[1])] : undefined;
    if (operator) {
      node.colour = mcu.operatorColour(operator);
      node.label = layers.name[Number(layer[1])];
    }
    else if (parent >= 0 && nodes[parent].colour !== mcu.NEUTRAL) node.colour = paler(nodes[parent].colour);
  });
  if (roots.length === 1) return mcu.sum(roots[0]);
  const root = mcu.node("all", mcu.NEUTRAL);
  for (const node of roots) mcu.adopt(root, node);
  return mcu.sum(root);
};

// "mcu_layer_03_conv_2d_filter" is the filter of its layer, "mcu_layer_03_conv_2d" its code.
const partOf = (name, operator) => {
  const match = LAYER_FUNCTION.exec(name);
  if (!match) return name;
  const rest = name.slice(match[0].length);
  if (!rest.startsWith(operator.toLowerCase())) return rest;
  return rest.slice(operator.length + 1) || "code";
};

// Callees are paler than their callers, down to a limit.
const paler = (colour) => {
  const parts = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return `#${parts.map((part) => Math.min(236, Math.round(part + (255 - part) * 0.22)).toString(16).padStart(2, "0")).join("")}`;
};

// Layers first, each with its function and constants; what belongs to none, by section.
const sizes = ({ symbols: data, layers }, column) => {
  const root = mcu.node(column === "flash" ? "flash" : "RAM", mcu.NEUTRAL);
  const groups = new Map();
  const group = (key, name, colour) => {
    if (!groups.has(key)) groups.set(key, mcu.adopt(root, mcu.node(name, colour)));
    return groups.get(key);
  };
  data.name.forEach((name, i) => {
    const size = data[column][i];
    if (!size) return;
    const layer = data.layer[i];
    const section = data.section[i];
    const parent = layer >= 0
      ? group(`layer ${layer}`, layers.name[layer] ?? `layer ${layer}`, mcu.operatorColour(layers.operator[layer] ?? ""))
      : group(`section ${section}`, layers.name.length ? `shared, ${section}` : section, SECTION_COLOURS[section] ?? mcu.NEUTRAL);
    const label = layer >= 0 ? partOf(name, layers.operator[layer] ?? "") : name;
    mcu.adopt(parent, mcu.node(name, paler(parent.colour), { own: size, label, about: `Section ${section}.` }));
  });
  mcu.sum(root);
  for (const node of groups.values()) node.children.sort((a, b) => b.total - a.total);
  root.children.sort((a, b) => b.total - a.total);
  return root;
};
