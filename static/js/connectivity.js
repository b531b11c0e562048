// Tests whether this browser can reach a server. The response cannot be read: only that there was one.
(() => {
  const TIMEOUT = 10000;

  function show(box, outcome, started) {
    for (const each of box.querySelectorAll("[data-connectivity-state]")) each.hidden = each.dataset.connectivityState !== outcome;
    const seconds = started === undefined ? "" : `${((performance.now() - started) / 1000).toFixed(2)} s`;
    for (const time of box.querySelectorAll("[data-connectivity-time]")) time.textContent = seconds;
    box.dataset.connectivityOutcome = outcome;
  }

  async function check(box) {
    if (box.dataset.connectivityOutcome === "trying") return;
    const origin = new URL(box.dataset.connectivity).origin;
    const started = performance.now();
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), TIMEOUT);
    // The page's policy allows this origin only, so a violation means that the server redirected elsewhere.
    let redirected = false;
    const note = (event) => (redirected ||= event.effectiveDirective === "connect-src");
    document.addEventListener("securitypolicyviolation", note);
    show(box, "trying");
    try {
      await fetch(`${origin}/api`, {
        mode: "no-cors", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", signal: timeout.signal,
      });
      show(box, "reached", started);
    } catch {
      await new Promise((resolve) => setTimeout(resolve)); // the violation event follows the rejection
      show(box, redirected ? "sent-on" : timeout.signal.aborted ? "silent" : "blocked", started);
    } finally {
      clearTimeout(timer);
      document.removeEventListener("securitypolicyviolation", note);
    }
  }

  document.addEventListener("checkConnectivity", () => document.querySelectorAll("[data-connectivity]").forEach(check));
})();
