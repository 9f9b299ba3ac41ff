// What all charts share: when they are drawn, SVG elements, axes, hints, colours.
//
// A chart is one <svg class="plot">. Its colours come from the style sheet's classes wherever they belong to the theme,
// so that a change of theme needs no drawing; colours that mean something (operators, sections) are attributes.

// Told apart in both themes, and dark text can be read on each of them.
const OPERATOR_COLOURS = {
  CONV_2D: "#7fb0e8",
  DEPTHWISE_CONV_2D: "#f3b16a",
  FULLY_CONNECTED: "#8dce9b",
  ADD: "#bda7e6",
  AVERAGE_POOL_2D: "#74d0d6",
  MAX_POOL_2D: "#74d0d6",
  MEAN: "#74d0d6",
  SOFTMAX: "#eda5cf",
};
const OTHER_COLOURS = ["#e79a94", "#d8d670", "#d3b08b", "#a5c2a0", "#9fb4d8", "#e8c0b0"];
mcu.NEUTRAL = "#b9c2cc";

mcu.operatorColour = (operator) => {
  if (OPERATOR_COLOURS[operator]) return OPERATOR_COLOURS[operator];
  let sum = 0;
  for (const character of operator) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return OTHER_COLOURS[sum % OTHER_COLOURS.length];
};

// An SVG element with attributes and children; strings become text. `hint` is what the pointer is told there.
const SVG = "http://www.w3.org/2000/svg";
const hints = new WeakMap();
mcu.svg = (tag, { hint, ...attributes } = {}, ...children) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    made.setAttribute(name, typeof value === "number" ? Math.round(value * 100) / 100 : value);
  }
  if (hint) hints.set(made, hint);
  made.append(...children);
  return made;
};

mcu.plot = (width, height, ...children) =>
  mcu.svg("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, width, height }, ...children);

mcu.label = (x, y, text, more = {}) => mcu.svg("text", { x, y, "dominant-baseline": "central", ...more }, text);

// Pixels that `text` takes in the font of the page.
const canvas = document.createElement("canvas").getContext("2d");
mcu.textWidth = (text, size = 12) => {
  canvas.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return canvas.measureText(text).width;
};

// As much of `text` as has room; "" where that says nothing.
mcu.fitting = (text, room, size = 12) => {
  if (mcu.textWidth(text, size) <= room) return text;
  let [least, most] = [0, text.length];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (mcu.textWidth(`${text.slice(0, middle)}…`, size) <= room) least = middle;
    else most = middle - 1;
  }
  return least < 3 ? "" : `${text.slice(0, least)}…`;
};

// Round values from 0 up to `most`, about `count` of them.
mcu.ticks = (most, count) => {
  if (!(most > 0)) return [0];
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= rough);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
};

// 1,234,567 as "1.2M": for axes only.
mcu.brief = (value) => {
  for (const [factor, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= factor) return `${Number((value / factor).toPrecision(3))}${unit}`;
  }
  return String(Number(value.toPrecision(3)));
};

const tip = mcu.element("div", { class: "tip", hidden: true });
document.body.append(tip);
const point = (event) => {
  const hint = hints.get(event.target);
  tip.hidden = !hint;
  if (!hint) return;
  tip.replaceChildren(...hint.map((line) => mcu.element("div", {}, line)));
  const { clientX: x, clientY: y } = event;
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 4))}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18}px`;
};
addEventListener("pointermove", point);
addEventListener("pointerdown", point);
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });
document.addEventListener("pointerleave", () => { tip.hidden = true; });

const charts = new Set();
const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) entry.target.mcuChart?.draw();
  },
  { rootMargin: "200px" },
);

// Draws `describe(width)` -> { svg, label } into `box` once it comes near the window, and again when the width changes.
// Returns a handle with draw(anyway) and gone().
mcu.chart = (box, describe) => {
  let width = 0;
  const chart = {
    draw(anyway = false) {
      if (!box.isConnected || !box.clientWidth || (!anyway && width === box.clientWidth)) return;
      width = box.clientWidth;
      const { svg, label } = describe(width);
      box.replaceChildren(svg);
      if (!box.hasAttribute("role")) box.setAttribute("role", "img");
      box.setAttribute("aria-label", label);
    },
    drawn: () => width > 0,
    gone() {
      charts.delete(chart);
      seen.unobserve(box);
      box.replaceChildren();
    },
  };
  box.mcuChart = chart;
  charts.add(chart);
  seen.observe(box);
  return chart;
};

mcu.drawAll = () => {
  for (const chart of charts) chart.draw();
};

let resized = 0;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => {
    for (const chart of charts) if (chart.drawn()) chart.draw();
  }, 120);
});
