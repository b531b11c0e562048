// Pop-ups (a <dialog> swapped into #dialog) and menus (a popover beside its button).
(() => {
  const root = document.getElementById("dialog");
  const toasts = document.getElementById("toasts");
  const opened = new WeakSet(); // a closed one stays in the page until its close event and must not reopen
  let opener = null;

  // Everything outside a modal dialog is inert, so toasts move into it while it is open.
  const freeToasts = () => toasts.parentNode !== document.body && document.body.append(toasts);

  function returnFocus() {
    const menu = opener?.closest("[popover]");
    const from = menu ? document.getElementById(`${menu.id}-button`) : opener;
    const target = from?.isConnected ? from : document.getElementById(from?.id || "content");
    (target ?? document.getElementById("content"))?.focus();
    opener = null;
  }

  const reads = ({ verb, elt }) => verb === "get" || elt.hasAttribute("data-reads");
  // The answer to a read by a closed pop-up is dropped; the answer to a write is still shown.
  function dropLateRead(event) {
    if (reads(event.detail.requestConfig)) event.preventDefault();
  }

  // An open pop-up is an entry in the browser's history: Back closes it and stays on the page.
  const STEP = "pop-up";
  const isStep = () => history.state?.step === STEP;
  let goingBack = false;
  function takeStep() {
    if (!isStep() && !goingBack) history.pushState({ step: STEP }, "");
  }
  function stepBack() {
    goingBack = true;
    history.back();
  }
  if (isStep()) stepBack(); // the page was reloaded without its pop-up
  window.addEventListener("popstate", (event) => {
    const dialog = root.querySelector("dialog[open]");
    const ours = goingBack;
    goingBack = false;
    if (!dialog && !ours) return;
    event.stopImmediatePropagation();
    if (dialog && (ours || !shut(dialog))) takeStep();
  }, true);
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const to = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!to || !isStep()) return;
    event.preventDefault();
    window.location.replace(to); // replaces the pop-up's history entry
  });

  // popups.js loads when the pointer or focus reaches a button that opens a pop-up.
  const prepare = (event) => root.dataset.script && event.target.closest?.("[hx-target='#dialog'], [popovertarget]") && import(root.dataset.script);
  for (const name of ["pointerover", "focusin"]) document.addEventListener(name, prepare);
  // The request for a pop-up not yet shown; popups.js may load after the click.
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const isNew = detail.target === root && detail.requestConfig.verb === "get" && !root.contains(detail.elt) && !root.querySelector("dialog");
    if (isNew) root.request = detail.xhr;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => detail.xhr === root.request && setTimeout(() => (root.request = null)));

  // Listeners can cancel the event to ask about unsaved input first. Returns whether the pop-up closed.
  function shut(dialog) {
    const mayClose = dialog.dispatchEvent(new CustomEvent("shut", { bubbles: true, cancelable: true }));
    if (!mayClose) return false;
    dialog.close();
    dialog.dispatchEvent(new Event("close")); // the browser's own comes a frame later: too late if the response comes before
    return true;
  }

  function open(dialog) {
    opened.add(dialog);
    dialog.showModal();
    if (new URLSearchParams(location.search).has("open")) history.replaceState(null, "", location.pathname);
    takeStep();
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      shut(dialog);
    });
    for (const part of dialog.querySelectorAll("[data-script]")) import(part.dataset.script);
    dialog.append(toasts);
    const first = dialog.querySelector("[data-focus], [aria-invalid=true], [autofocus]")
      ?? dialog.querySelector(".cp-dialog-body :is(input:not([type=hidden]), select, textarea, button)");
    first?.focus();
    dialog.addEventListener("close", () => {
      freeToasts();
      dialog.addEventListener("htmx:beforeOnLoad", dropLateRead);
      dialog.remove();
      returnFocus();
      if (isStep() && !goingBack && !root.querySelector("dialog[open]")) stepBack();
    }, { once: true });
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target } = event.detail;
    if (target === root && !root.contains(elt)) opener = elt;
    elt.closest("[popover]")?.hidePopover();
  });
  const pressed = (elt) => (elt.matches("form") ? elt.querySelector("[type=submit]") ?? elt : elt);
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== root) return;
    freeToasts();
    const { elt } = event.detail.requestConfig; // a question may be answered in place of the fragment that was requested
    if (!root.contains(elt)) opener = pressed(elt);
  });
  function openNew() {
    const dialog = root.querySelector("dialog:not([open])");
    const isNew = dialog && !opened.has(dialog);
    if (isNew) open(dialog);
    return isNew;
  }
  document.addEventListener("openDialog", openNew); // a pop-up that no response brought
  document.addEventListener("htmx:afterSwap", (event) => {
    if (openNew()) return;
    if (opener && event.detail.target === root) returnFocus(); // the response emptied the pop-up container
  });
  document.addEventListener("closeDialog", () => root.querySelector("dialog")?.close());
  document.addEventListener("click", (event) => {
    const closing = event.target.closest("dialog [data-close]")?.closest("dialog");
    if (closing) shut(closing);
    const within = event.target.closest("dialog a[href^='#']");
    if (!within) return;
    event.preventDefault(); // it would add a history entry
    document.querySelector(within.getAttribute("href"))?.focus();
  });
  // Not the dialog's own cancel event: browsers allow it to be prevented only once.
  document.addEventListener("keydown", (event) => {
    const dialog = root.querySelector("dialog[open]");
    if (event.key !== "Escape" || !dialog || event.defaultPrevented || document.querySelector(":popover-open")) return;
    if (event.target.type === "search" && event.target.value) return; // Escape first clears the field
    event.preventDefault();
    shut(dialog);
  });

  // The panel is in the top layer, so no table clips it. It opens below its button, or above if there is no space.
  function position(panel) {
    const button = document.getElementById(`${panel.id}-button`);
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = panel;
    const below = at.bottom + 4 + height <= window.innerHeight || at.top < height;
    const top = below ? Math.min(at.bottom + 4, window.innerHeight - height - 8) : at.top - 4 - height;
    panel.style.top = `${Math.max(8, top)}px`;
    panel.style.left = `${Math.max(8, Math.min(at.right - width, window.innerWidth - width - 8))}px`;
  }

  const items = (panel) => [...panel.querySelectorAll("a[href], button")];
  const isPanel = (node) => node instanceof Element && node.matches(".cp-menu-panel");

  // The menu of a row gives the last part of its address, which is below that of the row's link.
  const addressOf = (panel) => {
    const { url } = panel.dataset;
    return !url || url.startsWith("/") ? url : `${panel.closest("tr").querySelector("th a").getAttribute("href")}/${url}`;
  };

  document.addEventListener("toggle", (event) => {
    if (!isPanel(event.target)) return;
    const isOpen = event.newState === "open";
    document.getElementById(`${event.target.id}-button`)?.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    position(event.target);
    const url = addressOf(event.target);
    if (url) htmx.ajax("GET", url, { target: event.target, swap: "morph:innerHTML" }).then(() => position(event.target));
  }, true);
  const positionAll = () => document.querySelectorAll(".cp-menu-panel:popover-open").forEach(position);
  window.addEventListener("resize", positionAll);
  window.addEventListener("scroll", (event) => isPanel(event.target) || positionAll(), { capture: true, passive: true });

  document.addEventListener("keydown", (event) => {
    const button = event.target.closest("[popovertarget]");
    const panel = event.target.closest(".cp-menu-panel") ?? (button && document.getElementById(button.getAttribute("popovertarget")));
    if (!panel || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    event.preventDefault();
    if (!panel.matches(":popover-open")) panel.showPopover();
    const all = items(panel);
    const now = all.indexOf(document.activeElement);
    const last = all.length - 1;
    const next = { ArrowDown: now === last ? 0 : now + 1, ArrowUp: now <= 0 ? last : now - 1, Home: 0, End: last };
    all[next[event.key]]?.focus();
  });
})();
