// Ticked rows of a page get a bar that says how many they are and what can be done with them.
(() => {
  const on = (name, handler) => document.addEventListener(name, handler);

  function bar() {
    const place = document.getElementById("picked");
    if (!place) return;
    const count = document.querySelectorAll("#documents [name=document]:checked").length;
    place.hidden = count === 0;
    place.querySelector("[data-count]").textContent = `${count} selected`;
  }
  const tickAll = (checked) => {
    for (const tick of document.querySelectorAll("#documents [name=document]")) tick.checked = checked;
    bar();
  };

  on("change", (event) => event.target.matches("#documents [name=document]") && bar());
  on("click", (event) => {
    if (event.target.closest("[data-tick-all]")) tickAll(true);
    if (event.target.closest("[data-tick-none]")) tickAll(false);
  });
  on("htmx:afterSwap", bar); // the list came anew, without its ticks
  window.addEventListener("pageshow", bar);
  bar();
})();
