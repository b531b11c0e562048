// Rows of the closing index are dragged to their place. Up and Down in each row do the same by keyboard.
(() => {
  const list = document.getElementById("index");
  const rowOf = (event) => event.target.closest?.("[data-row]");
  let dragged = null;

  // Below the middle of a row it goes after it.
  function next(event) {
    const row = rowOf(event);
    const { top, height } = row.getBoundingClientRect();
    return event.clientY < top + height / 2 ? row : row.nextElementSibling;
  }

  list.addEventListener("dragstart", (event) => {
    dragged = rowOf(event);
    event.dataTransfer?.setData("text/plain", "");
  });
  list.addEventListener("dragover", (event) => dragged && rowOf(event) && event.preventDefault());
  list.addEventListener("dragend", () => (dragged = null));
  list.addEventListener("drop", (event) => {
    if (!dragged || !rowOf(event)) return;
    event.preventDefault();
    const before = next(event);
    if (before === dragged || before === dragged.nextElementSibling) return;
    const order = document.getElementById("order");
    const values = { move: `${dragged.dataset.row}:${before?.dataset.row ?? ""}` };
    htmx.ajax("POST", order.action, { source: order, target: "#index", swap: "innerHTML", values });
  });
})();
