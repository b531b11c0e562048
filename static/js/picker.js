// The selection in the pop-ups of Get and Save: kept, counted and listed. Loaded by the first pop-up that needs it.
(() => {
  const on = (name, handler) => document.addEventListener(name, handler);
  const box = () => document.getElementById("picker-chosen");
  const list = () => document.getElementById("picker-chips");
  const ticks = () => [...document.querySelectorAll("#picker-documents [data-pick]:enabled")];
  const value = (chip) => chip.querySelector("input").value;
  const selected = (count) => `${count} selected`;

  function add(tick) {
    const { value: id } = tick;
    const { pick: name, called } = tick.dataset;
    if (list().children.length >= Number(box().dataset.most)) return;
    const chip = document.getElementById("picker-chip").content.cloneNode(true);
    const button = chip.querySelector("button");
    chip.querySelector("input").value = button.value = id;
    for (const field of chip.querySelectorAll("[name=called]")) field.value = called;
    chip.querySelector(".cp-chip-text > span").textContent = name;
    button.title = `Remove ${name}`;
    button.setAttribute("aria-label", button.title);
    if (tick.dataset.older !== undefined) chip.firstElementChild.dataset.older = "";
    list().append(chip);
  }

  function pick(tick) {
    const chip = [...list().children].find((one) => value(one) === tick.value);
    if (tick.type === "radio") list().replaceChildren();
    else if (chip && !tick.checked) chip.remove();
    if (tick.checked && (!chip || tick.type === "radio")) add(tick);
  }

  // The chips are the source of truth: no duplicates, no more than the maximum; the tick boxes follow.
  function draw() {
    const seen = new Set();
    const most = Number(box().dataset.most);
    for (const chip of [...list().children]) {
      if (seen.has(value(chip)) || seen.size >= most) chip.remove();
      else seen.add(value(chip));
    }
    for (const tick of ticks()) tick.checked = seen.has(tick.value);
    box().hidden = seen.size === 0;
    const older = document.getElementById("picker-older");
    if (older) older.hidden = !list().querySelector("[data-older]");
    const many = document.getElementById("picker-many");
    if (many) many.hidden = seen.size < Number(many.dataset.from);
    if (many?.dataset.pace) many.querySelector("[data-minutes]").textContent = Math.ceil(seen.size / Number(many.dataset.pace));
    box().querySelector("[data-count]").textContent = seen.size < most || most === 1 ? selected(seen.size) : `${selected(seen.size)} (the maximum)`;
  }

  // Location and selection outlive the pop-up, in this tab and for this person, until Get is pressed.
  const form = () => document.getElementById("picker-form");
  const key = () => form()?.dataset.keep;
  const keepsChosen = () => form()?.hasAttribute("data-keep-chosen");
  function kept() {
    try {
      return JSON.parse(sessionStorage.getItem(key())) ?? {};
    } catch {
      return {};
    }
  }
  function keep(change) {
    try {
      if (key()) sessionStorage.setItem(key(), JSON.stringify({ ...kept(), ...change }));
    } catch {
      // storage is blocked
    }
  }
  const chosen = () => [...list().children].map((chip) => ({
    value: value(chip),
    dataset: {
      pick: chip.querySelector(".cp-chip-text > span").textContent,
      called: chip.querySelector("[name=called]")?.value,
      older: chip.dataset.older,
    },
  }));

  const watched = new WeakSet();
  const watch = new MutationObserver(() => {
    if (!list()) return;
    draw();
    if (keepsChosen()) keep({ chosen: chosen() });
    list().dispatchEvent(new Event("chosen", { bubbles: true }));
  });
  function begin() {
    if (!list()) return;
    if (!watched.has(list())) {
      watched.add(list());
      if (keepsChosen()) for (const tick of kept().chosen ?? []) add(tick);
      watch.observe(list(), { childList: true });
    }
    for (const tick of document.querySelectorAll("[data-found]")) {
      tick.removeAttribute("data-found");
      tick.checked = true;
      pick(tick);
    }
    draw();
    beginPaste();
  }
  // Pasted numbers outlive the pop-up, too: those not looked for yet stay in the box.
  const pasted = () => document.getElementById("picker-pasted");
  function beginPaste() {
    if (!pasted() || watched.has(pasted())) return;
    watched.add(pasted());
    const box = document.getElementById("picker-paste");
    if ("begun" in box.dataset) keep({ pasted: pasted().value }); // redrawn with what is left
    else pasted().value = kept().pasted ?? "";
    box.open ||= pasted().value !== "";
    box.dataset.begun = "";
    pasted().addEventListener("input", () => keep({ pasted: pasted().value }));
  }
  on("htmx:load", begin);
  // The list that a pop-up opens with is the one it was left at.
  on("htmx:configRequest", ({ detail: { elt, parameters } }) => {
    const { steps, text, shelf } = kept();
    if (elt.id !== "picker-list" || !steps) return;
    parameters.delete("start");
    for (const step of steps) parameters.append("step", step);
    parameters.set("q", text ?? "");
    parameters.set("shelf", shelf ?? "");
    document.getElementById("picker-search").value = text ?? "";
  });
  on("htmx:afterSwap", ({ detail }) => {
    const way = detail.target.id === "picker-list" && detail.target.querySelector("[data-shelf]");
    if (!way) return;
    const steps = [...detail.target.querySelectorAll("[name=step]")].map((step) => step.value);
    keep({ steps, text: way.dataset.text, shelf: way.dataset.shelf });
  });
  on("htmx:beforeOnLoad", ({ detail }) => {
    if (detail.elt === form() && detail.xhr.getResponseHeader("HX-Redirect")) keep({ chosen: [] });
  });
  begin();
  if (kept().steps && !document.getElementById("picker-search").value) htmx.trigger("#picker-list", "restore"); // the list was requested before this script loaded

  // Ask before a selection is dropped. Closing again while the question is open means keep choosing.
  const question = () => document.getElementById("picker-question");
  on("shut", (event) => {
    const count = list()?.children.length ?? 0;
    if (!count || !question() || question().dataset.answered !== undefined) return;
    event.preventDefault();
    if (!question().hidden) return answer("stay");
    question().querySelector("[data-count]").textContent = selected(count);
    question().hidden = false;
    question().querySelector("[data-answer=stay]").focus();
  });
  function answer(how) {
    question().hidden = true;
    if (how === "stay") return form().querySelector("[type=submit]:not([data-remove])").focus();
    if (how === "clear") keep({ chosen: [] });
    question().dataset.answered = "";
    form().querySelector("[data-close]").click();
  }

  on("change", (event) => {
    const { name, value: chosen } = event.target;
    if (name === "target" && ["new_document", "other_version"].includes(chosen) && event.target.closest("#picker-how")) htmx.trigger("#picker-list", "restore");
    if (name === "onto") document.getElementById("picker-other-check").replaceChildren(); // it is about another document
    if (event.target.matches("#picker-documents [data-pick]")) {
      pick(event.target);
      draw();
    }
  });
  // Columns sort the rows shown: iManage has no order to ask for.
  const { compare } = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  function sort() {
    const column = document.querySelector(".cp-picker-table [aria-sort]");
    if (!column) return;
    const shown = (row) => row.cells[column.cellIndex].dataset.value ?? row.cells[column.cellIndex].textContent.trim();
    const sign = column.ariaSort === "descending" ? -1 : 1;
    const rows = [...document.getElementById("picker-documents").rows];
    document.getElementById("picker-documents").append(...rows.sort((one, other) => sign * compare(shown(one), shown(other))));
  }
  on("htmx:afterRequest", ({ detail }) => detail.elt.id === "picker-more-button" && sort());
  on("click", ({ target }) => {
    const column = target.closest("[data-sort]")?.closest("th");
    if (!column) return;
    const order = column.ariaSort === "ascending" ? "descending" : "ascending";
    for (const other of column.parentNode.cells) other.removeAttribute("aria-sort");
    column.ariaSort = order;
    sort();
  });

  // Keys in the list: up and down move, Enter and right open or tick, left goes up, letters search.
  const ROWS = "#picker-containers button, #picker-documents [name=source]:enabled, #picker-documents [name=onto]:enabled";
  function move(from, by) {
    const rows = [...document.querySelectorAll(ROWS)];
    const at = rows.indexOf(from.closest("tr")?.querySelector(ROWS) ?? from) + by;
    (at < 0 ? document.getElementById("picker-search") : rows[at] ?? from).focus();
  }
  const keys = {
    ArrowDown: (from) => move(from, 1),
    ArrowUp: (from) => move(from, -1),
    ArrowLeft: () => [...document.querySelectorAll("#picker-list .cp-breadcrumb button")].at(-1)?.click(),
    ArrowRight: (from) => (from.closest("tr") ? from.closest("tr").querySelector(".cp-version") : from)?.click(),
    Enter: (from) => from.click(),
  };
  on("keydown", (event) => {
    const { key, target } = event;
    const inSearch = target.id === "picker-search";
    if (event.ctrlKey || event.metaKey || event.altKey || !(inSearch || target.closest("#picker-list"))) return;
    if (key.length === 1 && key !== " " && !inSearch && !target.matches("textarea, select")) document.getElementById("picker-search").focus();
    const isRow = target.matches(ROWS);
    if (!keys[key] || (inSearch && key !== "ArrowDown") || target.matches("textarea, select")) return;
    if (!isRow && (key === "Enter" || key === "ArrowRight")) return;
    event.preventDefault();
    keys[key](target);
  });
  on("click", (event) => {
    if (event.target.closest("[data-pick-all]")) {
      const kept = new Set([...list().children].map(value));
      for (const tick of ticks()) if (!kept.has(tick.value)) add(tick);
    }
    const how = event.target.closest("[data-answer]")?.dataset.answer;
    if (how) answer(how);
    if (event.target.closest("[data-clear-all]")) {
      list().replaceChildren();
      document.querySelector(".cp-dialog [type=submit]:not([data-remove])")?.focus();
    }
  });
})();
