// Whether this browser reaches a server: it asks, cannot read the answer, and learns only that there is one.
(() => {
  const PATIENCE = 10000;

  function say(box, outcome, started) {
    for (const each of box.querySelectorAll("[data-reach-says]")) each.hidden = each.dataset.reachSays !== outcome;
    const seconds = started === undefined ? "" : `${((performance.now() - started) / 1000).toFixed(2)} s`;
    for (const time of box.querySelectorAll("[data-reach-time]")) time.textContent = seconds;
    box.dataset.reachOutcome = outcome;
  }

  async function ask(box) {
    if (box.dataset.reachOutcome === "trying") return;
    const origin = new URL(box.dataset.reach).origin;
    const started = performance.now();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    // Our policy allows this origin alone: where it is broken, the server answered and sent us elsewhere.
    let sentOn = false;
    const note = (event) => (sentOn ||= event.effectiveDirective === "connect-src");
    document.addEventListener("securitypolicyviolation", note);
    say(box, "trying");
    try {
      await fetch(`${origin}/api`, {
        mode: "no-cors", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", signal: patience.signal,
      });
      say(box, "reached", started);
    } catch {
      await new Promise((resolve) => setTimeout(resolve)); // the violation is told after the refusal
      say(box, sentOn ? "sent-on" : patience.signal.aborted ? "silent" : "blocked", started);
    } finally {
      clearTimeout(timer);
      document.removeEventListener("securitypolicyviolation", note);
    }
  }

  document.addEventListener("reach", () => document.querySelectorAll("[data-reach]").forEach(ask));
})();
