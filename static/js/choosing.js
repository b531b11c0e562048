// Choosing many: what is ticked in a pop-up's lists is kept, counted and listed. Loaded by the first pop-up that needs it.
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

  // The list of chips is the truth: one of each, no more than fit, and the ticks follow.
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
    box().querySelector("[data-count]").textContent = seen.size < most || most === 1 ? selected(seen.size) : `${selected(seen.size)}, the most at once`;
  }

  const watch = new MutationObserver(() => {
    draw();
    list()?.dispatchEvent(new Event("chosen", { bubbles: true }));
  });
  function begin() {
    if (!list()) return;
    watch.observe(list(), { childList: true });
    draw();
  }
  on("htmx:load", begin);
  begin();

  on("change", (event) => {
    if (event.target.matches("#picker-documents [data-pick]")) {
      pick(event.target);
      draw();
    }
  });
  on("click", (event) => {
    if (event.target.closest("[data-pick-all]")) {
      const kept = new Set([...list().children].map(value));
      for (const tick of ticks()) if (!kept.has(tick.value)) add(tick);
    }
    if (event.target.closest("[data-drop-all]")) {
      list().replaceChildren();
      document.querySelector(".cp-dialog [type=submit]:not([data-remove])")?.focus();
    }
  });
})();
