"use strict";
// Everything of the page's own scripts hangs on this one object.
const mcu = {};

document.documentElement.classList.add("js");

// An element with attributes and children; strings become text, never markup.
mcu.element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) made.addEventListener(event, handler);
    } else if (value === true) {
      made.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children);
  return made;
};

// Numbers for people, as the tables write them.
mcu.count = (value) => Math.round(value).toLocaleString("en-US");
mcu.bytes = (value) => {
  if (Math.abs(value) < 1024) return `${Math.round(value)} B`;
  if (Math.abs(value) < 1048576) return `${(value / 1024).toFixed(1)} KiB`;
  return `${(value / 1048576).toFixed(2)} MiB`;
};
mcu.seconds = (value) => {
  for (const [factor, unit] of [[1, "s"], [1e-3, "ms"], [1e-6, "us"]]) {
    if (Math.abs(value) >= factor) return `${Number((value / factor).toPrecision(3))} ${unit}`;
  }
  return `${Number((value / 1e-9).toPrecision(3))} ns`;
};
mcu.joules = (value) => {
  for (const [factor, unit] of [[1, "J"], [1e-3, "mJ"], [1e-6, "uJ"]]) {
    if (Math.abs(value) >= factor) return `${Number((value / factor).toPrecision(3))} ${unit}`;
  }
  return `${Number((value / 1e-9).toPrecision(3))} nJ`;
};
mcu.percent = (share) => `${(share * 100).toFixed(share < 0.1 ? 2 : 1)} %`;
// By the unit of a figure; counts have none of these.
mcu.formats = { B: mcu.bytes, s: mcu.seconds, J: mcu.joules, fraction: mcu.percent };

mcu.shorter = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// The data of a run's section, read when it is first asked for. Names are kept once for all runs, as a list.
const readData = new WeakMap();
const NAMED = ["name", "operator", "section", "kind"];
let names = null;
mcu.dataOf = (section) => {
  if (!readData.has(section)) {
    names ??= JSON.parse(document.getElementById("names").textContent);
    const data = JSON.parse(section.querySelector(":scope > script[type='application/json']").textContent);
    for (const table of Object.values(data)) {
      for (const column of NAMED) if (table[column]) table[column] = table[column].map((place) => names[place]);
    }
    readData.set(section, data);
  }
  return readData.get(section);
};

// A group of radio buttons: `choices` maps values to labels, `chosen` is told of each choice.
let groups = 0;
mcu.choice = (fieldset, title, choices, first, chosen) => {
  const name = `choice-${(groups += 1)}`;
  fieldset.replaceChildren(mcu.element("legend", {}, title));
  for (const [value, label] of choices) {
    const input = mcu.element("input", {
      type: "radio",
      name,
      value,
      checked: value === first,
      on: { change: () => chosen(value) },
    });
    fieldset.append(mcu.element("label", {}, input, mcu.element("span", {}, label)));
  }
};

// Theme: as the system has it, or as chosen; the style sheet does the rest.
const THEMES = ["auto", "dark", "light"];
mcu.setTheme = (name) => {
  document.documentElement.dataset.theme = name;
  document.getElementById("theme").textContent = `Theme: ${name}`;
};
mcu.startTheme = () => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("mcu-harness-theme") || "auto"; // not there for every file: address
  } catch { /* then it is not remembered */ }
  mcu.setTheme(THEMES.includes(chosen) ? chosen : "auto");
  document.getElementById("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    mcu.setTheme(next);
    try {
      localStorage.setItem("mcu-harness-theme", next);
    } catch { /* as above */ }
  });
};
