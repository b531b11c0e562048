// Shows a pop-up as loading at once, and asks before Escape or Back closes one with unsaved input.
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

  // -- loading
  const loader = () => root.querySelector(".cp-loading");
  let request = null;

  function show() {
    if (!root.request || root.querySelector("dialog")) return;
    request = root.request;
    const box = made(LOADING);
    root.replaceChildren(box);
    document.dispatchEvent(new CustomEvent("openDialog"));
    box.addEventListener("close", () => request?.abort(), { once: true }); // closed before it arrived
  }
  on("htmx:beforeRequest", show);
  show();
  // A response replaced it; without one, or after a refusal, the loader closes.
  on("htmx:afterRequest", ({ detail }) => {
    if (!request || detail.xhr !== request || request.getResponseHeader("HX-Redirect")) return;
    request = null;
    loader()?.close();
  });

  // -- unsaved input
  const first = new WeakMap();
  const ours = (dialog) => [...dialog.querySelectorAll("form:not(#picker-form)")].filter((form) => form.method === "post");
  const typed = (form) => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, typeof value === "string" ? value : value.name]));
  const remember = () => {
    for (const dialog of root.querySelectorAll("dialog")) for (const form of ours(dialog)) if (!first.has(form)) first.set(form, typed(form));
  };
  on("htmx:load", remember);
  remember();

  // A form returned with errors holds input that is not saved.
  const hasUnsaved = (dialog) => ours(dialog).some((form) => !form.hasAttribute("data-sent")
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
  // Whether it may close now. Closing again while the question is open means keep editing.
  function mayClose(dialog) {
    if (!dialog || dialog.matches(".cp-loading")) return true;
    if (question(dialog)) {
      stay(dialog);
      return false;
    }
    if (!hasUnsaved(dialog)) return true;
    ask(dialog);
    return false;
  }
  let isDeliberate = false; // Cancel and Close in the pop-up are deliberate
  on("click", (event) => {
    isDeliberate = Boolean(event.target.closest("[data-close]"));
    setTimeout(() => (isDeliberate = false));
    if (event.target.closest("[data-stay]")) stay(event.target.closest("dialog"));
  }, true);
  on("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector(":popover-open")) return;
    if (mayClose(root.querySelector("dialog[open]"))) return;
    event.preventDefault(); // the dialog's own cancel event can be prevented only once
    event.stopImmediatePropagation();
  }, true);
  on("shut", (event) => {
    if (!isDeliberate && !event.defaultPrevented && !mayClose(event.target)) event.preventDefault();
  });
})();
