// Checks files by name and size before they are uploaded.
(() => {
  async function check(form) {
    const input = form.querySelector("input[type=file]");
    const body = new URLSearchParams();
    for (const file of input.files) {
      body.append("name", file.name);
      body.append("size", file.size);
    }
    const headers = { "HX-Request": "true", "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
    const answer = await fetch(form.dataset.checkFiles, { method: "POST", body, headers, cache: "no-store" });
    const isRefused = answer.status === 422 && answer.headers.has("HX-Retarget"); // other failures are for the upload to report
    form.querySelector("[data-file-problems]").innerHTML = isRefused ? await answer.text() : "";
    form.querySelectorAll(".cp-field .cp-error:not([data-file-problems] *)").forEach((old) => old.remove());
    input.setAttribute("aria-invalid", String(isRefused));
    input.classList.toggle("is-invalid", isRefused);
    if (isRefused) input.focus();
    return !isRefused;
  }

  function onChange(input) {
    const form = input.closest("form[data-check-files]");
    if (form && input.type === "file" && input.files.length) check(form).catch(() => {});
  }
  document.addEventListener("change", (event) => onChange(event.target));
  document.querySelectorAll("input[type=file]").forEach(onChange); // chosen before this script loaded
  document.addEventListener("beforeFiles", (event) => {
    if (event.target.matches("form[data-check-files]")) event.detail.push(() => check(event.target));
  });
})();
