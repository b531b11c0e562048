// Pop-ups that are on their way show so at once; one that holds what was typed is not shut by Escape or Back without a question.
(() => {
  const on = (name, handler, options) => document.addEventListener(name, handler, options);
  const root = document.getElementById("dialog");
  function made(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.firstElementChild;
  }
  const LOADING = `<dialog class="cp-dialog cp-loading" aria-labelledby="loading-title">
    <div class="cp-dialog-head"><h2 id="loading-title" role="status">Loading…</h2><button type="button" class="cp-dismiss" data-close aria-label="Close">×</button></div>
    <div class="cp-dialog-body" aria-hidden="true"><div class="cp-skeleton"></div><div class="cp-skeleton"></div><div class="cp-skeleton"></div></div></dialog>`;
  const UNSAVED = `<div class="cp-unsaved cp-alert cp-tone-warning" role="alert"><div class="cp-alert-body"><strong>Leave without saving?</strong>
    <p>Your changes have not been saved.</p><div class="cp-actions"><button type="button" class="btn btn-sm btn-primary" data-stay>Keep editing</button>
    <button type="button" class="btn btn-sm" data-close>Leave</button></div></div></div>`;

  // -- on its way
  const loader = () => root.querySelector(".cp-loading");
  let asker = null;

  function show() {
    if (!root.asker || root.querySelector("dialog")) return;
    asker = root.asker;
    const box = made(LOADING);
    root.replaceChildren(box);
    document.dispatchEvent(new CustomEvent("openDialog"));
    box.addEventListener("close", () => asker && htmx.trigger(asker, "htmx:abort")); // shut before it came
  }
  on("htmx:beforeRequest", show);
  show();
  // The answer took its place; where there was none, or it was a refusal, the page is as it was.
  on("htmx:afterRequest", ({ detail }) => {
    if (detail.elt !== asker || detail.xhr?.getResponseHeader("HX-Redirect")) return;
    asker = null;
    loader()?.close();
  });

  // -- typed and not sent
  const first = new WeakMap();
  const ours = (dialog) => [...dialog.querySelectorAll("form:not(#picker-form)")].filter((form) => form.method === "post");
  const typed = (form) => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
  const remember = () => {
    for (const dialog of root.querySelectorAll("dialog")) for (const form of ours(dialog)) if (!first.has(form)) first.set(form, typed(form));
  };
  on("htmx:load", remember);
  remember();

  // A form that came back with its errors holds what nobody has kept yet.
  const holds = (dialog) => ours(dialog).some((form) => !form.hasAttribute("data-sent")
    && (form.querySelector(".cp-error-summary") || (first.has(form) && first.get(form) !== typed(form))));

  const question = (dialog) => dialog.querySelector(".cp-unsaved");
  function stay(dialog) {
    question(dialog).remove();
    dialog.querySelector(".cp-dialog-body :is(input:not([type=hidden]), select, textarea, button)")?.focus();
  }
  function ask(dialog) {
    const box = made(UNSAVED);
    dialog.querySelector(".cp-dialog-head").after(box);
    box.querySelector("[data-stay]").focus();
  }
  // Whether it may be shut now; to shut it again while it is asked means to go on.
  function maySkip(dialog) {
    if (!dialog || dialog.matches(".cp-loading")) return true;
    if (question(dialog)) {
      stay(dialog);
      return false;
    }
    if (!holds(dialog)) return true;
    ask(dialog);
    return false;
  }
  let isMeant = false; // the pop-up's own Cancel and Close say what is meant
  on("click", (event) => {
    isMeant = Boolean(event.target.closest("[data-close]"));
    setTimeout(() => (isMeant = false));
    if (event.target.closest("[data-stay]")) stay(event.target.closest("dialog"));
  }, true);
  on("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector(":popover-open")) return;
    if (maySkip(root.querySelector("dialog[open]"))) return;
    event.preventDefault(); // the dialog's own way lets itself be stopped only once
    event.stopImmediatePropagation();
  }, true);
  on("shut", (event) => {
    if (!isMeant && !event.defaultPrevented && !maySkip(event.target)) event.preventDefault();
  });
})();
