// Comparisons and previews by keyboard: n and p move between changes, the arrow keys between pages.
(() => {
  const bar = document.querySelector("[data-changes]");
  let at = 0;

  function move(step) {
    const last = Number(bar.dataset.changes);
    at = Math.min(Math.max(at + step, 1), last);
    const change = document.getElementById(`change-${at}`);
    change.scrollIntoView({ block: "center" });
    change.focus({ preventScroll: true });
    bar.querySelector("[data-change-at]").textContent = `Change ${at} of ${last}`;
  }

  function turn(rel) {
    document.querySelector(`a[rel=${rel}]`)?.click();
  }

  bar?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-change-step]");
    if (button) move(Number(button.dataset.changeStep));
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog, [popover]")) return;
    if (bar && event.key === "n") move(1);
    else if (bar && event.key === "p") move(-1);
    else if (!bar && event.key === "ArrowLeft") turn("prev");
    else if (!bar && event.key === "ArrowRight") turn("next");
  });
})();
