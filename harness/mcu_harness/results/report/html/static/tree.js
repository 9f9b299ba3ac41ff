// A flame graph or treemap over a tree of any size: draws what is large enough to be seen, and can be zoomed and
// walked through by mouse, touch and keyboard.
//
// A node is { name, label, about, own, total, colour, parent, children }: `label` is what is written on it, shorter than
// its name; children stand in the order in which they are drawn.

const MOST_DRAWN = 320; // rectangles at once: more cannot be told apart, and each costs time
const LEAST_SHARE = 1 / 1500;
const CHOSEN = "#ffe066";
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
  const { type, format, depth, title } = options;
  let top = options.root;
  let view = top;
  let focus = top;
  const crumbs = mcu.element("p", { class: "crumbs" });
  const box = mcu.element("div", { class: "chart", tabindex: "0" });
  const words = mcu.element("p", { class: "words", "aria-live": "polite" });
  container.replaceChildren(crumbs, box, words);

  let drawn = new Map(); // id in the chart -> node
  let ids = new Map();

  // As much of a label as has room: exact in a flame graph, a guess in a treemap.
  const fitting = (node, width, height) => {
    const share = node.total / (view.total || 1);
    const room = type === "icicle" ? share * width : 1.5 * Math.sqrt(share * width * height);
    const letters = Math.floor((room - 6) / 6.2);
    return letters < 3 ? "" : mcu.shorter(node.label, letters);
  };

  const describe = (width) => {
    const height = typeof options.height === "function" ? options.height(view) : options.height;
    const shown = visible(view, depth);
    const rows = { ids: [], labels: [], parents: [], values: [], hover: [] };
    drawn = new Map();
    ids = new Map();
    const add = (node, parent) => {
      const id = String(drawn.size);
      drawn.set(id, node);
      ids.set(node, id);
      rows.ids.push(id);
      rows.labels.push(mcu.inert(fitting(node, width, height)));
      rows.parents.push(parent);
      rows.values.push(node.total);
      rows.hover.push(`${mcu.inert(mcu.shorter(node.name, 80))}<br>${format(node.total)}, ${mcu.percent(node.total / (top.total || 1))}`);
      return id;
    };
    const walk = [[view, ""]];
    for (let i = 0; i < walk.length; i += 1) {
      const [node, parent, isRest] = walk[i];
      const id = add(node, parent);
      if (isRest) continue; // its children are what was left out
      const small = node.children.filter((child) => !shown.has(child));
      for (const child of node.children) if (shown.has(child)) walk.push([child, id]);
      const total = small.reduce((sum, child) => sum + child.total, 0);
      const someShown = node.children.length > small.length;
      if (total && (node === view || (someShown && total >= view.total * LEAST_SHARE))) {
        walk.push([restOf(node, small, total), id, true]);
      }
    }
    const trace = {
      type,
      ids: rows.ids,
      labels: rows.labels,
      parents: rows.parents,
      values: rows.values,
      branchvalues: "total",
      ...(type === "icicle" ? { leaf: { opacity: 1 } } : {}),
      sort: type === "treemap",
      textinfo: "label",
      hovertext: rows.hover,
      hoverinfo: "text",
      pathbar: { visible: false },
      marker: marks(rows.ids, width),
      textfont: { color: mcu.TEXT_ON_COLOUR },
      textposition: type === "treemap" ? "top left" : "middle left",
      tiling: type === "treemap" ? { packing: "squarify", pad: 1 } : { orientation: "v", pad: 0 },
      ...(type === "treemap" ? { root: { color: mcu.colour("line") } } : {}),
    };
    const layout = {
      height,
      margin: { l: 0, r: 0, t: 0, b: 0 },
      uniformtext: { minsize: width < 600 ? 9 : 10, mode: "hide" },
    };
    return { data: [trace], layout, label: `${title}. ${HELP}` };
  };

  // Colours, and lines between the rectangles where there is room for lines; the chosen one stands out.
  const marks = (all, width) => {
    const chosen = document.activeElement === box ? ids.get(focus) : undefined;
    const thin = (id) => ((drawn.get(id).total / (view.total || 1)) * width < 5 && type === "icicle" ? 0 : 0.6);
    const [accent, between] = [mcu.colour("accent"), mcu.colour("surface")];
    return {
      colors: all.map((id) => (id === chosen ? CHOSEN : drawn.get(id).colour)),
      line: {
        color: all.map((id) => (id === chosen ? accent : between)),
        width: all.map((id) => (id === chosen ? 3 : thin(id))),
      },
    };
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

  const mark = () => {
    say();
    if (window.Plotly && box.classList.contains("js-plotly-plot")) {
      window.Plotly.restyle(box, { marker: [marks([...drawn.keys()], box.clientWidth)] }, [0]);
    }
  };

  const zoom = (node) => {
    view = node;
    focus = node;
    trail();
    say();
    chart.draw(true);
  };

  const chart = mcu.chart(box, describe, (_, first) => {
    box.setAttribute("role", "application");
    if (!first) return;
    box.on(`plotly_${type}click`, (event) => {
      const node = drawn.get(event.points[0].id);
      if (node) zoom(node === view && node.parent ? node.parent : node);
      return false; // it zooms by itself otherwise
    });
    box.on("plotly_hover", (event) => {
      const node = drawn.get(event.points[0].id);
      if (!node) return;
      focus = node;
      say();
    });
  });

  box.addEventListener("focus", mark);
  box.addEventListener("blur", mark);
  box.addEventListener("keydown", (event) => {
    const next = step(event.key, focus, view, (node) => ids.has(node), drawn);
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

// A node that stands for children too small to be drawn; zooming into it shows them.
const restOf = (node, small, total) =>
  mcu.node(`${small.length} smaller`, mcu.NEUTRAL, { parent: node, total, children: small });

// Where an arrow key leads from `focus`, within what is drawn; null for nowhere.
const step = (key, focus, view, isDrawn, drawn) => {
  const shownChildren = (node) => [...drawn.values()].filter((other) => other.parent === node && other !== node);
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
