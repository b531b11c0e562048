// For every htmx request: CSRF token, failures, upload progress; and the toasts.
(() => {
  const UNREACHABLE = "We could not reach Counterpart. Nothing has been lost. Try again.";
  const PROXY_LIMIT = "This is larger than the proxy in front of Counterpart allows, so nothing was saved. Ask your System Admin to raise the proxy’s upload limit.";
  const UNREADABLE = "This page could not read Counterpart’s answer. Nothing has been lost. Try again.";
  const DISMISS_AFTER = 7000;
  const READ_TIMEOUT = 60000;
  const on = (name, handler) => document.addEventListener(name, handler);

  // A poll morphs what it redraws: pop-ups, menus and half-typed words stay as they are.
  Idiomorph.defaults.ignoreActiveValue = true;
  const kept = { open: "dialog, details", "aria-expanded": "[popovertarget]", style: ".cp-menu-panel" };
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeAttributeUpdated: (name, node) => !(name in kept && node.matches(kept[name])),
    beforeNodeMorphed: (old, fresh) => {
      if (!(old instanceof Element)) return true;
      if (old.matches("time[data-local]")) return old.dateTime !== fresh.dateTime;
      return !old.matches(".cp-menu-panel[data-url]:popover-open");
    },
  });

  // Not idiomorph's own extension: it treats every swap as inline, which leaves a wrapper in out-of-band responses.
  htmx.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph" || style === "morph:outerHTML",
    handleSwap: (style, target, fragment) => {
      if (!style.startsWith("morph")) return false;
      return Idiomorph.morph(target, fragment.children, { morphStyle: style.endsWith("innerHTML") ? "innerHTML" : "outerHTML" });
    },
  });

  function dismissLater(toast) {
    const timer = setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) dismissLater(toast);
      else toast.remove();
    }, DISMISS_AFTER);
    toast.addEventListener("click", () => clearTimeout(timer), { once: true });
  }

  function showError(sentence) {
    const toast = document.getElementById("toast-template").content.cloneNode(true);
    toast.querySelector("[data-toast-title]").remove();
    toast.querySelector("[data-toast-text]").textContent = sentence;
    document.getElementById("toasts").append(toast);
  }

  // A poll that keeps failing shows one toast.
  const words = (toast) => [...toast.querySelectorAll("[data-toast-title], [data-toast-text]")].map((part) => part.textContent).join("\n");
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const toast of change.addedNodes) {
        if (!toast.dataset?.toast) continue;
        if (toast.dataset.toast === "leave") dismissLater(toast);
        for (const other of change.target.children) if (other !== toast && words(other) === words(toast)) other.remove();
      }
    }
  }).observe(document.getElementById("toasts"), { childList: true });

  on("htmx:configRequest", (event) => {
    const { verb, elt, parameters, headers } = event.detail;
    // Writes have no timeout: an upload takes as long as it needs.
    if (verb === "get" || elt.hasAttribute("data-reads")) event.detail.timeout = READ_TIMEOUT;
    if (verb === "get") {
      if (!parameters.has("q")) return;
      headers["X-Search"] = encodeURIComponent(parameters.get("q")); // may be a name, so never in a URL
      parameters.delete("q");
      return;
    }
    event.detail.headers["X-CSRFToken"] = csrfToken().content;
    if (person()) event.detail.headers["X-Person"] = person().content;
  });

  document.addEventListener("submit", (event) => event.target.matches("form[role=search]") && event.preventDefault());

  // A page may outlive its session: typed input stays and is sent with the new session's token.
  const csrfToken = () => document.querySelector("meta[name=csrf-token]");
  const person = () => document.querySelector("meta[name=person]");
  let isOld = false;
  on("signInChanged", () => (isOld = true));
  on("signedOut", (event) => {
    isOld = true;
    if (!event.detail.isWrite && !hasTyped()) window.location.assign(event.detail.url);
  });

  function hasTyped() {
    const typed = (field) => field.type === "file" ? field.files.length > 0 : field.value !== field.defaultValue;
    return [...document.querySelectorAll("input:not([type=checkbox], [type=radio], [type=hidden]), textarea")].some(typed);
  }

  async function renew() {
    const headers = { "HX-Request": "true", "X-Person": person().content };
    const answer = await fetch(person().dataset.session, { headers, cache: "no-store" });
    const token = answer.headers.get("X-CSRFToken");
    if (!token) {
      // Only a response that the server meant for the page, not a proxy's error page.
      if (!answer.headers.get("HX-Retarget")) throw new Error(answer.statusText);
      document.getElementById("toasts").insertAdjacentHTML("beforeend", await answer.text());
      return false;
    }
    csrfToken().content = token;
    for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
    document.querySelectorAll("[data-signed-out]").forEach((toast) => toast.remove());
    isOld = false;
    return true;
  }

  // Also before an upload: a refusal would come after the last byte or break the connection.
  on("htmx:confirm", async (event) => {
    const { verb, elt } = event.detail;
    const hasFile = [...elt.querySelectorAll("input[type=file]")].some((field) => field.files.length);
    if (verb === "get" || !person() || !(isOld || hasFile)) return;
    event.preventDefault();
    try {
      const checks = []; // listeners add checks that can stop the upload
      elt.dispatchEvent(new CustomEvent("beforeFiles", { bubbles: true, detail: checks }));
      if ((await renew()) && (await Promise.all(checks.map((check) => check()))).every(Boolean)) event.detail.issueRequest(true);
      else htmx.trigger(elt, "htmx:sendAbort");
    } catch {
      showError(UNREACHABLE);
      htmx.trigger(elt, "htmx:sendAbort");
    }
  });

  // Only responses that the server meant for the page are swapped in, not a proxy's error page.
  on("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status >= 400 && xhr.status !== 422 && !xhr.getResponseHeader("HX-Retarget")) {
      event.detail.shouldSwap = false;
      showError(xhr.status === 413 ? PROXY_LIMIT : xhr.status >= 500 ? UNREACHABLE : UNREADABLE);
    } else if (xhr.status < 400 && /^\s*<!doctype/i.test(xhr.responseText)) {
      event.detail.shouldSwap = false; // a whole page instead of a fragment: the session has ended
      window.location.reload();
    }
  });

  on("htmx:sendError", () => showError(UNREACHABLE));
  on("htmx:timeout", () => showError(UNREACHABLE));

  function size(bytes) {
    return bytes < 999500 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }

  on("htmx:xhr:progress", (event) => {
    const box = event.target.querySelector?.("[data-upload]");
    const { loaded, total, lengthComputable } = event.detail;
    if (!box || !lengthComputable || !event.target.querySelector("input[type=file]")) return;
    box.hidden = false;
    box.querySelector("progress").value = (100 * loaded) / total;
    box.querySelector("[data-upload-text]").textContent =
      loaded < total ? `${size(loaded)} of ${size(total)}` : "Checking the file";
  });
  on("htmx:afterRequest", (event) => {
    const box = event.target.querySelector?.("[data-upload]");
    if (box) box.hidden = true;
  });

  // Times are sent in UTC and shown in the reader's time zone.
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const zoneOf = (moment) => new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(moment).find(({ type }) => type === "timeZoneName").value;
  // When clocks go back, each time of that hour occurs twice: then the zone is shown.
  function isAmbiguous(moment) {
    const ours = moment.getTimezoneOffset();
    return [-86400000, 86400000].some((day) => {
      const other = new Date(moment.getTime() + day).getTimezoneOffset();
      return other !== ours && new Date(moment.getTime() + (other - ours) * 60000).getTimezoneOffset() === other;
    });
  }
  const two = (number) => String(number).padStart(2, "0");
  function localTimes(root) {
    for (const time of root.querySelectorAll("time[data-local]")) {
      const moment = new Date(time.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      const shown = `${moment.getDate()} ${months[moment.getMonth()]} ${moment.getFullYear()}, ${two(moment.getHours())}:${two(moment.getMinutes())}`;
      time.title = `${shown} ${zoneOf(moment)}`;
      time.textContent = isAmbiguous(moment) ? time.title : shown;
    }
  }
  localTimes(document);
  on("htmx:load", (event) => localTimes(event.detail.elt.parentNode ?? document));
})();
