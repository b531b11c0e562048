// Forms: submitted once, with a warning before unsaved changes are lost; and buttons that copy, remove and dismiss.
(() => {
  const on = (name, handler) => document.addEventListener(name, handler);
  const GUARDED = "form[data-guard]";
  const first = new WeakMap();

  function state(form) {
    const ignored = new Set([...form.querySelectorAll("[data-guard-ignore]")].map((input) => input.name).concat("csrf_token"));
    return JSON.stringify([...new FormData(form)].filter(([name, value]) => !ignored.has(name) && typeof value === "string"));
  }
  function remember(root) {
    for (const form of root.querySelectorAll(GUARDED)) if (!first.has(form)) first.set(form, state(form));
  }
  // data-guard="unsaved": the server says that the form already has unsaved changes.
  const unsaved = (form) => form.dataset.guard === "unsaved" || (first.has(form) && state(form) !== first.get(form));

  // What a tab stores about its pop-ups names clients, so it ends with the session.
  if (!document.querySelector("meta[name=person]")) sessionStorage.clear();

  remember(document);
  on("htmx:load", () => remember(document));
  window.addEventListener("beforeunload", (event) => {
    const forms = [...document.querySelectorAll(GUARDED)].filter((form) => !form.hasAttribute("data-sent"));
    if (forms.some(unsaved)) event.preventDefault();
  });

  // A second submit while the first is in flight does nothing.
  function hold(form, submitter) {
    form.setAttribute("data-sent", "");
    (submitter ?? form.querySelector("[type=submit]"))?.setAttribute("aria-busy", "true");
  }
  function release(form) {
    form.removeAttribute("data-sent");
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("data-sent")) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (form.method !== "get" && !form.hasAttribute("data-again")) {
      hold(form, event.submitter);
    }
  }, true);
  on("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    if (!form || event.detail.xhr?.getResponseHeader("HX-Redirect")) return;
    release(form);
    if (event.detail.successful && event.detail.requestConfig?.elt === form && first.has(form)) first.set(form, state(form));
  });
  on("htmx:sendAbort", (event) => event.target.closest?.("form") && release(event.target.closest("form")));
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

  document.addEventListener("click", (event) => {
    const greyed = event.target.closest("[aria-disabled=true]");
    if (greyed) event.preventDefault();

    const remove = event.target.closest("[data-remove]");
    if (remove) {
      event.preventDefault();
      const gone = remove.closest(remove.dataset.remove);
      const next = (gone.nextElementSibling ?? gone.previousElementSibling)?.querySelector("[data-remove]");
      gone.remove();
      next?.focus();
    }

    const fill = event.target.closest("[data-fill]");
    if (fill) {
      const field = document.getElementById(fill.dataset.fill);
      field.value = fill.dataset.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    }

    const { connectivityScript } = document.querySelector("[data-connectivity]")?.dataset ?? {};
    if (connectivityScript && event.target.closest("[data-connectivity-start], [data-connectivity-also]")) {
      import(connectivityScript).then(() => document.dispatchEvent(new Event("checkConnectivity")));
    }

    const copy = event.target.closest("[data-copy]");
    if (copy) copyText(copy);
  });

  async function copyText(button) {
    const label = button.querySelector("span");
    const before = label.dataset.before ?? label.textContent;
    label.dataset.before = before;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      label.textContent = "Copied";
    } catch {
      label.textContent = "Press Ctrl+C";
      const text = button.previousElementSibling;
      if (text) window.getSelection().selectAllChildren(text);
    }
    setTimeout(() => (label.textContent = before), 2500);
  }

  // A new choice clears the error about the last one, in the pop-up and in a toast over it.
  function clearProblems(element) {
    const scope = element.closest("dialog");
    scope?.querySelectorAll("[data-clear-on-change]").forEach((problem) => problem.replaceChildren());
    scope?.querySelectorAll(".cp-toast.cp-tone-danger").forEach((toast) => toast.remove());
  }
  for (const name of ["input", "change", "chosen"]) on(name, (event) => clearProblems(event.target));
  on("htmx:afterSwap", ({ detail }) => detail.target.id === "picker-list" && clearProblems(detail.target));

  // Ticked rows of a list show a bar with their number.
  const ticks = () => [...document.querySelectorAll("#documents [name=document]")];
  function updateBar() {
    const bar = document.getElementById("picked");
    if (!bar) return;
    const count = ticks().filter((tick) => tick.checked).length;
    bar.hidden = count === 0;
    bar.querySelector("[data-count]").textContent = `${count} selected`;
  }
  document.addEventListener("click", (event) => {
    const all = event.target.closest("[data-tick-all], [data-tick-none]");
    if (all) for (const tick of ticks()) tick.checked = all.matches("[data-tick-all]");
    updateBar();
  });
  on("change", updateBar);
  on("htmx:afterSwap", updateBar); // a redrawn list has no ticks
  window.addEventListener("pageshow", updateBar);

  // Enter in a search box inside a form searches and does not submit the form.
  on("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-no-enter]")) event.preventDefault();
  });

  const summary = document.querySelector("[data-focus]");
  summary?.focus();
  on("htmx:afterSettle", (event) => event.detail.elt.querySelector?.("[data-focus]")?.focus());
})();
