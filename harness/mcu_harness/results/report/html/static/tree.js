// A flame graph or treemap over a tree of any size: draws what is large enough to be seen, and can be zoomed and
// walked through by mouse, touch and keyboard.
//
// A node is { name, label, about, own, total, colour, parent, children }: `label` is what is written on it, shorter than
// its name; children stand in the order in which they are drawn.

const MOST_DRAWN = 320; // rectangles at once: more cannot be told apart, and each costs time
const LEAST_SHARE = 1 / 1500;
const HELP = "Arrow keys walk through it, Enter zooms in, Escape zooms out.";

mcu.node = (name, colour, more = {}) => ({
  name, colour, label: name, own: 0, total: 0, about: "", parent: null, children: [], ...more,
});

mcu.adopt = (parent, child) => {
  child.parent = parent;
  parent.children.push(child);
  return child;
};

// Totals from the leaves up; without recursion, since call trees can be deep.
mcu.sum = (root) => {
  const order = [root];
  for (let i = 0; i < order.length; i += 1) order.push(...order[i].children);
  for (const node of order.reverse()) {
    node.total = node.own;
    for (const child of node.children) node.total += child.total;
  }
  return root;
};

// The part of the tree that is drawn from `root` on: { node, rest } with `rest` the children that are too small.
const visible = (root, depth) => {
  const found = [];
  let level = [root];
  for (let i = 0; i <= depth && level.length; i += 1) {
    found.push(...level);
    level = level.flatMap((node) => node.children).filter((node) => node.total >= root.total * LEAST_SHARE);
  }
  found.sort((a, b) => b.total - a.total || (a === root ? -1 : 0));
  return new Set([root, ...found.slice(0, MOST_DRAWN)]);
};

mcu.tree = (container, options) => {
  const { layout, format, depth, title } = options;
  let top = options.root;
  let view = top;
  let focus = top;
  const crumbs = mcu.element("p", { class: "crumbs" });
  const box = mcu.element("div", { class: "chart", tabindex: "0", role: "application" });
  const words = mcu.element("p", { class: "words", "aria-live": "polite" });
  container.replaceChildren(crumbs, box, words);

  let shapes = new Map(); // node -> its rectangle

  const describe = (width) => {
    const height = typeof options.height === "function" ? options.height(view) : options.height;
    const svg = mcu.plot(width, height);
    shapes = new Map();
    for (const { node, x, y, w, h, name } of layout(drawnOf(view, depth), width, height)) {
      const share = mcu.percent(node.total / (top.total || 1));
      const shape = mcu.svg("rect", {
        class: w > 4 && h > 4 ? "slice apart" : "slice", x, y, width: w, height: h, fill: node.colour,
        hint: [mcu.shorter(node.name, 80), `${format(node.total)}, ${share}`],
      });
      shape.addEventListener("click", () => zoom(node === view && node.parent ? node.parent : node));
      shape.addEventListener("pointerenter", () => {
        focus = node;
        say();
      });
      shapes.set(node, shape);
      svg.append(shape);
      const text = name && mcu.fitting(node.label, w - 8, 11);
      if (text) svg.append(mcu.label(x + 4, y + name, text, { class: "p-on" }));
    }
    return { svg, label: `${title}. ${HELP}` };
  };

  const say = () => {
    const share = mcu.percent(focus.total / (top.total || 1));
    const own = focus.children.length && focus.own ? `, ${format(focus.own)} in itself` : "";
    words.textContent = `${focus.name}: ${format(focus.total)}, ${share} of all${own}${focus.about ? `. ${focus.about}` : ""}`;
  };

  const trail = () => {
    const path = [];
    crumbs.hidden = view === top;
    for (let node = view; node; node = node.parent) path.unshift(node);
    crumbs.replaceChildren(
      ...path.flatMap((node, i) => {
        const label = mcu.shorter(node.name, 48);
        const piece = i === path.length - 1
          ? mcu.element("b", {}, label)
          : mcu.element("button", { type: "button", on: { click: () => zoom(node) } }, label);
        return i ? [" › ", piece] : [piece];
      }),
    );
  };

  // The one that the keyboard is at stands out.
  const mark = () => {
    say();
    for (const [node, shape] of shapes) {
      shape.classList.toggle("chosen", node === focus && document.activeElement === box);
    }
  };

  const zoom = (node) => {
    view = node;
    focus = node;
    trail();
    chart.draw(true);
    mark();
  };

  const chart = mcu.chart(box, describe);
  box.addEventListener("focus", mark);
  box.addEventListener("blur", mark);
  box.addEventListener("keydown", (event) => {
    const next = step(event.key, focus, view, [...shapes.keys()]);
    if (event.key === "Enter" && focus !== view) zoom(focus);
    else if ((event.key === "Escape" || event.key === "Backspace") && view.parent) zoom(view.parent);
    else if (next) {
      focus = next;
      mark();
    } else return;
    event.preventDefault();
  });

  trail();
  say();
  return {
    ...chart,
    replace(root) {
      top = root;
      zoom(root);
    },
  };
};

// What is drawn of the tree below `view`, as { node, parts }: too small children stand together as one.
const drawnOf = (view, depth) => {
  const shown = visible(view, depth);
  const whole = { node: view, parts: [] };
  const walk = [whole];
  for (let i = 0; i < walk.length; i += 1) {
    const { node, parts } = walk[i];
    const small = node.children.filter((child) => !shown.has(child));
    for (const child of node.children) if (shown.has(child)) parts.push({ node: child, parts: [] });
    walk.push(...parts);
    const total = small.reduce((sum, child) => sum + child.total, 0);
    const someShown = node.children.length > small.length;
    if (total && (node === view || (someShown && total >= view.total * LEAST_SHARE))) {
      parts.push({ node: restOf(node, small, total), parts: [] }); // its own children are what was left out
    }
  }
  return whole;
};

// A row a depth, callers above; what a node spends in itself stays free below it. Each as { node, x, y, w, h, name }:
// `name` is how far below the top its name stands, 0 for none.
const FLAME_ROW = 30;
mcu.flame = (whole, width, height) => {
  const found = [];
  const walk = [{ ...whole, x: 0, y: 0 }];
  const scale = width / (whole.node.total || 1);
  for (let i = 0; i < walk.length; i += 1) {
    const { node, parts, x, y } = walk[i];
    if (y + FLAME_ROW > height + 1) continue;
    found.push({ node, x, y, w: node.total * scale, h: FLAME_ROW, name: FLAME_ROW / 2 });
    let next = x;
    for (const part of parts) {
      walk.push({ ...part, x: next, y: y + FLAME_ROW });
      next += part.node.total * scale;
    }
  }
  return found;
};

// A treemap: areas are sizes, rectangles as near to squares as can be (Bruls, Huizing and van Wijk, 2000). A node that
// is divided keeps a strip for its name where there is room.
const STRIP = 16;
mcu.treemap = (whole, width, height) => {
  const found = [];
  const walk = [{ ...whole, x: 0, y: 0, w: width, h: height }];
  for (let i = 0; i < walk.length; i += 1) {
    const { node, parts, x, y, w, h } = walk[i];
    found.push({ node, x, y, w, h, name: w > 24 && h > 12 ? Math.min(9, h / 2) : 0 });
    if (!parts.length || w < 4 || h < 4) continue;
    const strip = w > 40 && h > 2 * STRIP ? STRIP : 1;
    const inner = { x: x + 1, y: y + strip, w: w - 2, h: h - strip - 1 };
    walk.push(...squarified(parts.filter((part) => part.node.total > 0), inner));
  }
  return found;
};

const squarified = (parts, room) => {
  const left = [...parts].sort((a, b) => b.node.total - a.node.total);
  const total = left.reduce((sum, part) => sum + part.node.total, 0);
  const scale = total ? (room.w * room.h) / total : 0;
  const placed = [];
  let { x, y, w, h } = room;
  while (left.length) {
    const side = Math.min(w, h);
    let [row, area, worst] = [[], 0, Infinity];
    while (left.length) {
      const next = left[0].node.total * scale;
      const sum = area + next;
      const largest = (row[0]?.node.total ?? left[0].node.total) * scale;
      const ratio = Math.max((side * side * largest) / (sum * sum), (sum * sum) / (side * side * next));
      if (row.length && ratio > worst) break;
      row.push(left.shift());
      [area, worst] = [sum, ratio];
    }
    const thick = side > 0 ? area / side : 0;
    let along = 0;
    for (const part of row) {
      const long = thick > 0 ? (part.node.total * scale) / thick : 0;
      placed.push(w >= h ? { ...part, x, y: y + along, w: thick, h: long } : { ...part, x: x + along, y, w: long, h: thick });
      along += long;
    }
    if (w >= h) [x, w] = [x + thick, w - thick];
    else [y, h] = [y + thick, h - thick];
  }
  return placed;
};

// A node that stands for children too small to be drawn; zooming into it shows them.
const restOf = (node, small, total) =>
  mcu.node(`${small.length} smaller`, mcu.NEUTRAL, { parent: node, total, children: small });

// Where an arrow key leads from `focus`, within what is drawn; null for nowhere.
const step = (key, focus, view, drawn) => {
  const shownChildren = (node) => drawn.filter((other) => other.parent === node && other !== node);
  if (key === "ArrowUp") return focus === view ? null : focus.parent;
  if (key === "ArrowDown") {
    return shownChildren(focus).sort((a, b) => b.total - a.total)[0] ?? null;
  }
  if (key !== "ArrowLeft" && key !== "ArrowRight") return null;
  if (focus === view) return null;
  const siblings = shownChildren(focus.parent);
  const place = siblings.indexOf(focus) + (key === "ArrowLeft" ? -1 : 1);
  return siblings[place] ?? null;
};
