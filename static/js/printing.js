// A button that prints the page.
document.addEventListener("click", (event) => event.target.closest("[data-print]") && window.print());
