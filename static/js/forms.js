// Forms: sent once, left knowingly; and the small buttons that copy, take away and dismiss.
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
  // data-guard="unsaved" is the server's word that the form already holds what is not saved.
  const unsaved = (form) => form.dataset.guard === "unsaved" || (first.has(form) && state(form) !== first.get(form));

  // What a tab keeps of its pop-ups names clients: it ends with the session.
  if (!document.querySelector("meta[name=person]")) sessionStorage.clear();

  remember(document);
  on("htmx:load", () => remember(document));
  window.addEventListener("beforeunload", (event) => {
    const forms = [...document.querySelectorAll(GUARDED)].filter((form) => !form.hasAttribute("data-sent"));
    if (forms.some(unsaved)) event.preventDefault();
  });

  // A second press while the first is on its way does nothing.
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

    const { reachScript } = document.querySelector("[data-reach]")?.dataset ?? {};
    if (reachScript && event.target.closest("[data-reach-start], [data-reach-also]")) {
      import(reachScript).then(() => document.dispatchEvent(new Event("reach")));
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

  // What was wrong with a choice goes when another is made: the sentence, and an error that was told over the pop-up.
  function chosenAnew(place) {
    const scope = place.closest("dialog");
    scope?.querySelectorAll("[data-clear-on-change]").forEach((said) => said.replaceChildren());
    scope?.querySelectorAll(".cp-toast.cp-tone-danger").forEach((toast) => toast.remove());
  }
  for (const name of ["input", "change", "chosen"]) on(name, (event) => chosenAnew(event.target));

  // Ticked rows of a list get a bar that says how many they are.
  const ticks = () => [...document.querySelectorAll("#documents [name=document]")];
  function bar() {
    const place = document.getElementById("picked");
    if (!place) return;
    const count = ticks().filter((tick) => tick.checked).length;
    place.hidden = count === 0;
    place.querySelector("[data-count]").textContent = `${count} selected`;
  }
  document.addEventListener("click", (event) => {
    const all = event.target.closest("[data-tick-all], [data-tick-none]");
    if (all) for (const tick of ticks()) tick.checked = all.matches("[data-tick-all]");
    bar();
  });
  on("change", bar);
  on("htmx:afterSwap", bar); // the list came anew, without its ticks
  window.addEventListener("pageshow", bar);

  // Enter in a search box inside a form searches; it does not send the form.
  on("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-no-enter]")) event.preventDefault();
  });

  const summary = document.querySelector("[data-focus]");
  summary?.focus();
  on("htmx:afterSettle", (event) => event.detail.elt.querySelector?.("[data-focus]")?.focus());
})();
